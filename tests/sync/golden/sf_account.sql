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
        routes.sobject as route,
        routes.excluded as _excluded
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
        routed._excluded,
        clean_lines(cast("name" as varchar)) as "Name",
        clean_lines(cast("phone" as varchar)) as "Phone",
        clean_lines(cast("fax" as varchar)) as "Fax",
        clean_lines(cast("website" as varchar)) as "Website",
        clean_lines(cast("billing_street" as varchar)) as "BillingStreet",
        clean_lines(cast("billing_city" as varchar)) as "BillingCity",
        clean_lines(cast("billing_state" as varchar)) as "BillingState",
        clean_lines(cast("billing_postal_code" as varchar)) as "BillingPostalCode",
        clean_lines(cast("billing_country" as varchar)) as "BillingCountry",
        clean_lines(cast("shipping_street" as varchar)) as "ShippingStreet",
        clean_lines(cast("shipping_city" as varchar)) as "ShippingCity",
        clean_lines(cast("shipping_state" as varchar)) as "ShippingState",
        clean_lines(cast("shipping_postal_code" as varchar)) as "ShippingPostalCode",
        clean_lines(cast("shipping_country" as varchar)) as "ShippingCountry"
    from routed
),

wired as (
    select
        key,
        _excluded,
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
    from valued
)

select
    wired.key,
    clean_lines(left(wired."Name", 255)) as "Name",
    wired."Phone",
    wired."Fax",
    wired."Website",
    clean_lines(left(wired."BillingStreet", 255)) as "BillingStreet",
    clean_lines(left(wired."BillingCity", 40)) as "BillingCity",
    wired."BillingState",
    wired."BillingPostalCode",
    wired."BillingCountry",
    clean_lines(left(wired."ShippingStreet", 255)) as "ShippingStreet",
    clean_lines(left(wired."ShippingCity", 40)) as "ShippingCity",
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
    ) as _held,
    null::varchar as _held_new,
    null::varchar as _left_out,
    case
        when
            strlen(wired."Name") > 255
            or strlen(wired."BillingStreet") > 255
            or strlen(wired."BillingCity") > 40
            or strlen(wired."ShippingStreet") > 255
            or strlen(wired."ShippingCity") > 40
        then list_filter([
            cut_text('Name', wired."Name", 255),
            cut_text('BillingStreet', wired."BillingStreet", 255),
            cut_text('BillingCity', wired."BillingCity", 40),
            cut_text('ShippingStreet', wired."ShippingStreet", 255),
            cut_text('ShippingCity', wired."ShippingCity", 40)
        ], lambda cut: cut is not null)
    end as _cut,
    wired._excluded
from wired
