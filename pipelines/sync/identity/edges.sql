-- One edge from each record to the smallest record it shares a value with, and which rule says so;
-- whether the two have names that agree is asked afterwards, of those few that have several names.
create or replace temp table edge as
with

-- A name at a company is one person's where one record has an address and one has none; of more, who
-- knows which is whose.
namesakes as (
    select named.key
    from version_key as named
    left join version_key as mailbox
        on mailbox.record = named.record and mailbox.rule in ('same_email', 'same_role_email')
    where named.rule = 'same_name_at_company'
    group by named.key
    having count(*) filter (mailbox.key is null) <> 1 or count(distinct mailbox.key) <> 1
),

roots as (
    select rule, key, min(record) as root, count(*) as records
    from version_key
    where
        rule not in ('same_record', 'same_trusted_record')
        and (rule <> 'same_name_at_company' or key not in (select key from namesakes))
    group by rule, key
    having count(*) > 1
),

-- Behind a value of very many names only equal names join.
crowded as (
    select version_key.rule, version_key.key
    from version_key
    join (select rule, key from roots where records > getvariable('crowd')) as large
        on large.rule = version_key.rule and large.key = version_key.key
    join rule on rule.rule = version_key.rule and rule.shared
    join version on version.record = version_key.record
    group by version_key.rule, version_key.key
    having count(distinct called(version.first_name, version.last_name)) > getvariable('crowd')
),

alike as (
    select
        version_key.record,
        min(version_key.record) over (
            partition by
                version_key.rule,
                version_key.key,
                called(version.first_name, version.last_name)
        ) as root,
        version_key.rule,
        hash(version_key.key, called(version.first_name, version.last_name)) as key
    from version_key
    semi join crowded on crowded.rule = version_key.rule and crowded.key = version_key.key
    join version on version.record = version_key.record
)

select version_key.record, roots.root, version_key.rule, version_key.key
from version_key
join roots on roots.rule = version_key.rule and roots.key = version_key.key
anti join crowded on crowded.rule = version_key.rule and crowded.key = version_key.key
where version_key.record <> roots.root

union all

select record, root, rule, key from alike where record <> root

union all

-- What a record is also known by is one record, where there is one of that id.
select version_key.record, version_key.key as root, version_key.rule, version_key.key
from version_key
semi join version on version.record = version_key.key
where
    version_key.rule in ('same_record', 'same_trusted_record')
    and version_key.record <> version_key.key

union all

select version.record, parent.record as root, 'same_parent' as rule, null::ubigint as key
from version
join version as parent on parent.record = version.parent
where version.record <> parent.record

union all

select record, other as root, 'decided' as rule, null as key
from decided
where same and record in (select record from version) and other in (select record from version);

create or replace temp table label as
select distinct record, record as root
from (select record from edge union all select root as record from edge);

create or replace temp table pair as
select distinct record as a, root as b from edge;
