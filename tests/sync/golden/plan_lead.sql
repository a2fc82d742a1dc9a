with

desired as (select * from sf_lead),

matched as (select * from org_match_lead),

records as (select * from org_lead),

ledger as (select * from sent_lead),

joined as (
    select
        desired.key,
        desired._held,
        matched.sf_id,
        matched.rule as _rule,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(ledger.fields, []) as _sent,
        desired."Salutation",
        desired."FirstName",
        desired."LastName",
        desired."Company",
        desired."Title",
        desired."Email",
        desired."Phone",
        desired."MobilePhone",
        desired."Fax",
        desired."Website",
        desired."Street",
        desired."City",
        desired."State",
        desired."PostalCode",
        desired."Country",
        desired."HasOptedOutOfEmail",
        desired."LeadSource",
        desired."Description",
        records."Salutation" as "_was_Salutation",
        records."FirstName" as "_was_FirstName",
        records."LastName" as "_was_LastName",
        records."Company" as "_was_Company",
        records."Title" as "_was_Title",
        records."Email" as "_was_Email",
        records."Phone" as "_was_Phone",
        records."MobilePhone" as "_was_MobilePhone",
        records."Fax" as "_was_Fax",
        records."Website" as "_was_Website",
        records."Street" as "_was_Street",
        records."City" as "_was_City",
        records."State" as "_was_State",
        records."PostalCode" as "_was_PostalCode",
        records."Country" as "_was_Country",
        records."HasOptedOutOfEmail" as "_was_HasOptedOutOfEmail",
        records."LeadSource" as "_was_LeadSource",
        records."Description" as "_was_Description"
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
            when _rule = 'ambiguous' then 'ambiguous: somebody else of ours matches the same Lead of the org'
            when _rule = 'deleted' then 'its Lead was deleted in the org (deleted_in_org: leave)'
            when _rule = 'converted' then 'its Lead was converted in the org'
            when sf_id is null and "LastName" is null then 'LastName is empty, and Salesforce demands it'
            when sf_id is null and "Company" is null then 'Company is empty, and Salesforce demands it'
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
                case
                    when "Salutation" is null then null
                    when sf_id is null then 'Salutation'
                    when "Salutation" = "_was_Salutation" then null
                    when not list_contains(_sent, 'Salutation') and "_was_Salutation" is not null then null
                    when
                        lower(trim(replace("Salutation", chr(13), ''), e' \t\n'))
                        is distinct from lower(trim(replace("_was_Salutation", chr(13), ''), e' \t\n'))
                        then 'Salutation'
                end,
                case
                    when "FirstName" is null then null
                    when sf_id is null then 'FirstName'
                    when "FirstName" = "_was_FirstName" then null
                    when not list_contains(_sent, 'FirstName') and "_was_FirstName" is not null then null
                    when
                        trim(replace("FirstName", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_FirstName", chr(13), ''), e' \t\n')
                        then 'FirstName'
                end,
                case
                    when "LastName" is null then null
                    when sf_id is null then 'LastName'
                    when "LastName" = "_was_LastName" then null
                    when (not list_contains(_sent, 'LastName') or "LastName" = clean_lines('[not provided]'::varchar)) and "_was_LastName" is not null then null
                    when
                        trim(replace("LastName", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_LastName", chr(13), ''), e' \t\n')
                        then 'LastName'
                end,
                case
                    when "Company" is null then null
                    when sf_id is null then 'Company'
                    when "Company" = "_was_Company" then null
                    when (not list_contains(_sent, 'Company') or "Company" = clean_lines('[not provided]'::varchar)) and "_was_Company" is not null then null
                    when
                        trim(replace("Company", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Company", chr(13), ''), e' \t\n')
                        then 'Company'
                end,
                case
                    when "Title" is null then null
                    when sf_id is null then 'Title'
                    when "Title" = "_was_Title" then null
                    when not list_contains(_sent, 'Title') and "_was_Title" is not null then null
                    when
                        trim(replace("Title", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Title", chr(13), ''), e' \t\n')
                        then 'Title'
                end,
                case
                    when "Email" is null then null
                    when sf_id is null then 'Email'
                    when "Email" = "_was_Email" then null
                    when not list_contains(_sent, 'Email') and "_was_Email" is not null then null
                    when
                        lower(trim(replace("Email", chr(13), ''), e' \t\n'))
                        is distinct from lower(trim(replace("_was_Email", chr(13), ''), e' \t\n'))
                        then 'Email'
                end,
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
                    when "MobilePhone" is null then null
                    when sf_id is null then 'MobilePhone'
                    when "MobilePhone" = "_was_MobilePhone" then null
                    when not list_contains(_sent, 'MobilePhone') and "_was_MobilePhone" is not null then null
                    when
                        coalesce(nullif(regexp_replace(trim(replace("MobilePhone", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("MobilePhone", chr(13), ''), e' \t\n')))
                        is distinct from coalesce(nullif(regexp_replace(trim(replace("_was_MobilePhone", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("_was_MobilePhone", chr(13), ''), e' \t\n')))
                        then 'MobilePhone'
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
                    when "Street" is null then null
                    when sf_id is null then 'Street'
                    when "Street" = "_was_Street" then null
                    when not list_contains(_sent, 'Street') and "_was_Street" is not null then null
                    when
                        trim(replace("Street", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Street", chr(13), ''), e' \t\n')
                        then 'Street'
                end,
                case
                    when "City" is null then null
                    when sf_id is null then 'City'
                    when "City" = "_was_City" then null
                    when not list_contains(_sent, 'City') and "_was_City" is not null then null
                    when
                        trim(replace("City", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_City", chr(13), ''), e' \t\n')
                        then 'City'
                end,
                case
                    when "State" is null then null
                    when sf_id is null then 'State'
                    when "State" = "_was_State" then null
                    when not list_contains(_sent, 'State') and "_was_State" is not null then null
                    when
                        trim(replace("State", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_State", chr(13), ''), e' \t\n')
                        then 'State'
                end,
                case
                    when "PostalCode" is null then null
                    when sf_id is null then 'PostalCode'
                    when "PostalCode" = "_was_PostalCode" then null
                    when not list_contains(_sent, 'PostalCode') and "_was_PostalCode" is not null then null
                    when
                        trim(replace("PostalCode", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_PostalCode", chr(13), ''), e' \t\n')
                        then 'PostalCode'
                end,
                case
                    when "Country" is null then null
                    when sf_id is null then 'Country'
                    when "Country" = "_was_Country" then null
                    when not list_contains(_sent, 'Country') and "_was_Country" is not null then null
                    when
                        trim(replace("Country", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Country", chr(13), ''), e' \t\n')
                        then 'Country'
                end,
                case
                    when "HasOptedOutOfEmail" is null then null
                    when sf_id is null then 'HasOptedOutOfEmail'
                    when "HasOptedOutOfEmail" = "_was_HasOptedOutOfEmail" then null
                    when "_was_HasOptedOutOfEmail" = 'true' and not list_contains(_sent, 'HasOptedOutOfEmail') then null
                    when not list_contains(_sent, 'HasOptedOutOfEmail') and "_was_HasOptedOutOfEmail" = 'true' then null
                    when
                        lower(trim(replace("HasOptedOutOfEmail", chr(13), ''), e' \t\n'))
                        is distinct from lower(trim(replace("_was_HasOptedOutOfEmail", chr(13), ''), e' \t\n'))
                        then 'HasOptedOutOfEmail'
                end,
                case when sf_id is null and "LeadSource" is not null then 'LeadSource' end,
                case
                    when "Description" is null then null
                    when sf_id is null then 'Description'
                    when "Description" = "_was_Description" then null
                    when not list_contains(_sent, 'Description') and "_was_Description" is not null then null
                    when
                        trim(replace("Description", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Description", chr(13), ''), e' \t\n')
                        then 'Description'
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
            {'k': 'Salutation', 'v': "_was_Salutation"},
            {'k': 'FirstName', 'v': "_was_FirstName"},
            {'k': 'LastName', 'v': "_was_LastName"},
            {'k': 'Company', 'v': "_was_Company"},
            {'k': 'Title', 'v': "_was_Title"},
            {'k': 'Email', 'v': "_was_Email"},
            {'k': 'Phone', 'v': "_was_Phone"},
            {'k': 'MobilePhone', 'v': "_was_MobilePhone"},
            {'k': 'Fax', 'v': "_was_Fax"},
            {'k': 'Website', 'v': "_was_Website"},
            {'k': 'Street', 'v': "_was_Street"},
            {'k': 'City', 'v': "_was_City"},
            {'k': 'State', 'v': "_was_State"},
            {'k': 'PostalCode', 'v': "_was_PostalCode"},
            {'k': 'Country', 'v': "_was_Country"},
            {'k': 'HasOptedOutOfEmail', 'v': "_was_HasOptedOutOfEmail"},
            {'k': 'LeadSource', 'v': "_was_LeadSource"},
            {'k': 'Description', 'v': "_was_Description"}
        ], lambda entry: list_contains(changed, entry.k)))
    end as before,
    "Salutation",
    "FirstName",
    "LastName",
    "Company",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "Fax",
    "Website",
    "Street",
    "City",
    "State",
    "PostalCode",
    "Country",
    "HasOptedOutOfEmail",
    "LeadSource",
    "Description"
from compared
