-- What this plan wrote of each record adds to what we ever wrote of it.
merge into state.sent
using (
    select planned.key, planned.changed as fields
    from planned
    join outcomes on outcomes.key = planned.key
    where outcomes.outcome in ('created', 'updated')
) as written
on sent.object = getvariable('object') and sent.key = written.key
when matched then update set fields = list_distinct(sent.fields || written.fields)
when not matched then insert (object, key, fields)
    values (getvariable('object'), written.key, written.fields);
