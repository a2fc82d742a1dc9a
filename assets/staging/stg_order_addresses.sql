-- Billing and shipping addresses of shop orders, one row per landed row.
-- owner: team:crm
-- rows_of: raw_order_addresses
-- source_id: the address's own number, else 'order|type'
-- order_source_id: the source_id of its order in stg_orders
-- address_type: billing or shipping; null when it is neither
-- as_of: the start of the batch's day; the shop keeps no update time for these
with

raw as (

    select
        *,
        email_cell('email', email) as email_cell,
        phone_cell('phone', phone) as phone_cell
    from raw_order_addresses

),

cleaned as (

    select
        _source as source,
        clean(address_id) as address_id,
        clean(order_id) as order_source_id,
        clean(address_type) as address_type_text,
        name_value(first_name) as first_name,
        name_value(last_name) as last_name,
        company_value(company) as company,
        value_lines(street) as street,
        value(city) as city,
        place_value(region) as region,
        place_value(postal_code) as postal_code,
        place_value(country) as country,
        cell_value(phone_cell, phone) as phone,
        cell_value(email_cell, lower(email)) as email,
        email_cell,
        phone_cell,
        raw as landed,
        _source,
        _file,
        _row,
        _batch,
        _defect
    from raw

),

compared as (

    select
        *,
        concat_ws(
            chr(10),
            left_out('address_id', landed.address_id, address_id),
            left_out('order_id', landed.order_id, order_source_id),
            left_out('address_type', landed.address_type, address_type_text),
            altered('first_name', landed.first_name, first_name),
            altered('last_name', landed.last_name, last_name),
            altered('company', landed.company, company),
            altered('street', landed.street, street),
            altered('city', landed.city, city),
            left_out('region', landed.region, region),
            left_out('postal_code', landed.postal_code, postal_code),
            left_out('country', landed.country, country),
            partly('phone', landed.phone, phone, phone_cell),
            partly('email', landed.email, email, email_cell)
        ) as reasons
    from cleaned

),

typed as (

    select
        *,
        coalesce(address_id, order_source_id || '|' || lower(address_type_text)) as source_id,
        case
            when lower(address_type_text) in ('billing', 'shipping') then lower(address_type_text)
        end as address_type,
        cast(_batch as timestamp) as as_of
    from compared

)

select
    source,
    source_id,
    order_source_id,
    address_type,
    address_type_text,
    first_name,
    last_name,
    company,
    street,
    city,
    region,
    postal_code,
    country,
    phone,
    email,
    as_of,
    case
        when coalesce(phone_cell, email_cell) is null
            then landed._extra
        else with_further(
            landed._extra, to_json([phone_cell, email_cell])::varchar
        )::json
    end as _extra,
    blanked(reasons, landed) as _blanked,
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
