-- The batch's rows take the place of those it brought before.
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
    email_key,
    customer_key
from person_records;
