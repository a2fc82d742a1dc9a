-- The batch's rows as records. An id says that a row is who had it before, as long as nothing speaks
-- against it: forms and lists that number their rows begin anew every day. Where the name is somebody
-- else's, and no e-mail address says that it is the same one all the same, the row is another record,
-- which is known by the id and its name. What a source's `trust_id` or a decision says goes before.
create or replace temp table taken as
with

arriving as (
    select
        record,
        source,
        source_id,
        first_name,
        case when last_name is not null then concat_ws(' ', last_name, suffix) end as last_name,
        keys
    from person_records
    where entity <> 'address' and not (entity = 'customer' and keys[1].rule = 'same_customer')
),

-- Nearly all are called as they were before, or come for the first time.
others as (
    select
        arriving.*,
        known.batch as known_batch,
        known.first_name as known_first,
        known.last_name as known_last
    from arriving
    join state.record as known on known.record = arriving.record
    left join config_sources as sources on sources.source = arriving.source
    where
        known.batch <> getvariable('batch')
        and called(known.first_name, known.last_name)
        <> called(arriving.first_name, arriving.last_name)
        and sources.trust_id is not true
),

mailboxes as (
    select
        others.record,
        others.known_batch,
        count(known.key) > 0 as has_known,
        coalesce(bool_or(list_contains(
            list_transform(
                list_filter(
                    others.keys, lambda one: one.rule in ('same_email', 'same_role_email')
                ),
                lambda one: one.key
            ),
            known.key
        )), false) as is_shared
    from others
    left join state.record_key as known
        on known.record = others.record
        and known.batch = others.known_batch
        and known.rule in ('same_email', 'same_role_email')
    group by others.record, others.known_batch
),

-- An id that was made of the address says no more than the address.
contradicted as (
    select
        others.record,
        others.source,
        others.source_id,
        others.first_name,
        others.last_name,
        name_likeness(
            others.first_name, others.last_name, others.known_first, others.known_last
        ) = 'differ'
        and (
            is_address_id(others.source_id)
            or (
                not mailboxes.is_shared
                and (
                    (
                        mailboxes.has_known
                        and len(list_filter(
                            others.keys,
                            lambda one: one.rule in ('same_email', 'same_role_email')
                        )) > 0
                    )
                    or not (
                        names_agree(others.first_name, null, others.known_first, null)
                        or names_agree(null, others.last_name, null, others.known_last)
                    )
                )
            )
        ) as differs
    from others
    join mailboxes
        on mailboxes.record = others.record and mailboxes.known_batch = others.known_batch
)

select
    record,
    source,
    source_id || person_suffix(first_name, last_name) as source_id
from contradicted
where
    source || ':' || source_id not in (
        select reference from config_decisions where kind = 'rename_ok'
    )
group by record, source, source_id, first_name, last_name
-- Whoever once was called so has the id.
having
    bool_and(differs)
    and (select count(*) from state.record as known
        where known.record = contradicted.record and known.batch <> getvariable('batch'))
    = count(*);

create or replace temp view arrival as
select
    person_records.* replace (
        if(
            taken.record is null, person_records.record, record_key(taken.source, taken.source_id)
        ) as record,
        coalesce(taken.source_id, person_records.source_id) as source_id,
        if(
            taken.record is null,
            person_records.keys,
            list_append(
                person_records.keys, {'rule': 'same_record', 'key': person_records.record}
            )
        ) as keys
    )
from person_records
left join taken on taken.record = person_records.record;
