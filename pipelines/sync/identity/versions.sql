-- The newest version of each affected record, whichever batch brought it, and what it shares.
create or replace temp table version as
with

records as (
    select
        record,
        source,
        source_id,
        entity,
        batch,
        as_of,
        priority,
        parent,
        first_name,
        last_name
    from state.record
    semi join affected using (record)
),

-- Most records came once, which needs no ranking.
repeated as (
    select record from records group by record having count(*) > 1
)

select * from records anti join repeated using (record)
union all
select * from records semi join repeated using (record)
qualify row_number() over (partition by record order by as_of desc, batch desc) = 1;

create or replace temp table version_key as
select version.record, record_key.rule, record_key.key
from version
join state.record_key as record_key
    on record_key.record = version.record and record_key.batch = version.batch;
