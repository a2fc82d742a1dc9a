-- Links, keys and aliases of the affected records, in the transaction the caller opened.
-- Whose file holds a person's values changes only once that file is there (point_people).

-- Whom the records of a new key belonged to until now: that person lives on in another cluster.
create or replace temp table parted as
select identity.person, arg_max(member.person, (former.records, member.person)) as split_from
from identity
join cluster on cluster.cluster = identity.cluster
join state.member as member on member.record = cluster.record
join (select person, count(*) as records from state.member group by person) as former
    on former.person = member.person
join claim on claim.person = member.person
where
    identity.founder is not null
    and claim.cluster <> identity.cluster
    and member.person <> identity.person
group by identity.person;

delete from state.member where record in (select record from affected);

insert into state.member
select
    cluster.record,
    identity.person,
    coalesce(strongest.rule, 'same_record') as rule,
    strongest.root as via,
    coalesce(component.component, cluster.record) as component
from cluster
left join component on component.record = cluster.record
join identity on identity.cluster = cluster.cluster
left join (
    select
        edge.record,
        arg_min(edge.rule, (-rule.weight, edge.root)) as rule,
        arg_min(edge.root, (-rule.weight, edge.root)) as root
    from edge
    join rule on rule.rule = edge.rule
    group by edge.record
) as strongest on strongest.record = cluster.record;

delete from state.apart where record in (select record from affected);

insert into state.apart
select record, other, rule, likeness from apart;

merge into state.person
using (
    select identity.person, identity.founder, parted.split_from
    from identity
    left join parted on parted.person = identity.person
    where identity.founder is not null
) as minted
on person.person = minted.person
when matched then update set alias_of = null, split_from = minted.split_from
when not matched then insert (person, founder, minted, alias_of, batch, split_from)
    values (
        minted.person, minted.founder, getvariable('batch'), null, getvariable('batch'),
        minted.split_from
    );

merge into state.person
using (
    select claim.person, identity.person as survivor
    from claim
    join identity on identity.cluster = claim.cluster
) as claimed
on person.person = claimed.person
when matched then update set alias_of = nullif(claimed.survivor, claimed.person);

-- A key that stayed with whoever gave the name is theirs from now on.
update state.person
set founder = claim.founder
from claim
where claim.person = person.person and claim.founder is not null;

-- Who gives each person the name, as survivorship will have it; of one record there is no question.
update state.person
set namer = named.record
from (
    select
        identity.person,
        arg_min(
            version.record,
            (
                version.last_name is null,
                version.priority,
                -epoch_us(version.as_of),
                version.source,
                version.source_id
            )
        ) as record
    from label
    join version on version.record = label.record and version.entity <> 'address'
    join identity on identity.cluster = label.root
    group by identity.person
) as named
where named.person = person.person and person.namer is distinct from named.record;

-- Whoever was an alias of a key that is now an alias itself follows to the survivor.
update state.person
set alias_of = survivor.alias_of
from state.person as survivor
where person.alias_of = survivor.person and survivor.alias_of is not null;

-- Whom a split-off person was split from, too; whoever is one with it again is split no more.
update state.person
set split_from = nullif(survivor.alias_of, person.person)
from state.person as survivor
where person.split_from = survivor.person and survivor.alias_of is not null;
