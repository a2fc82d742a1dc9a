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

    select * from raw_orders

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
        norm_email(email) as email,
        clean(first_name) as first_name,
        clean(last_name) as last_name,
        clean(group_id) as group_id,
        clean(grand_total) as grand_total_text,
        upper(clean(currency)) as currency,
        clean(website) as website,
        date_text(created_at) as created_at_text,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.decimal_comma,
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
        *,
        case
            when is_guest_text is null then customer_id is null
            else parse_boolean(is_guest_text)
        end as is_guest,
        try_cast(parse_number(grand_total_text, decimal_comma) as decimal(18, 4)) as grand_total,
        parse_timestamp(created_at_text, day_first, timezone) as created_at,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from cleaned

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
    consent,
    _source,
    _file,
    _row,
    _batch,
    _defect
from typed
