-- Every record of the people in the batch's scope, and its place among the records of its person.
with

-- Whoever is known from one record needs no ranking.
ranked as (
    select
        version.record,
        row_number() over (
            partition by label.root
            order by
                version.entity = 'address',
                version.priority,
                version.as_of desc,
                version.source,
                version.source_id
        ) as rank,
        count(*) over (partition by label.root) as records
    from version
    join label on label.record = version.record
),

-- Rows with an id that somebody else has, see arrivals.sql.
others as (
    select
        version.record as variant,
        known.key as record
    from version
    join version_key as known
        on known.record = version.record and known.rule = 'same_record'
    where
        ends_with(version.source_id, person_suffix(version.first_name, version.last_name))
        and known.key = record_key(
            version.source,
            version.source_id[
                : -1 - length(person_suffix(version.first_name, version.last_name))
            ]
        )
),

-- Keys that an org gave back may be spelled in any way.
spellings as (select person, spelling from state.person where spelling is not null)

select
    coalesce(spellings.spelling, 'p-' || spelled(member.person)) as person_key,
    -- As its day's file numbers it, also where the id is somebody else's.
    coalesce(other.record, version.record) as record,
    version.source,
    version.source_id,
    version.entity,
    member.rule,
    linked.source as via_source,
    linked.source_id as via_source_id,
    version.batch,
    version.as_of,
    coalesce(ranked.rank, 1) as rank,
    coalesce(ranked.records, 1) as records
from version
join state.member as member on member.record = version.record
left join spellings on spellings.person = member.person
left join others as other on other.variant = version.record
left join ranked on ranked.record = version.record
left join version as linked on linked.record = member.via
