with

desired as (select * from sf_contact where _held is null or "HasOptedOutOfEmail" = 'true'),

matched as (select * from (select * from org_match_contact) where sf_id is not null),

records as (select * from org_contact),

compared as (
    select
        desired.key,
        desired."AccountId",
        records."AccountId" as "_was_AccountId",
        (desired."AccountId" is distinct from records."AccountId" and normal_id(desired."AccountId") is distinct from normal_id(records."AccountId")) as "_differs_AccountId",
        desired."Salutation",
        records."Salutation" as "_was_Salutation",
        (desired."Salutation" is distinct from records."Salutation" and normal_word(desired."Salutation") is distinct from normal_word(records."Salutation")) as "_differs_Salutation",
        desired."FirstName",
        records."FirstName" as "_was_FirstName",
        (desired."FirstName" is distinct from records."FirstName" and trimmed(desired."FirstName") is distinct from trimmed(records."FirstName")) as "_differs_FirstName",
        desired."LastName",
        records."LastName" as "_was_LastName",
        (desired."LastName" is distinct from records."LastName" and trimmed(desired."LastName") is distinct from trimmed(records."LastName")) as "_differs_LastName",
        desired."Title",
        records."Title" as "_was_Title",
        (desired."Title" is distinct from records."Title" and trimmed(desired."Title") is distinct from trimmed(records."Title")) as "_differs_Title",
        desired."Department",
        records."Department" as "_was_Department",
        (desired."Department" is distinct from records."Department" and trimmed(desired."Department") is distinct from trimmed(records."Department")) as "_differs_Department",
        desired."Email",
        records."Email" as "_was_Email",
        (desired."Email" is distinct from records."Email" and normal_word(desired."Email") is distinct from normal_word(records."Email")) as "_differs_Email",
        desired."Birthdate",
        records."Birthdate" as "_was_Birthdate",
        (desired."Birthdate" is distinct from records."Birthdate" and trimmed(desired."Birthdate") is distinct from trimmed(records."Birthdate")) as "_differs_Birthdate",
        desired."Phone",
        records."Phone" as "_was_Phone",
        (desired."Phone" is distinct from records."Phone" and normal_phone(desired."Phone") is distinct from normal_phone(records."Phone")) as "_differs_Phone",
        desired."MobilePhone",
        records."MobilePhone" as "_was_MobilePhone",
        (desired."MobilePhone" is distinct from records."MobilePhone" and normal_phone(desired."MobilePhone") is distinct from normal_phone(records."MobilePhone")) as "_differs_MobilePhone",
        desired."HomePhone",
        records."HomePhone" as "_was_HomePhone",
        (desired."HomePhone" is distinct from records."HomePhone" and normal_phone(desired."HomePhone") is distinct from normal_phone(records."HomePhone")) as "_differs_HomePhone",
        desired."Fax",
        records."Fax" as "_was_Fax",
        (desired."Fax" is distinct from records."Fax" and normal_phone(desired."Fax") is distinct from normal_phone(records."Fax")) as "_differs_Fax",
        desired."MailingStreet",
        records."MailingStreet" as "_was_MailingStreet",
        (desired."MailingStreet" is distinct from records."MailingStreet" and trimmed(desired."MailingStreet") is distinct from trimmed(records."MailingStreet")) as "_differs_MailingStreet",
        desired."MailingCity",
        records."MailingCity" as "_was_MailingCity",
        (desired."MailingCity" is distinct from records."MailingCity" and trimmed(desired."MailingCity") is distinct from trimmed(records."MailingCity")) as "_differs_MailingCity",
        desired."MailingState",
        records."MailingState" as "_was_MailingState",
        (desired."MailingState" is distinct from records."MailingState" and trimmed(desired."MailingState") is distinct from trimmed(records."MailingState")) as "_differs_MailingState",
        desired."MailingPostalCode",
        records."MailingPostalCode" as "_was_MailingPostalCode",
        (desired."MailingPostalCode" is distinct from records."MailingPostalCode" and trimmed(desired."MailingPostalCode") is distinct from trimmed(records."MailingPostalCode")) as "_differs_MailingPostalCode",
        desired."MailingCountry",
        records."MailingCountry" as "_was_MailingCountry",
        (desired."MailingCountry" is distinct from records."MailingCountry" and trimmed(desired."MailingCountry") is distinct from trimmed(records."MailingCountry")) as "_differs_MailingCountry",
        desired."OtherStreet",
        records."OtherStreet" as "_was_OtherStreet",
        (desired."OtherStreet" is distinct from records."OtherStreet" and trimmed(desired."OtherStreet") is distinct from trimmed(records."OtherStreet")) as "_differs_OtherStreet",
        desired."OtherCity",
        records."OtherCity" as "_was_OtherCity",
        (desired."OtherCity" is distinct from records."OtherCity" and trimmed(desired."OtherCity") is distinct from trimmed(records."OtherCity")) as "_differs_OtherCity",
        desired."OtherState",
        records."OtherState" as "_was_OtherState",
        (desired."OtherState" is distinct from records."OtherState" and trimmed(desired."OtherState") is distinct from trimmed(records."OtherState")) as "_differs_OtherState",
        desired."OtherPostalCode",
        records."OtherPostalCode" as "_was_OtherPostalCode",
        (desired."OtherPostalCode" is distinct from records."OtherPostalCode" and trimmed(desired."OtherPostalCode") is distinct from trimmed(records."OtherPostalCode")) as "_differs_OtherPostalCode",
        desired."OtherCountry",
        records."OtherCountry" as "_was_OtherCountry",
        (desired."OtherCountry" is distinct from records."OtherCountry" and trimmed(desired."OtherCountry") is distinct from trimmed(records."OtherCountry")) as "_differs_OtherCountry",
        desired."OtherPhone",
        records."OtherPhone" as "_was_OtherPhone",
        (desired."OtherPhone" is distinct from records."OtherPhone" and normal_phone(desired."OtherPhone") is distinct from normal_phone(records."OtherPhone")) as "_differs_OtherPhone",
        desired."HasOptedOutOfEmail",
        records."HasOptedOutOfEmail" as "_was_HasOptedOutOfEmail",
        (desired."HasOptedOutOfEmail" is distinct from records."HasOptedOutOfEmail" and normal_word(desired."HasOptedOutOfEmail") is distinct from normal_word(records."HasOptedOutOfEmail")) as "_differs_HasOptedOutOfEmail",
        desired."Description",
        records."Description" as "_was_Description",
        (desired."Description" is distinct from records."Description" and trimmed(desired."Description") is distinct from trimmed(records."Description")) as "_differs_Description"
    from desired
    join matched on matched.entity_key = desired.key
    join records on records."Id" = matched.sf_id
),

entries as (
    select
        key,
        unnest(list_filter([
            case
                when ("_was_AccountId" <> '' and ("AccountId" is not null and "_differs_AccountId"))
                then {'field': 'AccountId', 'before': "_was_AccountId", 'after': "AccountId", 'equal': not "_differs_AccountId"}
            end,
            case
                when ("Salutation" is not null and "_differs_Salutation")
                then {'field': 'Salutation', 'before': "_was_Salutation", 'after': "Salutation", 'equal': not "_differs_Salutation"}
            end,
            case
                when ("FirstName" is not null and "_differs_FirstName")
                then {'field': 'FirstName', 'before': "_was_FirstName", 'after': "FirstName", 'equal': not "_differs_FirstName"}
            end,
            case
                when ("LastName" is not null and "_differs_LastName")
                then {'field': 'LastName', 'before': "_was_LastName", 'after': "LastName", 'equal': not "_differs_LastName"}
            end,
            case
                when ("Title" is not null and "_differs_Title")
                then {'field': 'Title', 'before': "_was_Title", 'after': "Title", 'equal': not "_differs_Title"}
            end,
            case
                when ("Department" is not null and "_differs_Department")
                then {'field': 'Department', 'before': "_was_Department", 'after': "Department", 'equal': not "_differs_Department"}
            end,
            case
                when ("Email" is not null and "_differs_Email")
                then {'field': 'Email', 'before': "_was_Email", 'after': "Email", 'equal': not "_differs_Email"}
            end,
            case
                when ("Birthdate" is not null and "_differs_Birthdate")
                then {'field': 'Birthdate', 'before': "_was_Birthdate", 'after': "Birthdate", 'equal': not "_differs_Birthdate"}
            end,
            case
                when ("Phone" is not null and "_differs_Phone")
                then {'field': 'Phone', 'before': "_was_Phone", 'after': "Phone", 'equal': not "_differs_Phone"}
            end,
            case
                when ("MobilePhone" is not null and "_differs_MobilePhone")
                then {'field': 'MobilePhone', 'before': "_was_MobilePhone", 'after': "MobilePhone", 'equal': not "_differs_MobilePhone"}
            end,
            case
                when ("HomePhone" is not null and "_differs_HomePhone")
                then {'field': 'HomePhone', 'before': "_was_HomePhone", 'after': "HomePhone", 'equal': not "_differs_HomePhone"}
            end,
            case
                when ("Fax" is not null and "_differs_Fax")
                then {'field': 'Fax', 'before': "_was_Fax", 'after': "Fax", 'equal': not "_differs_Fax"}
            end,
            case
                when (coalesce("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry") is not null and ("_differs_MailingStreet" or "_differs_MailingCity" or "_differs_MailingState" or "_differs_MailingPostalCode" or "_differs_MailingCountry"))
                then {'field': 'MailingStreet', 'before': "_was_MailingStreet", 'after': "MailingStreet", 'equal': not "_differs_MailingStreet"}
            end,
            case
                when (coalesce("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry") is not null and ("_differs_MailingStreet" or "_differs_MailingCity" or "_differs_MailingState" or "_differs_MailingPostalCode" or "_differs_MailingCountry"))
                then {'field': 'MailingCity', 'before': "_was_MailingCity", 'after': "MailingCity", 'equal': not "_differs_MailingCity"}
            end,
            case
                when (coalesce("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry") is not null and ("_differs_MailingStreet" or "_differs_MailingCity" or "_differs_MailingState" or "_differs_MailingPostalCode" or "_differs_MailingCountry"))
                then {'field': 'MailingState', 'before': "_was_MailingState", 'after': "MailingState", 'equal': not "_differs_MailingState"}
            end,
            case
                when (coalesce("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry") is not null and ("_differs_MailingStreet" or "_differs_MailingCity" or "_differs_MailingState" or "_differs_MailingPostalCode" or "_differs_MailingCountry"))
                then {'field': 'MailingPostalCode', 'before': "_was_MailingPostalCode", 'after': "MailingPostalCode", 'equal': not "_differs_MailingPostalCode"}
            end,
            case
                when (coalesce("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry") is not null and ("_differs_MailingStreet" or "_differs_MailingCity" or "_differs_MailingState" or "_differs_MailingPostalCode" or "_differs_MailingCountry"))
                then {'field': 'MailingCountry', 'before': "_was_MailingCountry", 'after': "MailingCountry", 'equal': not "_differs_MailingCountry"}
            end,
            case
                when (coalesce("OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry") is not null and ("_differs_OtherStreet" or "_differs_OtherCity" or "_differs_OtherState" or "_differs_OtherPostalCode" or "_differs_OtherCountry"))
                then {'field': 'OtherStreet', 'before': "_was_OtherStreet", 'after': "OtherStreet", 'equal': not "_differs_OtherStreet"}
            end,
            case
                when (coalesce("OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry") is not null and ("_differs_OtherStreet" or "_differs_OtherCity" or "_differs_OtherState" or "_differs_OtherPostalCode" or "_differs_OtherCountry"))
                then {'field': 'OtherCity', 'before': "_was_OtherCity", 'after': "OtherCity", 'equal': not "_differs_OtherCity"}
            end,
            case
                when (coalesce("OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry") is not null and ("_differs_OtherStreet" or "_differs_OtherCity" or "_differs_OtherState" or "_differs_OtherPostalCode" or "_differs_OtherCountry"))
                then {'field': 'OtherState', 'before': "_was_OtherState", 'after': "OtherState", 'equal': not "_differs_OtherState"}
            end,
            case
                when (coalesce("OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry") is not null and ("_differs_OtherStreet" or "_differs_OtherCity" or "_differs_OtherState" or "_differs_OtherPostalCode" or "_differs_OtherCountry"))
                then {'field': 'OtherPostalCode', 'before': "_was_OtherPostalCode", 'after': "OtherPostalCode", 'equal': not "_differs_OtherPostalCode"}
            end,
            case
                when (coalesce("OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry") is not null and ("_differs_OtherStreet" or "_differs_OtherCity" or "_differs_OtherState" or "_differs_OtherPostalCode" or "_differs_OtherCountry"))
                then {'field': 'OtherCountry', 'before': "_was_OtherCountry", 'after': "OtherCountry", 'equal': not "_differs_OtherCountry"}
            end,
            case
                when ("OtherPhone" is not null and "_differs_OtherPhone")
                then {'field': 'OtherPhone', 'before': "_was_OtherPhone", 'after': "OtherPhone", 'equal': not "_differs_OtherPhone"}
            end,
            case
                when ("HasOptedOutOfEmail" is not null and "_differs_HasOptedOutOfEmail")
                then {'field': 'HasOptedOutOfEmail', 'before': "_was_HasOptedOutOfEmail", 'after': "HasOptedOutOfEmail", 'equal': not "_differs_HasOptedOutOfEmail"}
            end,
            case
                when ("Description" is not null and "_differs_Description")
                then {'field': 'Description', 'before': "_was_Description", 'after': "Description", 'equal': not "_differs_Description"}
            end
        ], lambda entry: entry is not null)) as entry
    from compared
    where
        ("_was_AccountId" <> '' and ("AccountId" is not null and "_differs_AccountId"))
        or ("Salutation" is not null and "_differs_Salutation")
        or ("FirstName" is not null and "_differs_FirstName")
        or ("LastName" is not null and "_differs_LastName")
        or ("Title" is not null and "_differs_Title")
        or ("Department" is not null and "_differs_Department")
        or ("Email" is not null and "_differs_Email")
        or ("Birthdate" is not null and "_differs_Birthdate")
        or ("Phone" is not null and "_differs_Phone")
        or ("MobilePhone" is not null and "_differs_MobilePhone")
        or ("HomePhone" is not null and "_differs_HomePhone")
        or ("Fax" is not null and "_differs_Fax")
        or (coalesce("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry") is not null and ("_differs_MailingStreet" or "_differs_MailingCity" or "_differs_MailingState" or "_differs_MailingPostalCode" or "_differs_MailingCountry"))
        or (coalesce("OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry") is not null and ("_differs_OtherStreet" or "_differs_OtherCity" or "_differs_OtherState" or "_differs_OtherPostalCode" or "_differs_OtherCountry"))
        or ("OtherPhone" is not null and "_differs_OtherPhone")
        or ("HasOptedOutOfEmail" is not null and "_differs_HasOptedOutOfEmail")
        or ("Description" is not null and "_differs_Description")
)

select key, entry.field, entry.before, entry.after, entry.equal
from entries
