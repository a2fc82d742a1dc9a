-- Which person each cluster is. A key stays where its founding record is; if that record is gone,
-- with the cluster that holds most of its former members; among several the oldest survives. A
-- cluster without any gets a new key from its earliest member. Addresses alone are nobody.
--
-- Where a person falls apart because names do not agree, the key stays with whoever gave it its name:
-- that is what its record is called in the org, and the others are the newcomers.
create or replace temp table cluster as
select version.record, coalesce(label.root, version.record) as cluster
from version
left join label on label.record = version.record;

-- Where the founding record goes by another id now, it is whoever is also known by the old one.
create or replace temp table founding as
select record, cluster from cluster
union all
select former.key, arg_max(cluster.cluster, (version.as_of, version.batch, version.record))
from version_key as former
join cluster on cluster.record = former.record
join version on version.record = former.record
where
    former.rule in ('same_record', 'same_trusted_record')
    and former.key not in (select record from version)
group by former.key;

create or replace temp table giver as
select person.person, person.namer as record, cluster.cluster
from state.person as person
join cluster on cluster.record = person.namer
semi join (
    select member.person
    from state.member as member
    join cluster on cluster.record = member.record
    left join component on component.record = member.record
    group by member.person
    having
        count(distinct cluster.cluster) > 1
        and count(distinct coalesce(component.component, member.record)) = 1
) as torn on torn.person = person.person;

create or replace temp table claim as
with

founders as (
    select person.person, person.minted, cluster.cluster
    from state.person as person
    join founding as cluster on cluster.record = person.founder
    where person.alias_of is null
),

heirs as (
    select person.person, person.minted, cluster.cluster
    from state.person as person
    join state.member as member on member.person = person.person
    join cluster on cluster.record = member.record
    where
        person.alias_of is null
        and person.person not in (select person from founders)
    group by person.person, person.minted, cluster.cluster
    qualify row_number() over (
        partition by person.person order by count(*) desc, cluster.cluster
    ) = 1
)

select
    claimant.person,
    claimant.minted,
    coalesce(giver.cluster, claimant.cluster) as cluster,
    giver.record as founder
from (select * from founders union all select * from heirs) as claimant
left join giver on giver.person = claimant.person;

create or replace temp table identity as
with

claimed as (
    select claim.cluster, arg_min(claim.person, (claim.minted, claim.person)) as person
    from claim
    semi join (
        select cluster.cluster
        from cluster
        join version on version.record = cluster.record and version.entity <> 'address'
    ) as peopled on peopled.cluster = claim.cluster
    group by claim.cluster
),

-- Most clusters are one record, which needs no ranking.
minted as (
    select record as cluster, record as founder
    from version
    anti join label on label.record = version.record
    where entity <> 'address'
    union all
    select cluster, arg_min(record, (as_of, priority, source, source_id)) as founder
    from (
        select label.root as cluster, version.*
        from version
        join label on label.record = version.record
        where version.entity <> 'address'
    )
    group by cluster
)

select cluster, person, null::ubigint as founder from claimed
union all
-- A number that another person keeps though this record founded it is not given twice.
select
    minted.cluster,
    if(claim.person is null, minted.founder, record_key('again', spelled(minted.founder))) as person,
    minted.founder
from minted
anti join claimed using (cluster)
left join claim on claim.person = minted.founder;
