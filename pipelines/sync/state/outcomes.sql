-- What a later plan has to look at again: rows that were held, skipped, rejected or lost. What went well
-- ends what was said of its row before; it is told by the relations ``salesforce_<object>``.
-- Of a row whose opt-out alone was sent the rest waits still.
create or replace temp table waiting as
select key, reason as message
from payload
where action = 'update' and starts_with(reason, getvariable('waits_still'));

-- A row that was planned to wait for just what the org said of it before: that stays said. So it
-- does where the choice of a run left the row out, which says nothing of it.
create or replace temp table still_refused as
select outcomes.key
from outcomes
join known_outcomes as before on before.key = outcomes.key
where
    before.object = getvariable('object')
    and (
        (
            before.digest is not null
            and outcomes.action = 'hold'
            and outcomes.message = before.message
        )
        or (
            outcomes.action = 'skip'
            and (before.digest is not null or before.code = 'INTERRUPTED')
        )
    );

delete from state.outcome
where
    organization_id is not distinct from getvariable('organization')
    and object = getvariable('object')
    and key in (select key from outcomes)
    and key not in (select key from still_refused);

-- A record without a key of ours is in a plan for its refused address alone, and in every plan as
-- long as it lacks the opt-out; what was said of one that is in this plan no more is settled.
delete from state.outcome
where
    organization_id is not distinct from getvariable('organization')
    and object = getvariable('object')
    and regexp_matches(key, '^[0-9A-Za-z]{18}$')
    and plan_id <> getvariable('plan');

insert into state.outcome by name
select
    getvariable('organization') as organization_id,
    outcomes.plan_id,
    getvariable('object') as object,
    outcomes.key,
    getvariable('batch') as batch,
    outcomes.action,
    case
        when waiting.key is not null and outcomes.outcome = 'updated' then 'held'
        else outcomes.outcome
    end as outcome,
    outcomes.sf_id,
    outcomes.code,
    coalesce(outcomes.message, waiting.message) as message,
    digests.digest,
    now() as answered_at
from outcomes
left join digests on digests.key = outcomes.key
left join waiting on waiting.key = outcomes.key
where
    (
        outcomes.outcome in ('held', 'skipped', 'rejected', 'unknown')
        or waiting.key is not null
    )
    and outcomes.key not in (select key from still_refused);
