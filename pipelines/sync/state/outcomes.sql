-- The last outcome of every record; what was left unchanged keeps what was said of it before,
-- unless it had been waiting.
merge into state.outcome
using (
    select * from outcomes
    where
        outcome <> 'unchanged'
        or key in (select key from state.outcome where outcome in ('held', 'rejected'))
) as said
on outcome.object = getvariable('object') and outcome.key = said.key
when matched then update set
    plan_id = said.plan_id,
    batch = getvariable('batch'),
    action = said.action,
    outcome = said.outcome,
    sf_id = said.sf_id,
    code = said.code,
    message = said.message,
    answered_at = now()
when not matched then insert
    values (
        said.plan_id, getvariable('object'), said.key, getvariable('batch'), said.action,
        said.outcome, said.sf_id, said.code, said.message, now()
    );
