-- Which person each source record really is.
select
    source,
    case source
        when 'winmo' then 'W' || id
        when 'shop' then lower(trim(email)) || '|base'
        else id::varchar
    end as source_id,
    person
from appearance
