-- Addresses of shop customers, one row per landed row. A blank billing or shipping mark means no.
-- owner: team:crm
-- rows_of: raw_customer_addresses
-- source_id: the address's own number, else a hash of its customer and content
-- customer_source_id: the source_id of its customer in stg_customers
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as (

    select
        *,
        email_cell('customer_email', customer_email) as customer_email_cell,
        phone_cell('phone', phone) as phone_cell,
        phone_cell('fax', fax) as fax_cell
    from raw_customer_addresses

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(address_id) as address_id,
        clean(customer_id) as customer_id,
        cell_value(customer_email_cell, lower(customer_email)) as customer_email,
        clean(website) as website,
        shop_id(
            clean(customer_id),
            cell_value(customer_email_cell, lower(customer_email)),
            clean(website)
        ) as customer_source_id,
        name_value(prefix) as prefix,
        name_value(first_name) as first_name,
        name_value(middle_name) as middle_name,
        name_value(last_name) as last_name,
        name_value(suffix) as suffix,
        company_value(company) as company,
        value_lines(street) as street,
        value_lines(street2) as street2,
        value(city) as city,
        place_value(region) as region,
        place_value(postal_code) as postal_code,
        place_value(country) as country,
        cell_value(phone_cell, phone) as phone,
        cell_value(fax_cell, fax) as fax,
        clean(is_default_billing) as is_default_billing_text,
        clean(is_default_shipping) as is_default_shipping_text,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
        customer_email_cell,
        phone_cell,
        fax_cell,
        raw as landed,
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
            left_out('address_id', landed.address_id, address_id),
            left_out('customer_id', landed.customer_id, customer_id),
            partly('customer_email', landed.customer_email, customer_email, customer_email_cell),
            left_out('website', landed.website, website),
            left_out('prefix', landed.prefix, prefix),
            altered('first_name', landed.first_name, first_name),
            altered('middle_name', landed.middle_name, middle_name),
            altered('last_name', landed.last_name, last_name),
            left_out('suffix', landed.suffix, suffix),
            altered('company', landed.company, company),
            altered('street', landed.street, street),
            altered('street2', landed.street2, street2),
            altered('city', landed.city, city),
            left_out('region', landed.region, region),
            left_out('postal_code', landed.postal_code, postal_code),
            left_out('country', landed.country, country),
            partly('phone', landed.phone, phone, phone_cell),
            partly('fax', landed.fax, fax, fax_cell),
            left_out('is_default_billing', landed.is_default_billing, is_default_billing_text),
            left_out('is_default_shipping', landed.is_default_shipping, is_default_shipping_text),
            left_out('updated_at', landed.updated_at, updated_at_text)
        ) as reasons
    from cleaned

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
    from compared

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
    case
        when coalesce(customer_email_cell, phone_cell, fax_cell) is null
            then landed._extra
        else with_further(
            landed._extra, to_json([customer_email_cell, phone_cell, fax_cell])::varchar
        )::json
    end as _extra,
    blanked(reasons, landed) as _blanked,
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
