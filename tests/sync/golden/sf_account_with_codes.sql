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
        clean_lines(cast("billing_state" as varchar)) as "BillingStateCode",
        clean_lines(cast("billing_postal_code" as varchar)) as "BillingPostalCode",
        clean_lines(cast("billing_country" as varchar)) as "BillingCountryCode",
        clean_lines(cast("shipping_street" as varchar)) as "ShippingStreet",
        clean_lines(cast("shipping_city" as varchar)) as "ShippingCity",
        clean_lines(cast("shipping_state" as varchar)) as "ShippingStateCode",
        clean_lines(cast("shipping_postal_code" as varchar)) as "ShippingPostalCode",
        clean_lines(cast("shipping_country" as varchar)) as "ShippingCountryCode"
    from routed
),

spelled as (
    select distinct valued."BillingCountryCode" as country_text, valued."BillingStateCode" as state_text from valued
    union
    select distinct valued."ShippingCountryCode" as country_text, valued."ShippingStateCode" as state_text from valued
),

places as (
    -- What each country and state, as people wrote them, are in the org: `country` and `state` (codes),
    -- `no_country` (why the country has none), `no_state` (the text that has none).
    --
    -- A word in the column of countries is a country, unless the rest of the address says that it is
    -- a state: "GA" beside "Georgia", "GA" beside 30309. So `others` are the states of other countries
    -- that the word may mean, as far as the column of states leaves that open; a postcode decides
    -- between them and the country that is `named`, whose postcodes have the `form`.
    with words as (
        select
            country_text,
            state_text,
            place_words(country_text) as country_words,
            place_words(state_text) as state_words,
            -- A state without a country is one of the country that is meant when none is named.
            if(country_text is null, 'US', null) as home
        from spelled
    ),

    states_anywhere as (
        select
            spelling,
            list({
                'within': within, 'country': country, 'state': state,
                'postcode': postcode, 'begins': begins
            }) as states
        from org_place
        where within is not null and proper and spelling in (select country_words from words)
        group by spelling
    ),

    meanings as (
        select spelling, list(coalesce(within, '') || '/' || coalesce(state, country)) as meanings
        from org_place
        where country is not null and spelling in (select state_words from words)
        group by spelling
    ),

    found as (
        select
            words.country_text,
            words.state_text,
            countries.country as named,
            countries.postcode as form,
            states.country,
            states.state,
            -- Where the state is one of the country, whether listed or not, so is the country meant.
            case
                when states.spelling is null
                    then list_filter(
                        states_anywhere.states,
                        lambda place:
                            place.within is distinct from countries.country
                            and (place.country is not null or countries.country is null)
                    )
            end as others,
            meanings.meanings,
            words.country_words = words.state_words and countries.country is not null as twice
        from words
        left join org_place as countries
            on countries.within is null
            and countries.spelling = words.country_words
        left join org_place as states
            on states.within = coalesce(words.home, countries.country)
            and states.spelling = words.state_words
        left join states_anywhere on states_anywhere.spelling = words.country_words
        left join meanings on meanings.spelling = words.state_words
    ),

    -- Those of the others that the column of states names too, or whose country it names.
    agreeing as (
        select
            *,
            list_filter(
                others,
                lambda place:
                    place.country is not null
                    and (
                        list_contains(
                            meanings, place.within || '/' || coalesce(place.state, place.country)
                        )
                        or list_contains(meanings, '/' || place.within)
                    )
            ) as agreed
        from found
    ),

    decided as (
        select
            *,
            case
                when country is not null then {'country': country, 'state': state}
                when len(agreed) = 1 and not twice
                    then {'country': agreed[1].country, 'state': agreed[1].state}
                when len(agreed) > 0 then null
                when named is not null then {'country': named, 'state': null}
                when state_text is null and len(others) = 1
                    then {'country': others[1].country, 'state': others[1].state}
            end as place,
            country is not null or coalesce(len(agreed) = 1 and not twice, false) as is_read
        from agreeing
    )

    select
        country_text,
        state_text,
        named,
        form,
        case
            when is_read then null
            when len(agreed) > 0 then agreed
            when named is not null or state_text is null then others
        end as others,
        place.country,
        place.state,
        case when country_text is not null and place.country is null then no_country(country_text, named) end
            as no_country,
        case when not is_read then state_text end as no_state
    from decided
),

with_postcodes as (
    select distinct valued."BillingCountryCode" as country_text, valued."BillingStateCode" as state_text, valued."BillingPostalCode" as postcode from valued
    union
    select distinct valued."ShippingCountryCode" as country_text, valued."ShippingStateCode" as state_text, valued."ShippingPostalCode" as postcode from valued
),

weighed as (
    -- The same for each postcode that stands beside a word that may be a country or a state: the one
    -- place it fits is meant. One that fits none says nothing, and one that fits several leaves it open.
    with fitting as (
        select
            places.*,
            with_postcodes.postcode,
            list_filter(
                places.others,
                lambda place: is_postcode(with_postcodes.postcode, place.postcode, place.begins)
            ) as fits,
            is_postcode(with_postcodes.postcode, places.form, null) as fits_named
        from with_postcodes
        join places
            on places.country_text = with_postcodes.country_text
            and places.state_text is not distinct from with_postcodes.state_text
        where len(places.others) > 0 and with_postcodes.postcode is not null
    ),

    decided as (
        select
            *,
            case
                when len(fits) = 0 and fits_named then {'country': named, 'state': null}
                when len(fits) = 0 then {'country': country, 'state': state}
                when len(fits) = 1 and not fits_named
                    then {'country': fits[1].country, 'state': fits[1].state}
            end as place
        from fitting
    )

    select
        country_text,
        state_text,
        postcode,
        place.country,
        place.state,
        case when place.country is null then no_country(country_text, named) end as no_country,
        if(place_words(state_text) = place_words(country_text) and place.state is not null, null, state_text)
            as no_state
    from decided
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
        if("Billing_weighed".country_text is null, "Billing_place".state, "Billing_weighed".state) as "BillingStateCode",
        "BillingPostalCode",
        if("Billing_weighed".country_text is null, "Billing_place".country, "Billing_weighed".country) as "BillingCountryCode",
        "ShippingStreet",
        "ShippingCity",
        if("Shipping_weighed".country_text is null, "Shipping_place".state, "Shipping_weighed".state) as "ShippingStateCode",
        "ShippingPostalCode",
        if("Shipping_weighed".country_text is null, "Shipping_place".country, "Shipping_weighed".country) as "ShippingCountryCode",
        if("Billing_weighed".country_text is null, "Billing_place".no_country, "Billing_weighed".no_country) as "Billing_no_country",
        if("Billing_weighed".country_text is null, "Billing_place".no_state, "Billing_weighed".no_state) as "Billing_no_state",
        if("Shipping_weighed".country_text is null, "Shipping_place".no_country, "Shipping_weighed".no_country) as "Shipping_no_country",
        if("Shipping_weighed".country_text is null, "Shipping_place".no_state, "Shipping_weighed".no_state) as "Shipping_no_state"
    from valued
    left join places as "Billing_place"
        on "Billing_place".country_text is not distinct from valued."BillingCountryCode"
        and "Billing_place".state_text is not distinct from valued."BillingStateCode"
    left join weighed as "Billing_weighed"
        on "Billing_weighed".country_text = valued."BillingCountryCode"
        and "Billing_weighed".state_text is not distinct from valued."BillingStateCode"
        and "Billing_weighed".postcode = valued."BillingPostalCode"
    left join places as "Shipping_place"
        on "Shipping_place".country_text is not distinct from valued."ShippingCountryCode"
        and "Shipping_place".state_text is not distinct from valued."ShippingStateCode"
    left join weighed as "Shipping_weighed"
        on "Shipping_weighed".country_text = valued."ShippingCountryCode"
        and "Shipping_weighed".state_text is not distinct from valued."ShippingStateCode"
        and "Shipping_weighed".postcode = valued."ShippingPostalCode"
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
    null::varchar as _held_new,
    nullif(
        concat_ws(
            '; ',
            'BillingCountryCode: ' || "Billing_no_country",
            'BillingStateCode: the org lists no state ' || "Billing_no_state",
            'ShippingCountryCode: ' || "Shipping_no_country",
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
    end as _cut,
    wired._excluded
from wired
