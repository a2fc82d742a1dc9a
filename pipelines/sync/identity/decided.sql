-- Pairs of records of which somebody said that they are the same person, or not (decisions.csv).
-- A person is named by a record of its own, by its key, or by a record of the org that carries it.
create or replace temp table decided as
with

names as (
    select line, kind, 1 as place, reference as name
    from config_decisions
    where kind in ('same', 'different')
    union all
    select line, kind, 2 as place, target as name
    from config_decisions
    where kind in ('same', 'different')
),

keys as (
    select line, kind, place, key_number(name) as person from names where name[:2] = 'p-'
    union all
    select names.line, names.kind, names.place, key_number(org_key.key)
    from names
    join org_key on org_key.id = names.name
),

-- Whoever became somebody else's alias is that somebody now.
records as (
    select
        line,
        kind,
        place,
        record_key(split_part(name, ':', 1), name[position(':' in name) + 1:]) as record
    from names
    where contains(name, ':')
    union all
    select
        keys.line,
        keys.kind,
        keys.place,
        coalesce(max(member.record) filter (where member.record = person.founder), min(member.record))
    from keys
    join state.person as person on person.person = keys.person
    join state.member as member on member.person = coalesce(person.alias_of, person.person)
    group by keys.line, keys.kind, keys.place
)

select subject.record, other.record as other, subject.kind = 'same' as same
from records as subject
join records as other on other.line = subject.line and other.place = 2
where subject.place = 1 and subject.record <> other.record;
