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
        then concat_ws(' ', last_name, suffix) end as last_name,
    newsletter
from arrival;

insert into state.record_key
select record, batch, listed.key.rule, listed.key.key
from (select record, batch, unnest(keys) as key from arrival) as listed;
