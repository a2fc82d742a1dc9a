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
        if(country_text is null, {home}, null) as home
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
