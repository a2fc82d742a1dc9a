-- Billing and shipping addresses of shop orders, one row per landed row.
-- owner: team:crm
-- rows_of: raw_order_addresses
-- source_id: the address's own number, else 'order|type'
-- order_source_id: the source_id of its order in stg_orders
-- address_type: billing or shipping; null when it is neither
-- as_of: the start of the batch's day; the shop keeps no update time for these
with

raw as (

    select * from raw_order_addresses

),

cleaned as (

    select
        _source as source,
        clean(address_id) as address_id,
        clean(order_id) as order_source_id,
        clean(address_type) as address_type_text,
        clean(first_name) as first_name,
        clean(last_name) as last_name,
        clean(company) as company,
        clean_lines(street) as street,
        clean(city) as city,
        clean(region) as region,
        clean(postal_code) as postal_code,
        clean(country) as country,
        clean(phone) as phone,
        norm_email(email) as email,
        _source,
        _file,
        _row,
        _batch,
        _defect
    from raw

),

typed as (

    select
        *,
        coalesce(address_id, order_source_id || '|' || lower(address_type_text)) as source_id,
        case
            when lower(address_type_text) in ('billing', 'shipping') then lower(address_type_text)
        end as address_type,
        cast(_batch as timestamp) as as_of
    from cleaned

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
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
