-- Every record whose person the batch may change: those of the components that its old rows, its new
-- rows, or records sharing a key with its new rows belong to, and the new rows themselves. With
-- them come the persons that wait, they or their account: held, skipped or rejected earlier, or of
-- unknown outcome; and those of the table widened, with their accounts'.
create or replace temp table affected as
with

arriving as (select record, parent from arrival),

arriving_keys as (
    select distinct listed.key.rule as rule, listed.key.key as key
    from (select unnest(keys) as key from arrival) as listed
),

reached as (
    select record from arriving
    union
    select record from state.record where batch = getvariable('batch')
    union
    select parent from arriving where parent is not null
    union
    select shared.record
    from state.record_key as shared
    semi join arriving_keys on arriving_keys.rule = shared.rule and arriving_keys.key = shared.key
    union
    select key from arriving_keys where rule in ('same_record', 'same_trusted_record')
    union
    select known.record
    from state.record_key as known
    semi join arriving on arriving.record = known.key
    where known.rule in ('same_record', 'same_trusted_record')
    union
    select child.record
    from state.record as child
    semi join arriving on arriving.record = child.parent
    union
    select decided.other from decided semi join arriving using (record)
    union
    select decided.record from decided join arriving on arriving.record = decided.other
),

keys as (
    select key from known_outcomes where outcome in ('held', 'skipped', 'rejected', 'unknown')
    union
    select key from widened
),

numbers as (select distinct key_number(key) as number from keys),

persons as (
    select person from state.person
    where batch = getvariable('batch') and alias_of is null
    union
    select number from numbers
    union
    select member.person
    from state.account_member as member
    join numbers on numbers.number = member.account
),

components as (
    select component from state.member semi join reached using (record)
    union
    select component from state.member semi join persons using (person)
)

select record from reached
union
select record from state.member semi join components using (component);
