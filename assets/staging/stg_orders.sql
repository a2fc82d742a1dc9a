-- Shop orders, one row per landed row.
-- owner: team:crm
-- rows_of: raw_orders
-- source_id: the order's number in the shop's database
-- increment_id: the order number that people see
-- customer_id: the customer's number; null for a guest
-- is_guest: as the shop says, else whether there is no customer number
-- consent: every cell that says something of consent, as it was read; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as (

    select
        *,
        email_cell('email', email) as email_cell
    from raw_orders

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(order_id) as source_id,
        clean(increment_id) as increment_id,
        lower(clean(state)) as state,
        lower(clean(status)) as status,
        nullif(clean(customer_id), '0') as customer_id,
        clean(is_guest) as is_guest_text,
        cell_value(email_cell, lower(email)) as email,
        name_value(first_name) as first_name,
        name_value(last_name) as last_name,
        clean(group_id) as group_id,
        clean(grand_total) as grand_total_text,
        upper(clean(currency)) as currency,
        clean(website) as website,
        date_text(created_at) as created_at_text,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.decimal_comma,
        formats.timezone,
        email_cell,
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
        *,
        concat_ws(
            chr(10),
            left_out('order_id', landed.order_id, source_id),
            left_out('increment_id', landed.increment_id, increment_id),
            left_out('state', landed.state, state),
            left_out('status', landed.status, status),
            left_out('customer_id', nullif(trim(landed.customer_id), '0'), customer_id),
            left_out('is_guest', landed.is_guest, is_guest_text),
            partly('email', landed.email, email, email_cell),
            altered('first_name', landed.first_name, first_name),
            altered('last_name', landed.last_name, last_name),
            left_out('group_id', landed.group_id, group_id),
            left_out('grand_total', landed.grand_total, grand_total_text),
            left_out('currency', landed.currency, currency),
            left_out('website', landed.website, website),
            left_out('created_at', landed.created_at, created_at_text),
            left_out('updated_at', landed.updated_at, updated_at_text)
        ) as reasons
    from cleaned

),

typed as (

    select
        *,
        case
            when is_guest_text is null then customer_id is null
            else parse_boolean(is_guest_text)
        end as is_guest,
        try_cast(parse_number(grand_total_text, decimal_comma) as decimal(18, 4)) as grand_total,
        parse_timestamp(created_at_text, day_first, timezone) as created_at,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from compared

)

select
    source,
    source_id,
    increment_id,
    state,
    status,
    customer_id,
    is_guest,
    is_guest_text,
    email,
    first_name,
    last_name,
    group_id,
    grand_total,
    grand_total_text,
    currency,
    website,
    created_at,
    created_at_text,
    updated_at,
    updated_at_text,
    recency(updated_at, _loaded_at, _batch) as as_of,
    case
        when coalesce(email_cell) is null
            then landed._extra
        else with_further(
            landed._extra, to_json([email_cell])::varchar
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
