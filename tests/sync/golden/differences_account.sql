with

desired as (select * from sf_account where _held is null),

matched as (select * from (select * from org_match_account) where sf_id is not null),

records as (select * from org_account),

compared as (
    select
        desired.key,
        desired."Phone",
        records."Phone" as "_was_Phone",
        (desired."Phone" is distinct from records."Phone" and normal_phone(desired."Phone") is distinct from normal_phone(records."Phone")) as "_differs_Phone",
        desired."Fax",
        records."Fax" as "_was_Fax",
        (desired."Fax" is distinct from records."Fax" and normal_phone(desired."Fax") is distinct from normal_phone(records."Fax")) as "_differs_Fax",
        desired."Website",
        records."Website" as "_was_Website",
        (desired."Website" is distinct from records."Website" and trimmed(desired."Website") is distinct from trimmed(records."Website")) as "_differs_Website",
        desired."BillingStreet",
        records."BillingStreet" as "_was_BillingStreet",
        (desired."BillingStreet" is distinct from records."BillingStreet" and trimmed(desired."BillingStreet") is distinct from trimmed(records."BillingStreet")) as "_differs_BillingStreet",
        desired."BillingCity",
        records."BillingCity" as "_was_BillingCity",
        (desired."BillingCity" is distinct from records."BillingCity" and trimmed(desired."BillingCity") is distinct from trimmed(records."BillingCity")) as "_differs_BillingCity",
        desired."BillingState",
        records."BillingState" as "_was_BillingState",
        (desired."BillingState" is distinct from records."BillingState" and trimmed(desired."BillingState") is distinct from trimmed(records."BillingState")) as "_differs_BillingState",
        desired."BillingPostalCode",
        records."BillingPostalCode" as "_was_BillingPostalCode",
        (desired."BillingPostalCode" is distinct from records."BillingPostalCode" and trimmed(desired."BillingPostalCode") is distinct from trimmed(records."BillingPostalCode")) as "_differs_BillingPostalCode",
        desired."BillingCountry",
        records."BillingCountry" as "_was_BillingCountry",
        (desired."BillingCountry" is distinct from records."BillingCountry" and trimmed(desired."BillingCountry") is distinct from trimmed(records."BillingCountry")) as "_differs_BillingCountry",
        desired."ShippingStreet",
        records."ShippingStreet" as "_was_ShippingStreet",
        (desired."ShippingStreet" is distinct from records."ShippingStreet" and trimmed(desired."ShippingStreet") is distinct from trimmed(records."ShippingStreet")) as "_differs_ShippingStreet",
        desired."ShippingCity",
        records."ShippingCity" as "_was_ShippingCity",
        (desired."ShippingCity" is distinct from records."ShippingCity" and trimmed(desired."ShippingCity") is distinct from trimmed(records."ShippingCity")) as "_differs_ShippingCity",
        desired."ShippingState",
        records."ShippingState" as "_was_ShippingState",
        (desired."ShippingState" is distinct from records."ShippingState" and trimmed(desired."ShippingState") is distinct from trimmed(records."ShippingState")) as "_differs_ShippingState",
        desired."ShippingPostalCode",
        records."ShippingPostalCode" as "_was_ShippingPostalCode",
        (desired."ShippingPostalCode" is distinct from records."ShippingPostalCode" and trimmed(desired."ShippingPostalCode") is distinct from trimmed(records."ShippingPostalCode")) as "_differs_ShippingPostalCode",
        desired."ShippingCountry",
        records."ShippingCountry" as "_was_ShippingCountry",
        (desired."ShippingCountry" is distinct from records."ShippingCountry" and trimmed(desired."ShippingCountry") is distinct from trimmed(records."ShippingCountry")) as "_differs_ShippingCountry"
    from desired
    join matched on matched.entity_key = desired.key
    join records on records."Id" = matched.sf_id
),

entries as (
    select
        key,
        unnest(list_filter([
            case
                when ("Phone" is not null and "_differs_Phone")
                then {'field': 'Phone', 'before': "_was_Phone", 'after': "Phone", 'equal': not "_differs_Phone"}
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
                when (coalesce("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry") is not null and ("_differs_BillingStreet" or "_differs_BillingCity" or "_differs_BillingState" or "_differs_BillingPostalCode" or "_differs_BillingCountry"))
                then {'field': 'BillingStreet', 'before': "_was_BillingStreet", 'after': "BillingStreet", 'equal': not "_differs_BillingStreet"}
            end,
            case
                when (coalesce("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry") is not null and ("_differs_BillingStreet" or "_differs_BillingCity" or "_differs_BillingState" or "_differs_BillingPostalCode" or "_differs_BillingCountry"))
                then {'field': 'BillingCity', 'before': "_was_BillingCity", 'after': "BillingCity", 'equal': not "_differs_BillingCity"}
            end,
            case
                when (coalesce("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry") is not null and ("_differs_BillingStreet" or "_differs_BillingCity" or "_differs_BillingState" or "_differs_BillingPostalCode" or "_differs_BillingCountry"))
                then {'field': 'BillingState', 'before': "_was_BillingState", 'after': "BillingState", 'equal': not "_differs_BillingState"}
            end,
            case
                when (coalesce("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry") is not null and ("_differs_BillingStreet" or "_differs_BillingCity" or "_differs_BillingState" or "_differs_BillingPostalCode" or "_differs_BillingCountry"))
                then {'field': 'BillingPostalCode', 'before': "_was_BillingPostalCode", 'after': "BillingPostalCode", 'equal': not "_differs_BillingPostalCode"}
            end,
            case
                when (coalesce("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry") is not null and ("_differs_BillingStreet" or "_differs_BillingCity" or "_differs_BillingState" or "_differs_BillingPostalCode" or "_differs_BillingCountry"))
                then {'field': 'BillingCountry', 'before': "_was_BillingCountry", 'after': "BillingCountry", 'equal': not "_differs_BillingCountry"}
            end,
            case
                when (coalesce("ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry") is not null and ("_differs_ShippingStreet" or "_differs_ShippingCity" or "_differs_ShippingState" or "_differs_ShippingPostalCode" or "_differs_ShippingCountry"))
                then {'field': 'ShippingStreet', 'before': "_was_ShippingStreet", 'after': "ShippingStreet", 'equal': not "_differs_ShippingStreet"}
            end,
            case
                when (coalesce("ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry") is not null and ("_differs_ShippingStreet" or "_differs_ShippingCity" or "_differs_ShippingState" or "_differs_ShippingPostalCode" or "_differs_ShippingCountry"))
                then {'field': 'ShippingCity', 'before': "_was_ShippingCity", 'after': "ShippingCity", 'equal': not "_differs_ShippingCity"}
            end,
            case
                when (coalesce("ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry") is not null and ("_differs_ShippingStreet" or "_differs_ShippingCity" or "_differs_ShippingState" or "_differs_ShippingPostalCode" or "_differs_ShippingCountry"))
                then {'field': 'ShippingState', 'before': "_was_ShippingState", 'after': "ShippingState", 'equal': not "_differs_ShippingState"}
            end,
            case
                when (coalesce("ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry") is not null and ("_differs_ShippingStreet" or "_differs_ShippingCity" or "_differs_ShippingState" or "_differs_ShippingPostalCode" or "_differs_ShippingCountry"))
                then {'field': 'ShippingPostalCode', 'before': "_was_ShippingPostalCode", 'after': "ShippingPostalCode", 'equal': not "_differs_ShippingPostalCode"}
            end,
            case
                when (coalesce("ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry") is not null and ("_differs_ShippingStreet" or "_differs_ShippingCity" or "_differs_ShippingState" or "_differs_ShippingPostalCode" or "_differs_ShippingCountry"))
                then {'field': 'ShippingCountry', 'before': "_was_ShippingCountry", 'after': "ShippingCountry", 'equal': not "_differs_ShippingCountry"}
            end
        ], lambda entry: entry is not null)) as entry
    from compared
    where
        ("Phone" is not null and "_differs_Phone")
        or ("Fax" is not null and "_differs_Fax")
        or ("Website" is not null and "_differs_Website")
        or (coalesce("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry") is not null and ("_differs_BillingStreet" or "_differs_BillingCity" or "_differs_BillingState" or "_differs_BillingPostalCode" or "_differs_BillingCountry"))
        or (coalesce("ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry") is not null and ("_differs_ShippingStreet" or "_differs_ShippingCity" or "_differs_ShippingState" or "_differs_ShippingPostalCode" or "_differs_ShippingCountry"))
)

select key, entry.field, entry.before, entry.after, entry.equal
from entries
