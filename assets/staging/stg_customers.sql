-- Shop customers, one row per landed row. Without a number of its own a customer is an e-mail
-- address at a website, which is unique in Magento.
-- owner: team:crm
-- rows_of: raw_customers
-- source_id: the customer's number, else 'e-mail|website'
-- first_name: as given, else what the full name says
-- last_name: as given, else what the full name says; the whole name, where nobody knows its parts
-- name_left_out: what stood in a name's cells and is no part of the name
-- name_doubt: why that was left out, or why the name was not split
-- group_id: the customer group, as the shop numbers or names it
-- alias_ids: further ids that the row is known by, once another row turns out to have the same
-- consent: every cell that says something of consent, as it was read; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as not materialized (

    select * from raw_customers

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
            clean(first_name) as first_name,
            clean(last_name) as last_name,
            clean(name) as name
        from raw
        where is_name_to_read(clean(first_name), clean(last_name), clean(name))
    )

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(customer_id) as customer_id,
        norm_email(email) as email,
        clean(website) as website,
        clean(store) as store,
        clean(prefix) as prefix,
        clean(first_name) as first_name,
        clean(middle_name) as middle_name,
        clean(last_name) as last_name,
        clean(suffix) as suffix,
        clean(name) as name,
        clean(company) as company,
        clean(phone) as phone,
        clean(mobile_phone) as mobile_phone,
        clean(fax) as fax,
        nullif(concat_ws(chr(10), clean_lines(other_street), clean_lines(other_street2)), '')
            as other_street,
        clean(other_city) as other_city,
        clean(other_region) as other_region,
        clean(other_postal_code) as other_postal_code,
        clean(other_country) as other_country,
        date_text(birthdate) as birthdate_text,
        clean(gender) as gender,
        clean(group_id) as group_id,
        clean(tax_number) as tax_number,
        date_text(created_at) as created_at_text,
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
        shop_id(customer_id, email, website) as source_id,
        parse_date(birthdate_text, day_first) as birthdate,
        parse_timestamp(created_at_text, day_first, timezone) as created_at,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from cleaned
    left join read_names
        on read_names.first_name is not distinct from cleaned.first_name
        and read_names.last_name is not distinct from cleaned.last_name
        and read_names.name is not distinct from cleaned.name

)

select
    source,
    source_id,
    null::varchar[] as alias_ids,
    customer_id,
    email,
    website,
    store,
    prefix,
    first_name,
    middle_name,
    last_name,
    suffix,
    name_left_out,
    name_doubt,
    company,
    phone,
    mobile_phone,
    fax,
    other_street,
    other_city,
    other_region,
    other_postal_code,
    other_country,
    birthdate,
    birthdate_text,
    gender,
    group_id,
    tax_number,
    created_at,
    created_at_text,
    updated_at,
    updated_at_text,
    recency(updated_at, _loaded_at, _batch) as as_of,
    consent,
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
