-- Every record whose cluster the batch may change: those of the persons that its old rows, its new
-- rows, or records sharing a key with its new rows belong to, and the new rows themselves. With
-- them come the persons that wait, they or their account: held or rejected earlier, or of unknown
-- outcome; and those of the table widened, with their accounts'.
create or replace temp table affected as
with

arriving as (select record, email_key, customer_key, parent from person_records),

reached as (
    select record from arriving
    union
    select record from state.record where batch = getvariable('batch')
    union
    select parent from arriving where parent is not null
    union
    select known.record
    from state.record as known
    semi join arriving on arriving.email_key = known.email_key
    union
    select known.record
    from state.record as known
    semi join arriving on arriving.customer_key = known.customer_key
    union
    select known.record
    from state.record as known
    semi join arriving on arriving.record = known.parent
),

persons as (
    select person_key from state.member semi join reached using (record)
    union
    select person_key from state.person
    where batch = getvariable('batch') and alias_of is null
    union
    select key from known_outcomes where outcome in ('held', 'rejected', 'unknown')
    union
    select member.person_key
    from state.account_member as member
    join known_outcomes as outcome on outcome.key = member.account_key
    where outcome.outcome in ('held', 'rejected', 'unknown')
    union
    select key from widened
    union
    select member.person_key
    from state.account_member as member
    join widened on widened.key = member.account_key
)

select record from reached
union
select record from state.member semi join persons using (person_key);
