with

desired as (select * from sf_contact),

matched as (select * from org_match_contact),

records as (select * from org_contact),

ledger as (select * from sent_contact),

joined as (
    select
        desired.key,
        desired._held,
        matched.sf_id,
        matched.rule as _rule,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(ledger.fields, []) as _sent,
        desired."AccountId",
        desired."Salutation",
        desired."FirstName",
        desired."LastName",
        desired."Title",
        desired."Department",
        desired."Email",
        desired."Birthdate",
        desired."Phone",
        desired."MobilePhone",
        desired."Fax",
        desired."MailingStreet",
        desired."MailingCity",
        desired."MailingState",
        desired."MailingPostalCode",
        desired."MailingCountry",
        desired."OtherStreet",
        desired."OtherCity",
        desired."OtherState",
        desired."OtherPostalCode",
        desired."OtherCountry",
        desired."OtherPhone",
        desired."HasOptedOutOfEmail",
        desired."Description",
        records."AccountId" as "_was_AccountId",
        records."Salutation" as "_was_Salutation",
        records."FirstName" as "_was_FirstName",
        records."LastName" as "_was_LastName",
        records."Title" as "_was_Title",
        records."Department" as "_was_Department",
        records."Email" as "_was_Email",
        records."Birthdate" as "_was_Birthdate",
        records."Phone" as "_was_Phone",
        records."MobilePhone" as "_was_MobilePhone",
        records."Fax" as "_was_Fax",
        records."MailingStreet" as "_was_MailingStreet",
        records."MailingCity" as "_was_MailingCity",
        records."MailingState" as "_was_MailingState",
        records."MailingPostalCode" as "_was_MailingPostalCode",
        records."MailingCountry" as "_was_MailingCountry",
        records."OtherStreet" as "_was_OtherStreet",
        records."OtherCity" as "_was_OtherCity",
        records."OtherState" as "_was_OtherState",
        records."OtherPostalCode" as "_was_OtherPostalCode",
        records."OtherCountry" as "_was_OtherCountry",
        records."OtherPhone" as "_was_OtherPhone",
        records."HasOptedOutOfEmail" as "_was_HasOptedOutOfEmail",
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
            when _rule = 'ambiguous' then 'ambiguous: somebody else of ours matches the same Contact of the org'
            when _rule = 'deleted' then 'its Contact was deleted in the org (deleted_in_org: leave)'
            when _rule = 'converted' then 'its Contact was converted in the org'
            when sf_id is null and "LastName" is null then 'LastName is empty, and Salesforce demands it'
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
                case when sf_id is null and "AccountId" is not null then 'AccountId' end,
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
                    when "Department" is null then null
                    when sf_id is null then 'Department'
                    when "Department" = "_was_Department" then null
                    when not list_contains(_sent, 'Department') and "_was_Department" is not null then null
                    when
                        trim(replace("Department", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Department", chr(13), ''), e' \t\n')
                        then 'Department'
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
                    when "Birthdate" is null then null
                    when sf_id is null then 'Birthdate'
                    when "Birthdate" = "_was_Birthdate" then null
                    when not list_contains(_sent, 'Birthdate') and "_was_Birthdate" is not null then null
                    when
                        trim(replace("Birthdate", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_Birthdate", chr(13), ''), e' \t\n')
                        then 'Birthdate'
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
                    when "MailingStreet" is null then null
                    when sf_id is null then 'MailingStreet'
                    when "MailingStreet" = "_was_MailingStreet" then null
                    when not list_contains(_sent, 'MailingStreet') and "_was_MailingStreet" is not null then null
                    when
                        trim(replace("MailingStreet", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_MailingStreet", chr(13), ''), e' \t\n')
                        then 'MailingStreet'
                end,
                case
                    when "MailingCity" is null then null
                    when sf_id is null then 'MailingCity'
                    when "MailingCity" = "_was_MailingCity" then null
                    when not list_contains(_sent, 'MailingCity') and "_was_MailingCity" is not null then null
                    when
                        trim(replace("MailingCity", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_MailingCity", chr(13), ''), e' \t\n')
                        then 'MailingCity'
                end,
                case
                    when "MailingState" is null then null
                    when sf_id is null then 'MailingState'
                    when "MailingState" = "_was_MailingState" then null
                    when not list_contains(_sent, 'MailingState') and "_was_MailingState" is not null then null
                    when
                        trim(replace("MailingState", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_MailingState", chr(13), ''), e' \t\n')
                        then 'MailingState'
                end,
                case
                    when "MailingPostalCode" is null then null
                    when sf_id is null then 'MailingPostalCode'
                    when "MailingPostalCode" = "_was_MailingPostalCode" then null
                    when not list_contains(_sent, 'MailingPostalCode') and "_was_MailingPostalCode" is not null then null
                    when
                        trim(replace("MailingPostalCode", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_MailingPostalCode", chr(13), ''), e' \t\n')
                        then 'MailingPostalCode'
                end,
                case
                    when "MailingCountry" is null then null
                    when sf_id is null then 'MailingCountry'
                    when "MailingCountry" = "_was_MailingCountry" then null
                    when not list_contains(_sent, 'MailingCountry') and "_was_MailingCountry" is not null then null
                    when
                        trim(replace("MailingCountry", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_MailingCountry", chr(13), ''), e' \t\n')
                        then 'MailingCountry'
                end,
                case
                    when "OtherStreet" is null then null
                    when sf_id is null then 'OtherStreet'
                    when "OtherStreet" = "_was_OtherStreet" then null
                    when not list_contains(_sent, 'OtherStreet') and "_was_OtherStreet" is not null then null
                    when
                        trim(replace("OtherStreet", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_OtherStreet", chr(13), ''), e' \t\n')
                        then 'OtherStreet'
                end,
                case
                    when "OtherCity" is null then null
                    when sf_id is null then 'OtherCity'
                    when "OtherCity" = "_was_OtherCity" then null
                    when not list_contains(_sent, 'OtherCity') and "_was_OtherCity" is not null then null
                    when
                        trim(replace("OtherCity", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_OtherCity", chr(13), ''), e' \t\n')
                        then 'OtherCity'
                end,
                case
                    when "OtherState" is null then null
                    when sf_id is null then 'OtherState'
                    when "OtherState" = "_was_OtherState" then null
                    when not list_contains(_sent, 'OtherState') and "_was_OtherState" is not null then null
                    when
                        trim(replace("OtherState", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_OtherState", chr(13), ''), e' \t\n')
                        then 'OtherState'
                end,
                case
                    when "OtherPostalCode" is null then null
                    when sf_id is null then 'OtherPostalCode'
                    when "OtherPostalCode" = "_was_OtherPostalCode" then null
                    when not list_contains(_sent, 'OtherPostalCode') and "_was_OtherPostalCode" is not null then null
                    when
                        trim(replace("OtherPostalCode", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_OtherPostalCode", chr(13), ''), e' \t\n')
                        then 'OtherPostalCode'
                end,
                case
                    when "OtherCountry" is null then null
                    when sf_id is null then 'OtherCountry'
                    when "OtherCountry" = "_was_OtherCountry" then null
                    when not list_contains(_sent, 'OtherCountry') and "_was_OtherCountry" is not null then null
                    when
                        trim(replace("OtherCountry", chr(13), ''), e' \t\n')
                        is distinct from trim(replace("_was_OtherCountry", chr(13), ''), e' \t\n')
                        then 'OtherCountry'
                end,
                case
                    when "OtherPhone" is null then null
                    when sf_id is null then 'OtherPhone'
                    when "OtherPhone" = "_was_OtherPhone" then null
                    when not list_contains(_sent, 'OtherPhone') and "_was_OtherPhone" is not null then null
                    when
                        coalesce(nullif(regexp_replace(trim(replace("OtherPhone", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("OtherPhone", chr(13), ''), e' \t\n')))
                        is distinct from coalesce(nullif(regexp_replace(trim(replace("_was_OtherPhone", chr(13), ''), e' \t\n'), '[^0-9]', '', 'g'), ''), lower(trim(replace("_was_OtherPhone", chr(13), ''), e' \t\n')))
                        then 'OtherPhone'
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
            {'k': 'AccountId', 'v': "_was_AccountId"},
            {'k': 'Salutation', 'v': "_was_Salutation"},
            {'k': 'FirstName', 'v': "_was_FirstName"},
            {'k': 'LastName', 'v': "_was_LastName"},
            {'k': 'Title', 'v': "_was_Title"},
            {'k': 'Department', 'v': "_was_Department"},
            {'k': 'Email', 'v': "_was_Email"},
            {'k': 'Birthdate', 'v': "_was_Birthdate"},
            {'k': 'Phone', 'v': "_was_Phone"},
            {'k': 'MobilePhone', 'v': "_was_MobilePhone"},
            {'k': 'Fax', 'v': "_was_Fax"},
            {'k': 'MailingStreet', 'v': "_was_MailingStreet"},
            {'k': 'MailingCity', 'v': "_was_MailingCity"},
            {'k': 'MailingState', 'v': "_was_MailingState"},
            {'k': 'MailingPostalCode', 'v': "_was_MailingPostalCode"},
            {'k': 'MailingCountry', 'v': "_was_MailingCountry"},
            {'k': 'OtherStreet', 'v': "_was_OtherStreet"},
            {'k': 'OtherCity', 'v': "_was_OtherCity"},
            {'k': 'OtherState', 'v': "_was_OtherState"},
            {'k': 'OtherPostalCode', 'v': "_was_OtherPostalCode"},
            {'k': 'OtherCountry', 'v': "_was_OtherCountry"},
            {'k': 'OtherPhone', 'v': "_was_OtherPhone"},
            {'k': 'HasOptedOutOfEmail', 'v': "_was_HasOptedOutOfEmail"},
            {'k': 'Description', 'v': "_was_Description"}
        ], lambda entry: list_contains(changed, entry.k)))
    end as before,
    "AccountId",
    "Salutation",
    "FirstName",
    "LastName",
    "Title",
    "Department",
    "Email",
    "Birthdate",
    "Phone",
    "MobilePhone",
    "Fax",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
    "OtherStreet",
    "OtherCity",
    "OtherState",
    "OtherPostalCode",
    "OtherCountry",
    "OtherPhone",
    "HasOptedOutOfEmail",
    "Description"
from compared
