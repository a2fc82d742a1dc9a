with

entities as (
    select
        accounts."account_key",
        accounts."name",
        accounts."phone",
        accounts."fax",
        accounts."website",
        accounts."billing_street",
        accounts."billing_city",
        accounts."billing_state",
        accounts."billing_postal_code",
        accounts."billing_country",
        accounts."shipping_street",
        accounts."shipping_city",
        accounts."shipping_state",
        accounts."shipping_postal_code",
        accounts."shipping_country",
        routes.sobject as route
    from accounts
    join routes on routes.entity_key = accounts.account_key
),

routed as (
    select *
    from entities
    where route = 'Account'
),

valued as (
    select
        routed.account_key as key,
        "name" as "Name",
        "phone" as "Phone",
        "fax" as "Fax",
        "website" as "Website",
        "billing_street" as "BillingStreet",
        "billing_city" as "BillingCity",
        "billing_state" as "BillingState",
        "billing_postal_code" as "BillingPostalCode",
        "billing_country" as "BillingCountry",
        "shipping_street" as "ShippingStreet",
        "shipping_city" as "ShippingCity",
        "shipping_state" as "ShippingState",
        "shipping_postal_code" as "ShippingPostalCode",
        "shipping_country" as "ShippingCountry"
    from routed
),

wired as (
    select
        key,
        nullif(trim(replace("Name"::varchar, chr(13), ''), e' \t\n'), '') as "Name",
        nullif(trim(replace("Phone"::varchar, chr(13), ''), e' \t\n'), '') as "Phone",
        nullif(trim(replace("Fax"::varchar, chr(13), ''), e' \t\n'), '') as "Fax",
        nullif(trim(replace("Website"::varchar, chr(13), ''), e' \t\n'), '') as "Website",
        nullif(trim(replace("BillingStreet"::varchar, chr(13), ''), e' \t\n'), '') as "BillingStreet",
        nullif(trim(replace("BillingCity"::varchar, chr(13), ''), e' \t\n'), '') as "BillingCity",
        nullif(trim(replace("BillingState"::varchar, chr(13), ''), e' \t\n'), '') as "BillingState",
        nullif(trim(replace("BillingPostalCode"::varchar, chr(13), ''), e' \t\n'), '') as "BillingPostalCode",
        nullif(trim(replace("BillingCountry"::varchar, chr(13), ''), e' \t\n'), '') as "BillingCountry",
        nullif(trim(replace("ShippingStreet"::varchar, chr(13), ''), e' \t\n'), '') as "ShippingStreet",
        nullif(trim(replace("ShippingCity"::varchar, chr(13), ''), e' \t\n'), '') as "ShippingCity",
        nullif(trim(replace("ShippingState"::varchar, chr(13), ''), e' \t\n'), '') as "ShippingState",
        nullif(trim(replace("ShippingPostalCode"::varchar, chr(13), ''), e' \t\n'), '') as "ShippingPostalCode",
        nullif(trim(replace("ShippingCountry"::varchar, chr(13), ''), e' \t\n'), '') as "ShippingCountry"
    from valued
)

select
    wired.key,
    rtrim(left(wired."Name", 255), e' \t\n') as "Name",
    wired."Phone",
    wired."Fax",
    wired."Website",
    rtrim(left(wired."BillingStreet", 255), e' \t\n') as "BillingStreet",
    rtrim(left(wired."BillingCity", 40), e' \t\n') as "BillingCity",
    wired."BillingState",
    wired."BillingPostalCode",
    wired."BillingCountry",
    rtrim(left(wired."ShippingStreet", 255), e' \t\n') as "ShippingStreet",
    rtrim(left(wired."ShippingCity", 40), e' \t\n') as "ShippingCity",
    wired."ShippingState",
    wired."ShippingPostalCode",
    wired."ShippingCountry",
    nullif(
        concat_ws(
            '; ',
            case when length(wired."Phone") > 40 then 'Phone has ' || length(wired."Phone") || ' characters, 40 fit' end,
            case when length(wired."Fax") > 40 then 'Fax has ' || length(wired."Fax") || ' characters, 40 fit' end,
            case when length(wired."Website") > 255 then 'Website has ' || length(wired."Website") || ' characters, 255 fit' end,
            case when length(wired."BillingState") > 80 then 'BillingState has ' || length(wired."BillingState") || ' characters, 80 fit' end,
            case when length(wired."BillingPostalCode") > 20 then 'BillingPostalCode has ' || length(wired."BillingPostalCode") || ' characters, 20 fit' end,
            case when length(wired."BillingCountry") > 80 then 'BillingCountry has ' || length(wired."BillingCountry") || ' characters, 80 fit' end,
            case when length(wired."ShippingState") > 80 then 'ShippingState has ' || length(wired."ShippingState") || ' characters, 80 fit' end,
            case when length(wired."ShippingPostalCode") > 20 then 'ShippingPostalCode has ' || length(wired."ShippingPostalCode") || ' characters, 20 fit' end,
            case when length(wired."ShippingCountry") > 80 then 'ShippingCountry has ' || length(wired."ShippingCountry") || ' characters, 80 fit' end
        ),
        ''
    ) as _held
from wired
