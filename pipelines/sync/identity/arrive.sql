-- The batch's rows take the place of those it brought before.
delete from state.record where batch = getvariable('batch');

delete from state.record_key where batch = getvariable('batch');

insert into state.record
select
    record,
    source,
    source_id,
    entity,
    batch,
    as_of,
    priority,
    parent,
    case when entity <> 'address' then first_name end as first_name,
    case when entity <> 'address' and last_name is not null
        then concat_ws(' ', last_name, suffix) end as last_name
from arrival;

insert into state.record_key
select record, batch, listed.key.rule, listed.key.key
from (select record, batch, unnest(keys) as key from arrival) as listed;

delete from state.statement where batch = getvariable('batch');

insert into state.statement
with

-- A rejected row brings nobody, and its no is heard all the same.
speaking as (
    select record, batch, source, source_id, email, said_by, consent, false as is_rejected
    from arrival
    where consent is not null
    union all
    select record, batch, source, source_id, email, said_by, consent, true as is_rejected
    from rejected_statements
),

cells as (
    select * exclude (consent), unnest(consent) as cell from speaking
),

-- What the cells of a row say together of one channel.
said as (
    select
        record,
        batch,
        source,
        source_id,
        is_rejected,
        case
            when channel = 'email' and email is not null then record_key('email', email)
            else record
        end as about,
        channel,
        max(said_by) as said_by,
        bool_or(cell.says = 'out') as is_out,
        bool_or(cell.says = 'in') as is_in,
        bool_or(cell.says in ('pending', 'unreadable')) as is_open,
        max(cell.at) filter (where cell.says = 'out') as out_at,
        max(cell.at) filter (where cell.says = 'in') as in_at,
        max(cell.at) filter (where cell.says = 'time') as told_at
    from (select *, unnest(cell.channels) as channel from cells)
    group by all
)

select
    record, batch, source, source_id, about, channel, 'out' as says,
    -- A refusal of unknown time was said by when its row was true, and after all that the row agrees
    -- to: two statements of one row are no change of mind.
    coalesce(out_at, told_at, case when said_by is not null then greatest(said_by, in_at) end) as said_at
from said
where is_out
union all
-- Beside what is not confirmed or cannot be read nothing opts anybody in. That consent has a time
-- says that there is one, where nothing else is said.
select
    record, batch, source, source_id, about, channel, 'in' as says,
    greatest(in_at, told_at) as said_at
from said
where not is_rejected and not is_open and (is_in or (told_at is not null and not is_out))
union all
select record, batch, source, source_id, about, channel, 'open' as says, null as said_at
from said
where not is_rejected and is_open;
