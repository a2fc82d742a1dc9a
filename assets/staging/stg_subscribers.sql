-- Newsletter subscribers, one row per landed row, from the shop's table (status as a number) or its
-- grid export (status as a label).
-- owner: team:crm
-- rows_of: raw_subscribers
-- source_id: the subscriber's number, else 'e-mail|website'
-- status: subscribed, not_activated, unsubscribed or unconfirmed, of a file without one what its other columns say; null when it is none of these
-- customer_id: the customer's number; null for a guest
-- is_customer: as the grid's type says, else whether there is a customer number
-- alias_ids: further ids that the row is known by, once another row turns out to have the same
-- consent: every cell that says something of consent, as it was read, the status among them; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as (

    select
        *,
        email_cell('email', email) as email_cell,
        phone_cell('phone', phone) as phone_cell,
        phone_cell('mobile_phone', mobile_phone) as mobile_phone_cell
    from raw_subscribers

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(subscriber_id) as subscriber_id,
        cell_value(email_cell, lower(email)) as email,
        clean(status) as status_text,
        -- Numbers other than those below are the shop's own and mean nothing that is known.
        case when not regexp_full_match(status, '\s*[0-9]*\s*') then consent_word(status) end as status_word,
        lower(clean(type)) as type,
        nullif(clean(customer_id), '0') as customer_id,
        -- The grid prints an absent name as dashes.
        name_value(first_name) as first_name,
        name_value(last_name) as last_name,
        name_value(prefix) as prefix,
        name_value(middle_name) as middle_name,
        name_value(suffix) as suffix,
        company_value(company) as company,
        cell_value(phone_cell, phone) as phone,
        cell_value(mobile_phone_cell, mobile_phone) as mobile_phone,
        value_lines(street) as street,
        value_lines(street2) as street2,
        value(city) as city,
        place_value(state) as state,
        place_value(postal_code) as postal_code,
        place_value(country) as country,
        clean(website) as website,
        clean(store) as store,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
        email_cell,
        phone_cell,
        mobile_phone_cell,
        raw as landed,
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

compared as (

    select
        * replace (
            nullif(concat_ws(chr(10), street, street2), '') as street
        ),
        concat_ws(
            chr(10),
            left_out('subscriber_id', landed.subscriber_id, subscriber_id),
            partly('email', landed.email, email, email_cell),
            left_out('status', landed.status, status_text),
            left_out('type', landed.type, type),
            left_out('customer_id', nullif(trim(landed.customer_id), '0'), customer_id),
            altered('first_name', landed.first_name, first_name),
            altered('last_name', landed.last_name, last_name),
            left_out('prefix', landed.prefix, prefix),
            altered('middle_name', landed.middle_name, middle_name),
            left_out('suffix', landed.suffix, suffix),
            altered('company', landed.company, company),
            partly('phone', landed.phone, phone, phone_cell),
            partly('mobile_phone', landed.mobile_phone, mobile_phone, mobile_phone_cell),
            altered('street', landed.street, street),
            altered('street2', landed.street2, street2),
            altered('city', landed.city, city),
            left_out('state', landed.state, state),
            left_out('postal_code', landed.postal_code, postal_code),
            left_out('country', landed.country, country),
            left_out('website', landed.website, website),
            left_out('store', landed.store, store),
            left_out('updated_at', landed.updated_at, updated_at_text)
        ) as reasons
    from cleaned

),

typed as (

    select
        *,
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
    from compared

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
        when coalesce(email_cell, phone_cell, mobile_phone_cell) is null
            then landed._extra
        else with_further(
            landed._extra, to_json([email_cell, phone_cell, mobile_phone_cell])::varchar
        )::json
    end as _extra,
    blanked(reasons, landed) as _blanked,
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
