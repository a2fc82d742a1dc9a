with

desired as (select * from sf_account),

matched as (select * from org_match_account),

records as (select * from org_account),

ledger as (select * from sent_account),

joined as (
    select
        desired.key,
        desired._held,
        matched.sf_id,
        matched.rule as _rule,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(ledger.fields, []) as _sent,
        desired."Name",
        desired."Phone",
        desired."Fax",
        desired."Website",
        desired."BillingStreet",
        desired."BillingCity",
        desired."BillingState",
        desired."BillingPostalCode",
        desired."BillingCountry",
        desired."ShippingStreet",
        desired."ShippingCity",
        desired."ShippingState",
        desired."ShippingPostalCode",
        desired."ShippingCountry",
        records."Name" as "_was_Name",
        records."Phone" as "_was_Phone",
        records."Fax" as "_was_Fax",
        records."Website" as "_was_Website",
        records."BillingStreet" as "_was_BillingStreet",
        records."BillingCity" as "_was_BillingCity",
        records."BillingState" as "_was_BillingState",
        records."BillingPostalCode" as "_was_BillingPostalCode",
        records."BillingCountry" as "_was_BillingCountry",
        records."ShippingStreet" as "_was_ShippingStreet",
        records."ShippingCity" as "_was_ShippingCity",
        records."ShippingState" as "_was_ShippingState",
        records."ShippingPostalCode" as "_was_ShippingPostalCode",
        records."ShippingCountry" as "_was_ShippingCountry"
    from desired
    left join matched on matched.entity_key = desired.key
    left join records on records."Id" = matched.sf_id
    left join ledger on ledger.key = desired.key
),

held as (
    select
        *,
        case
            when _held is not null then _held
            when _rule = 'ambiguous' then 'ambiguous: somebody else of ours matches the same Account of the org'
            when _rule = 'deleted' then 'its Account was deleted in the org (deleted_in_org: leave)'
            when _rule = 'converted' then 'its Account was converted in the org'
            when sf_id is null and "Name" is null then 'Name is empty, and Salesforce demands it'
        end as reason
    from joined
),

-- What is to be sent: on a create every value, else what differs after its normal form.
compared as (
    select
        *,
        case
            when reason is not null then []
            else list_filter([
                case when sf_id is null and "Name" is not null then 'Name' end,
                case
                    when "Phone" is null then null
                    when sf_id is null then 'Phone'
                    when "Phone" = "_was_Phone" then null
                    when not list_contains(_sent, 'Phone') and "_was_Phone" is not null then null
                    when
                        coalesce(nullif(regexp_replace(trim(replace("Phone", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("Phone", chr(13), ''), e' \t\n')))
                        is distinct from coalesce(nullif(regexp_replace(trim(replace("_was_Phone", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("_was_Phone", chr(13), ''), e' \t\n')))
                        then 'Phone'
                end,
                case
                    when "Fax" is null then null
                    when sf_id is null then 'Fax'
                    when "Fax" = "_was_Fax" then null
                    when not list_contains(_sent, 'Fax') and "_was_Fax" is not null then null
                    when
                        coalesce(nullif(regexp_replace(trim(replace("Fax", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("Fax", chr(13), ''), e' \t\n')))
                        is distinct from coalesce(nullif(regexp_replace(trim(replace("_was_Fax", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("_was_Fax", chr(13), ''), e' \t\n')))
                        then 'Fax'
                end,
                case
                    when "Website" is null then null
                    when sf_id is null then 'Website'
                    when "Website" = "_was_Website" then null
                    when not list_contains(_sent, 'Website') and "_was_Website" is not null then null
                    when
                        trim(replace("Website", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Website", chr(13), ''), e' \t\n')
                        then 'Website'
                end,
                case
                    when "BillingStreet" is null then null
                    when sf_id is null then 'BillingStreet'
                    when "BillingStreet" = "_was_BillingStreet" then null
                    when not list_contains(_sent, 'BillingStreet') and "_was_BillingStreet" is not null then null
                    when
                        trim(replace("BillingStreet", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_BillingStreet", chr(13), ''), e' \t\n')
                        then 'BillingStreet'
                end,
                case
                    when "BillingCity" is null then null
                    when sf_id is null then 'BillingCity'
                    when "BillingCity" = "_was_BillingCity" then null
                    when not list_contains(_sent, 'BillingCity') and "_was_BillingCity" is not null then null
                    when
                        trim(replace("BillingCity", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_BillingCity", chr(13), ''), e' \t\n')
                        then 'BillingCity'
                end,
                case
                    when "BillingState" is null then null
                    when sf_id is null then 'BillingState'
                    when "BillingState" = "_was_BillingState" then null
                    when not list_contains(_sent, 'BillingState') and "_was_BillingState" is not null then null
                    when
                        trim(replace("BillingState", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_BillingState", chr(13), ''), e' \t\n')
                        then 'BillingState'
                end,
                case
                    when "BillingPostalCode" is null then null
                    when sf_id is null then 'BillingPostalCode'
                    when "BillingPostalCode" = "_was_BillingPostalCode" then null
                    when not list_contains(_sent, 'BillingPostalCode') and "_was_BillingPostalCode" is not null then null
                    when
                        trim(replace("BillingPostalCode", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_BillingPostalCode", chr(13), ''), e' \t\n')
                        then 'BillingPostalCode'
                end,
                case
                    when "BillingCountry" is null then null
                    when sf_id is null then 'BillingCountry'
                    when "BillingCountry" = "_was_BillingCountry" then null
                    when not list_contains(_sent, 'BillingCountry') and "_was_BillingCountry" is not null then null
                    when
                        trim(replace("BillingCountry", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_BillingCountry", chr(13), ''), e' \t\n')
                        then 'BillingCountry'
                end,
                case
                    when "ShippingStreet" is null then null
                    when sf_id is null then 'ShippingStreet'
                    when "ShippingStreet" = "_was_ShippingStreet" then null
                    when not list_contains(_sent, 'ShippingStreet') and "_was_ShippingStreet" is not null then null
                    when
                        trim(replace("ShippingStreet", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_ShippingStreet", chr(13), ''), e' \t\n')
                        then 'ShippingStreet'
                end,
                case
                    when "ShippingCity" is null then null
                    when sf_id is null then 'ShippingCity'
                    when "ShippingCity" = "_was_ShippingCity" then null
                    when not list_contains(_sent, 'ShippingCity') and "_was_ShippingCity" is not null then null
                    when
                        trim(replace("ShippingCity", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_ShippingCity", chr(13), ''), e' \t\n')
                        then 'ShippingCity'
                end,
                case
                    when "ShippingState" is null then null
                    when sf_id is null then 'ShippingState'
                    when "ShippingState" = "_was_ShippingState" then null
                    when not list_contains(_sent, 'ShippingState') and "_was_ShippingState" is not null then null
                    when
                        trim(replace("ShippingState", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_ShippingState", chr(13), ''), e' \t\n')
                        then 'ShippingState'
                end,
                case
                    when "ShippingPostalCode" is null then null
                    when sf_id is null then 'ShippingPostalCode'
                    when "ShippingPostalCode" = "_was_ShippingPostalCode" then null
                    when not list_contains(_sent, 'ShippingPostalCode') and "_was_ShippingPostalCode" is not null then null
                    when
                        trim(replace("ShippingPostalCode", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_ShippingPostalCode", chr(13), ''), e' \t\n')
                        then 'ShippingPostalCode'
                end,
                case
                    when "ShippingCountry" is null then null
                    when sf_id is null then 'ShippingCountry'
                    when "ShippingCountry" = "_was_ShippingCountry" then null
                    when not list_contains(_sent, 'ShippingCountry') and "_was_ShippingCountry" is not null then null
                    when
                        trim(replace("ShippingCountry", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_ShippingCountry", chr(13), ''), e' \t\n')
                        then 'ShippingCountry'
                end
            ], lambda name: name is not null)
        end as changed
    from held
)

select
    key,
    case
        when reason is not null then 'hold'
        when sf_id is null then 'create'
        when _adopt then 'adopt'
        when len(changed) > 0 then 'update'
        else 'unchanged'
    end as action,
    sf_id,
    reason,
    changed,
    case
        when sf_id is null or len(changed) = 0 then map {}
        else map_from_entries(list_filter([
            {'k': 'Name', 'v': "_was_Name"},
            {'k': 'Phone', 'v': "_was_Phone"},
            {'k': 'Fax', 'v': "_was_Fax"},
            {'k': 'Website', 'v': "_was_Website"},
            {'k': 'BillingStreet', 'v': "_was_BillingStreet"},
            {'k': 'BillingCity', 'v': "_was_BillingCity"},
            {'k': 'BillingState', 'v': "_was_BillingState"},
            {'k': 'BillingPostalCode', 'v': "_was_BillingPostalCode"},
            {'k': 'BillingCountry', 'v': "_was_BillingCountry"},
            {'k': 'ShippingStreet', 'v': "_was_ShippingStreet"},
            {'k': 'ShippingCity', 'v': "_was_ShippingCity"},
            {'k': 'ShippingState', 'v': "_was_ShippingState"},
            {'k': 'ShippingPostalCode', 'v': "_was_ShippingPostalCode"},
            {'k': 'ShippingCountry', 'v': "_was_ShippingCountry"}
        ], lambda entry: list_contains(changed, entry.k)))
    end as before,
    "Name",
    "Phone",
    "Fax",
    "Website",
    "BillingStreet",
    "BillingCity",
    "BillingState",
    "BillingPostalCode",
    "BillingCountry",
    "ShippingStreet",
    "ShippingCity",
    "ShippingState",
    "ShippingPostalCode",
    "ShippingCountry"
from compared
