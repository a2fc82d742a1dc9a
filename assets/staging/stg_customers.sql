-- Shop customers, one row per landed row. Without a number of its own a customer is an e-mail
-- address at a website, which is unique in Magento.
-- owner: team:crm
-- rows_of: raw_customers
-- source_id: the customer's number, else 'e-mail|website'
-- group_id: the customer group, as the shop numbers or names it
-- alias_ids: further ids that the row is known by, once another row turns out to have the same
-- consent: every cell that says something of consent, as it was read; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as (

    select
        *,
        email_cell('email', email) as email_cell,
        phone_cell('phone', phone) as phone_cell,
        phone_cell('mobile_phone', mobile_phone) as mobile_phone_cell,
        phone_cell('fax', fax) as fax_cell
    from raw_customers

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(customer_id) as customer_id,
        cell_value(email_cell, lower(email)) as email,
        clean(website) as website,
        clean(store) as store,
        name_value(prefix) as prefix,
        name_value(first_name) as first_name,
        name_value(middle_name) as middle_name,
        name_value(last_name) as last_name,
        name_value(suffix) as suffix,
        company_value(company) as company,
        cell_value(phone_cell, phone) as phone,
        cell_value(mobile_phone_cell, mobile_phone) as mobile_phone,
        cell_value(fax_cell, fax) as fax,
        value_lines(other_street) as other_street,
        value_lines(other_street2) as other_street2,
        value(other_city) as other_city,
        place_value(other_region) as other_region,
        place_value(other_postal_code) as other_postal_code,
        place_value(other_country) as other_country,
        date_text(birthdate) as birthdate_text,
        clean(gender) as gender,
        clean(group_id) as group_id,
        clean(tax_number) as tax_number,
        date_text(created_at) as created_at_text,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
        email_cell,
        phone_cell,
        mobile_phone_cell,
        fax_cell,
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
            nullif(concat_ws(chr(10), other_street, other_street2), '') as other_street
        ),
        concat_ws(
            chr(10),
            left_out('customer_id', landed.customer_id, customer_id),
            partly('email', landed.email, email, email_cell),
            left_out('website', landed.website, website),
            left_out('store', landed.store, store),
            left_out('prefix', landed.prefix, prefix),
            altered('first_name', landed.first_name, first_name),
            altered('middle_name', landed.middle_name, middle_name),
            altered('last_name', landed.last_name, last_name),
            left_out('suffix', landed.suffix, suffix),
            altered('company', landed.company, company),
            partly('phone', landed.phone, phone, phone_cell),
            partly('mobile_phone', landed.mobile_phone, mobile_phone, mobile_phone_cell),
            partly('fax', landed.fax, fax, fax_cell),
            altered('other_street', landed.other_street, other_street),
            altered('other_street2', landed.other_street2, other_street2),
            altered('other_city', landed.other_city, other_city),
            left_out('other_region', landed.other_region, other_region),
            left_out('other_postal_code', landed.other_postal_code, other_postal_code),
            left_out('other_country', landed.other_country, other_country),
            left_out('birthdate', landed.birthdate, birthdate_text),
            left_out('gender', landed.gender, gender),
            left_out('group_id', landed.group_id, group_id),
            left_out('tax_number', landed.tax_number, tax_number),
            left_out('created_at', landed.created_at, created_at_text),
            left_out('updated_at', landed.updated_at, updated_at_text)
        ) as reasons
    from cleaned

),

typed as (

    select
        *,
        shop_id(customer_id, email, website) as source_id,
        parse_date(birthdate_text, day_first) as birthdate,
        parse_timestamp(created_at_text, day_first, timezone) as created_at,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from compared

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
    case
        when coalesce(email_cell, phone_cell, mobile_phone_cell, fax_cell) is null
            then landed._extra
        else with_further(
            landed._extra, to_json([email_cell, phone_cell, mobile_phone_cell, fax_cell])::varchar
        )::json
    end as _extra,
    blanked(reasons, landed) as _blanked,
    consent,
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
