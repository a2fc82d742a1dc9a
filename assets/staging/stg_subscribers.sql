-- Newsletter subscribers, one row per landed row, from the shop's table (status as a number) or its
-- grid export (status as a label).
-- owner: team:crm
-- rows_of: raw_subscribers
-- source_id: the subscriber's number, else 'e-mail|website'
-- status: subscribed, not_activated, unsubscribed or unconfirmed, of a file without one what its other columns say; null when it is none of these
-- customer_id: the customer's number; null for a guest
-- is_customer: as the grid's type says, else whether there is a customer number
-- first_name: as given, else what the full name says
-- last_name: as given, else what the full name says; the whole name, where nobody knows its parts
-- name_left_out: what stood in a name's cells and is no part of the name
-- name_doubt: why that was left out, or why the name was not split
-- alias_ids: further ids that the row is known by, once another row turns out to have the same
-- consent: every cell that says something of consent, as it was read, the status among them; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as not materialized (

    select * from raw_subscribers

),

-- Names that do not stand there part by part, each read once.
read_names as materialized (

    select
        first_name,
        last_name,
        name,
        name_read(first_name, last_name, name) as parts
    from (
        select distinct
            nullif(clean(first_name), '----') as first_name,
            nullif(clean(last_name), '----') as last_name,
            clean(name) as name
        from raw
        where is_name_to_read(
            nullif(clean(first_name), '----'), nullif(clean(last_name), '----'), clean(name)
        )
    )

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(subscriber_id) as subscriber_id,
        norm_email(email) as email,
        clean(status) as status_text,
        -- Numbers other than those below are the shop's own and mean nothing that is known.
        case when not regexp_full_match(status, '\s*[0-9]*\s*') then consent_word(status) end as status_word,
        lower(clean(type)) as type,
        nullif(clean(customer_id), '0') as customer_id,
        -- The grid prints an absent name as dashes.
        nullif(clean(first_name), '----') as first_name,
        nullif(clean(last_name), '----') as last_name,
        clean(name) as name,
        clean(prefix) as prefix,
        clean(middle_name) as middle_name,
        clean(suffix) as suffix,
        clean(company) as company,
        clean(phone) as phone,
        clean(mobile_phone) as mobile_phone,
        nullif(concat_ws(chr(10), clean_lines(street), clean_lines(street2)), '') as street,
        clean(city) as city,
        clean(state) as state,
        clean(postal_code) as postal_code,
        clean(country) as country,
        clean(website) as website,
        clean(store) as store,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
        consent_cells(_consent, formats.day_first, formats.timezone, _loaded_at) as consent,
        _loaded_at,
        _source,
        _file,
        _row,
        _batch,
        _defect
    from raw
    left join formats on formats.source = raw._source

),

typed as (

    select
        cleaned.* replace (
            coalesce(cleaned.prefix, read_names.parts.prefix) as prefix,
            if(read_names.parts is null, cleaned.first_name, read_names.parts.first) as first_name,
            if(read_names.parts is null, cleaned.last_name, read_names.parts.last) as last_name,
            coalesce(cleaned.suffix, read_names.parts.suffix) as suffix
        ),
        read_names.parts.left_out as name_left_out,
        read_names.parts.why as name_doubt,
        shop_id(subscriber_id, email, website) as source_id,
        case
            when lower(status_text) in ('1', 'subscribed') then 'subscribed'
            when lower(status_text) in ('2', 'not activated') then 'not_activated'
            when lower(status_text) in ('3', 'unsubscribed') then 'unsubscribed'
            when lower(status_text) in ('4', 'unconfirmed') then 'unconfirmed'
            when status_text is null then consent_status(consent)
            else case says_in(status_word)
                when 'in' then 'subscribed'
                when 'out' then 'unsubscribed'
                when 'pending' then 'unconfirmed'
            end
        end as status,
        case type
            when 'customer' then true
            when 'guest' then false
            else customer_id is not null
        end as is_customer,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from cleaned
    left join read_names
        on read_names.first_name is not distinct from cleaned.first_name
        and read_names.last_name is not distinct from cleaned.last_name
        and read_names.name is not distinct from cleaned.name

),

placed as (

    select *, recency(updated_at, _loaded_at, _batch) as as_of from typed

)

select
    source,
    source_id,
    null::varchar[] as alias_ids,
    email,
    status,
    status_text,
    is_customer,
    customer_id,
    first_name,
    last_name,
    prefix,
    middle_name,
    suffix,
    name_left_out,
    name_doubt,
    company,
    phone,
    mobile_phone,
    street,
    city,
    state,
    postal_code,
    country,
    website,
    store,
    updated_at,
    updated_at_text,
    as_of,
    case
        when status_text is null then consent
        else list_append(
            consent,
            consent_of_status(status, status_text, case when updated_at = as_of then as_of end)
        )
    end as consent,
    _source,
    _file,
    _row,
    _batch,
    _defect
from placed
