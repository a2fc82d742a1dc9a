-- The newest version of each affected record, whichever batch brought it.
create or replace temp table version as
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
from state.record
semi join affected using (record)
qualify row_number() over (partition by record order by as_of desc, batch desc) = 1;
