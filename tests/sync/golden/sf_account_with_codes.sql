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
        "billing_state" as "BillingStateCode",
        "billing_postal_code" as "BillingPostalCode",
        "billing_country" as "BillingCountryCode",
        "shipping_street" as "ShippingStreet",
        "shipping_city" as "ShippingCity",
        "shipping_state" as "ShippingStateCode",
        "shipping_postal_code" as "ShippingPostalCode",
        "shipping_country" as "ShippingCountryCode"
    from routed
),

spelled as (
    select distinct clean_lines(valued."BillingCountryCode"::varchar) as country_text, clean_lines(valued."BillingStateCode"::varchar) as state_text from valued
    union
    select distinct clean_lines(valued."ShippingCountryCode"::varchar) as country_text, clean_lines(valued."ShippingStateCode"::varchar) as state_text from valued
),

places as (
    select
        spelled.country_text,
        spelled.state_text,
        coalesce(states.country, countries.country) as country,
        states.state,
        case when countries.country is null then spelled.country_text end as no_country,
        case when states.country is null then spelled.state_text end as no_state
    from spelled
    left join org_place as countries
        on countries.within is null
        and countries.spelling = norm_text(spelled.country_text)
    -- A state without a country is one of the country that is meant when none is named.
    left join org_place as states
        on states.within = case
            when spelled.country_text is null then 'US' else countries.country
        end
        and states.spelling = norm_text(spelled.state_text)
),

wired as (
    select
        key,
        clean_lines("Name"::varchar) as "Name",
        clean_lines("Phone"::varchar) as "Phone",
        clean_lines("Fax"::varchar) as "Fax",
        clean_lines("Website"::varchar) as "Website",
        clean_lines("BillingStreet"::varchar) as "BillingStreet",
        clean_lines("BillingCity"::varchar) as "BillingCity",
        "Billing_place".state as "BillingStateCode",
        clean_lines("BillingPostalCode"::varchar) as "BillingPostalCode",
        "Billing_place".country as "BillingCountryCode",
        clean_lines("ShippingStreet"::varchar) as "ShippingStreet",
        clean_lines("ShippingCity"::varchar) as "ShippingCity",
        "Shipping_place".state as "ShippingStateCode",
        clean_lines("ShippingPostalCode"::varchar) as "ShippingPostalCode",
        "Shipping_place".country as "ShippingCountryCode",
        "Billing_place".no_country as "Billing_no_country",
        "Billing_place".no_state as "Billing_no_state",
        "Shipping_place".no_country as "Shipping_no_country",
        "Shipping_place".no_state as "Shipping_no_state"
    from valued
    left join places as "Billing_place"
        on "Billing_place".country_text is not distinct from clean_lines(valued."BillingCountryCode"::varchar)
        and "Billing_place".state_text is not distinct from clean_lines(valued."BillingStateCode"::varchar)
    left join places as "Shipping_place"
        on "Shipping_place".country_text is not distinct from clean_lines(valued."ShippingCountryCode"::varchar)
        and "Shipping_place".state_text is not distinct from clean_lines(valued."ShippingStateCode"::varchar)
)

select
    wired.key,
    clean_lines(left(wired."Name", 255)) as "Name",
    wired."Phone",
    wired."Fax",
    wired."Website",
    clean_lines(left(wired."BillingStreet", 255)) as "BillingStreet",
    clean_lines(left(wired."BillingCity", 40)) as "BillingCity",
    wired."BillingStateCode",
    wired."BillingPostalCode",
    wired."BillingCountryCode",
    clean_lines(left(wired."ShippingStreet", 255)) as "ShippingStreet",
    clean_lines(left(wired."ShippingCity", 40)) as "ShippingCity",
    wired."ShippingStateCode",
    wired."ShippingPostalCode",
    wired."ShippingCountryCode",
    nullif(
        concat_ws(
            '; ',
            case when length(wired."Phone") > 40 then 'Phone has ' || length(wired."Phone") || ' characters, 40 fit' end,
            case when length(wired."Fax") > 40 then 'Fax has ' || length(wired."Fax") || ' characters, 40 fit' end,
            case when length(wired."Website") > 255 then 'Website has ' || length(wired."Website") || ' characters, 255 fit' end,
            case when length(wired."BillingPostalCode") > 20 then 'BillingPostalCode has ' || length(wired."BillingPostalCode") || ' characters, 20 fit' end,
            case when length(wired."ShippingPostalCode") > 20 then 'ShippingPostalCode has ' || length(wired."ShippingPostalCode") || ' characters, 20 fit' end
        ),
        ''
    ) as _held,
    nullif(
        concat_ws(
            '; ',
            'BillingCountryCode: the org lists no country ' || "Billing_no_country",
            'BillingStateCode: the org lists no state ' || "Billing_no_state",
            'ShippingCountryCode: the org lists no country ' || "Shipping_no_country",
            'ShippingStateCode: the org lists no state ' || "Shipping_no_state"
        ),
        ''
    ) as _left_out,
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
    end as _cut
from wired
