-- What a later plan has to look at again: rows that were held, rejected or lost. What went well
-- ends what was said of its row before; it is told by the relations ``salesforce_<object>``.
delete from state.outcome
where
    object = getvariable('object')
    and key in (select key from outcomes);

insert into state.outcome by name
select
    outcomes.plan_id,
    getvariable('object') as object,
    outcomes.key,
    getvariable('batch') as batch,
    outcomes.action,
    outcomes.outcome,
    outcomes.sf_id,
    outcomes.code,
    outcomes.message,
    digests.digest,
    now() as answered_at
from outcomes
left join digests on digests.key = outcomes.key
where outcomes.outcome in ('held', 'rejected', 'unknown');
