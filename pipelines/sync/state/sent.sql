-- What this plan wrote of each record adds to what we ever wrote of it. Of consent only an opt-out
-- is kept, until we take it back ourselves: one that somebody sets in the org after we wrote "no
-- opt-out" is not ours, and so is never turned back. A row that the org said nothing of may be
-- written: its fields count as ours, or they would pass for somebody else's; its consent does not.
merge into state.sent
using (
    with

    consenting as (
        select * from planned
        union all by name
        select
            null::varchar as "HasOptedOutOfEmail",
            null::varchar as "PersonHasOptedOutOfEmail"
        where false
    )

    select
        consenting.key,
        consenting.changed,
        list_filter(
            consenting.changed,
            lambda name: not ends_with(name, 'HasOptedOutOfEmail')
            or (
                outcomes.outcome <> 'rejected'
                and coalesce(
                    consenting."HasOptedOutOfEmail", consenting."PersonHasOptedOutOfEmail", 'false'
                ) = 'true'
            )
        ) as fields
    from consenting
    join outcomes on outcomes.key = consenting.key
    where outcomes.outcome in ('created', 'updated') or outcomes.code = 'NO_ANSWER'
) as written
on sent.object = getvariable('object') and sent.key = written.key
when matched then update set
    fields = list_distinct(
        list_filter(
            sent.fields,
            lambda name: not ends_with(name, 'HasOptedOutOfEmail')
            or not list_contains(written.changed, name)
        ) || written.fields
    )
when not matched then insert (object, key, fields)
    values (getvariable('object'), written.key, written.fields);
