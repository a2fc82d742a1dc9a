-- Links, keys and aliases of the affected records, in the transaction the caller opened.
-- Whose file holds a person's values changes only once that file is there (point_people).
delete from state.member where record in (select record from affected);

insert into state.member
select
    cluster.record,
    identity.person_key,
    coalesce(strongest.rule, 'same_record') as rule,
    strongest.root as via
from cluster
join identity on identity.cluster = cluster.cluster
left join (
    select record, arg_min(rule, strength) as rule, arg_min(root, strength) as root
    from edge group by record
) as strongest on strongest.record = cluster.record;

merge into state.person
using (
    select person_key, founder from identity where founder is not null
) as minted
on person.person_key = minted.person_key
when matched then update set alias_of = null
when not matched then insert (person_key, founder, minted, alias_of, batch)
    values (minted.person_key, minted.founder, getvariable('batch'), null, getvariable('batch'));

merge into state.person
using (
    select claim.person_key, identity.person_key as survivor
    from claim
    join identity on identity.cluster = claim.cluster
) as claimed
on person.person_key = claimed.person_key
when matched then update set alias_of = nullif(claimed.survivor, claimed.person_key);

-- Whoever was an alias of a key that is now an alias itself follows to the survivor.
update state.person
set alias_of = taken.alias_of
from state.person as taken
where person.alias_of = taken.person_key and taken.alias_of is not null;
