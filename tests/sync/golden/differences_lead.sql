with

desired as (select * from sf_lead where _held is null or "HasOptedOutOfEmail" = 'true' or "DoNotCall" = 'true'),

matched as (select * from (select * from org_match_lead) where sf_id is not null),

records as (select * from org_lead),

compared as (
    select
        desired.key,
        desired."Salutation",
        records."Salutation" as "_was_Salutation",
        (desired."Salutation" is distinct from records."Salutation" and normal_word(desired."Salutation") is distinct from normal_word(records."Salutation")) as "_differs_Salutation",
        desired."FirstName",
        records."FirstName" as "_was_FirstName",
        (desired."FirstName" is distinct from records."FirstName" and trimmed(desired."FirstName") is distinct from trimmed(records."FirstName")) as "_differs_FirstName",
        desired."LastName",
        records."LastName" as "_was_LastName",
        (desired."LastName" is distinct from records."LastName" and trimmed(desired."LastName") is distinct from trimmed(records."LastName")) as "_differs_LastName",
        desired."Company",
        records."Company" as "_was_Company",
        (desired."Company" is distinct from records."Company" and trimmed(desired."Company") is distinct from trimmed(records."Company")) as "_differs_Company",
        desired."Title",
        records."Title" as "_was_Title",
        (desired."Title" is distinct from records."Title" and trimmed(desired."Title") is distinct from trimmed(records."Title")) as "_differs_Title",
        desired."Email",
        records."Email" as "_was_Email",
        (desired."Email" is distinct from records."Email" and normal_word(desired."Email") is distinct from normal_word(records."Email")) as "_differs_Email",
        desired."Phone",
        records."Phone" as "_was_Phone",
        (desired."Phone" is distinct from records."Phone" and normal_phone(desired."Phone") is distinct from normal_phone(records."Phone")) as "_differs_Phone",
        desired."MobilePhone",
        records."MobilePhone" as "_was_MobilePhone",
        (desired."MobilePhone" is distinct from records."MobilePhone" and normal_phone(desired."MobilePhone") is distinct from normal_phone(records."MobilePhone")) as "_differs_MobilePhone",
        desired."Fax",
        records."Fax" as "_was_Fax",
        (desired."Fax" is distinct from records."Fax" and normal_phone(desired."Fax") is distinct from normal_phone(records."Fax")) as "_differs_Fax",
        desired."Website",
        records."Website" as "_was_Website",
        (desired."Website" is distinct from records."Website" and trimmed(desired."Website") is distinct from trimmed(records."Website")) as "_differs_Website",
        desired."Street",
        records."Street" as "_was_Street",
        (desired."Street" is distinct from records."Street" and trimmed(desired."Street") is distinct from trimmed(records."Street")) as "_differs_Street",
        desired."City",
        records."City" as "_was_City",
        (desired."City" is distinct from records."City" and trimmed(desired."City") is distinct from trimmed(records."City")) as "_differs_City",
        desired."State",
        records."State" as "_was_State",
        (desired."State" is distinct from records."State" and trimmed(desired."State") is distinct from trimmed(records."State")) as "_differs_State",
        desired."PostalCode",
        records."PostalCode" as "_was_PostalCode",
        (desired."PostalCode" is distinct from records."PostalCode" and trimmed(desired."PostalCode") is distinct from trimmed(records."PostalCode")) as "_differs_PostalCode",
        desired."Country",
        records."Country" as "_was_Country",
        (desired."Country" is distinct from records."Country" and trimmed(desired."Country") is distinct from trimmed(records."Country")) as "_differs_Country",
        desired."HasOptedOutOfEmail",
        records."HasOptedOutOfEmail" as "_was_HasOptedOutOfEmail",
        (desired."HasOptedOutOfEmail" is distinct from records."HasOptedOutOfEmail" and normal_word(desired."HasOptedOutOfEmail") is distinct from normal_word(records."HasOptedOutOfEmail")) as "_differs_HasOptedOutOfEmail",
        desired."DoNotCall",
        records."DoNotCall" as "_was_DoNotCall",
        (desired."DoNotCall" is distinct from records."DoNotCall" and normal_word(desired."DoNotCall") is distinct from normal_word(records."DoNotCall")) as "_differs_DoNotCall",
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
                when ("Company" is not null and "_differs_Company")
                then {'field': 'Company', 'before': "_was_Company", 'after': "Company", 'equal': not "_differs_Company"}
            end,
            case
                when ("Title" is not null and "_differs_Title")
                then {'field': 'Title', 'before': "_was_Title", 'after': "Title", 'equal': not "_differs_Title"}
            end,
            case
                when ("Email" is not null and "_differs_Email")
                then {'field': 'Email', 'before': "_was_Email", 'after': "Email", 'equal': not "_differs_Email"}
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
                when ("Fax" is not null and "_differs_Fax")
                then {'field': 'Fax', 'before': "_was_Fax", 'after': "Fax", 'equal': not "_differs_Fax"}
            end,
            case
                when ("Website" is not null and "_differs_Website")
                then {'field': 'Website', 'before': "_was_Website", 'after': "Website", 'equal': not "_differs_Website"}
            end,
            case
                when (coalesce("Street", "City", "State", "PostalCode", "Country") is not null and ("_differs_Street" or "_differs_City" or "_differs_State" or "_differs_PostalCode" or "_differs_Country"))
                then {'field': 'Street', 'before': "_was_Street", 'after': "Street", 'equal': not "_differs_Street"}
            end,
            case
                when (coalesce("Street", "City", "State", "PostalCode", "Country") is not null and ("_differs_Street" or "_differs_City" or "_differs_State" or "_differs_PostalCode" or "_differs_Country"))
                then {'field': 'City', 'before': "_was_City", 'after': "City", 'equal': not "_differs_City"}
            end,
            case
                when (coalesce("Street", "City", "State", "PostalCode", "Country") is not null and ("_differs_Street" or "_differs_City" or "_differs_State" or "_differs_PostalCode" or "_differs_Country"))
                then {'field': 'State', 'before': "_was_State", 'after': "State", 'equal': not "_differs_State"}
            end,
            case
                when (coalesce("Street", "City", "State", "PostalCode", "Country") is not null and ("_differs_Street" or "_differs_City" or "_differs_State" or "_differs_PostalCode" or "_differs_Country"))
                then {'field': 'PostalCode', 'before': "_was_PostalCode", 'after': "PostalCode", 'equal': not "_differs_PostalCode"}
            end,
            case
                when (coalesce("Street", "City", "State", "PostalCode", "Country") is not null and ("_differs_Street" or "_differs_City" or "_differs_State" or "_differs_PostalCode" or "_differs_Country"))
                then {'field': 'Country', 'before': "_was_Country", 'after': "Country", 'equal': not "_differs_Country"}
            end,
            case
                when ("HasOptedOutOfEmail" is not null and "_differs_HasOptedOutOfEmail")
                then {'field': 'HasOptedOutOfEmail', 'before': "_was_HasOptedOutOfEmail", 'after': "HasOptedOutOfEmail", 'equal': not "_differs_HasOptedOutOfEmail"}
            end,
            case
                when ("DoNotCall" is not null and "_differs_DoNotCall")
                then {'field': 'DoNotCall', 'before': "_was_DoNotCall", 'after': "DoNotCall", 'equal': not "_differs_DoNotCall"}
            end,
            case
                when ("Description" is not null and "_differs_Description")
                then {'field': 'Description', 'before': "_was_Description", 'after': "Description", 'equal': not "_differs_Description"}
            end
        ], lambda entry: entry is not null)) as entry
    from compared
    where
        ("Salutation" is not null and "_differs_Salutation")
        or ("FirstName" is not null and "_differs_FirstName")
        or ("LastName" is not null and "_differs_LastName")
        or ("Company" is not null and "_differs_Company")
        or ("Title" is not null and "_differs_Title")
        or ("Email" is not null and "_differs_Email")
        or ("Phone" is not null and "_differs_Phone")
        or ("MobilePhone" is not null and "_differs_MobilePhone")
        or ("Fax" is not null and "_differs_Fax")
        or ("Website" is not null and "_differs_Website")
        or (coalesce("Street", "City", "State", "PostalCode", "Country") is not null and ("_differs_Street" or "_differs_City" or "_differs_State" or "_differs_PostalCode" or "_differs_Country"))
        or ("HasOptedOutOfEmail" is not null and "_differs_HasOptedOutOfEmail")
        or ("DoNotCall" is not null and "_differs_DoNotCall")
        or ("Description" is not null and "_differs_Description")
)

select key, entry.field, entry.before, entry.after, entry.equal
from entries
