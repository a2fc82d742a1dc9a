-- The newest version of each affected record, whichever batch brought it.
create or replace temp table version as
with

known as (
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
),

-- Most records came once, which needs no ranking.
repeated as (
    select record from known group by record having count(*) > 1
)

select * from known anti join repeated using (record)
union all
select * from known semi join repeated using (record)
qualify row_number() over (partition by record order by as_of desc, batch desc) = 1;
