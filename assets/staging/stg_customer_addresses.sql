-- Addresses of shop customers, one row per landed row. A blank billing or shipping mark means no.
-- owner: team:crm
-- rows_of: raw_customer_addresses
-- source_id: the address's own number, else a hash of its customer and content
-- customer_source_id: the source_id of its customer in stg_customers
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as (

    select * from raw_customer_addresses

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(address_id) as address_id,
        shop_id(clean(customer_id), norm_email(customer_email), clean(website))
            as customer_source_id,
        clean(prefix) as prefix,
        clean(first_name) as first_name,
        clean(middle_name) as middle_name,
        clean(last_name) as last_name,
        clean(suffix) as suffix,
        clean(company) as company,
        nullif(concat_ws(chr(10), clean_lines(street), clean_lines(street2)), '') as street,
        clean(city) as city,
        clean(region) as region,
        clean(postal_code) as postal_code,
        clean(country) as country,
        clean(phone) as phone,
        clean(fax) as fax,
        clean(is_default_billing) as is_default_billing_text,
        clean(is_default_shipping) as is_default_shipping_text,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
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
        *,
        coalesce(
            address_id,
            row_hash(
                [
                    customer_source_id,
                    first_name,
                    last_name,
                    company,
                    street,
                    city,
                    region,
                    postal_code,
                    country,
                    phone
                ]
            )
        ) as source_id,
        parse_boolean(coalesce(is_default_billing_text, 'no')) as is_default_billing,
        parse_boolean(coalesce(is_default_shipping_text, 'no')) as is_default_shipping,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from cleaned

)

select
    source,
    source_id,
    customer_source_id,
    prefix,
    first_name,
    middle_name,
    last_name,
    suffix,
    company,
    street,
    city,
    region,
    postal_code,
    country,
    phone,
    fax,
    is_default_billing,
    is_default_billing_text,
    is_default_shipping,
    is_default_shipping_text,
    updated_at,
    updated_at_text,
    recency(updated_at, _loaded_at, _batch) as as_of,
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
