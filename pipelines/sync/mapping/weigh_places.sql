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
