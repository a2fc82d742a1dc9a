-- Rows are about to be sent. What a run that died may have written counts as written from here on,
-- or its fields would pass for somebody else's and never be updated. Consent does not: an opt-out
-- that may not be ours is never turned back.
merge into state.sent
using left_behind as written
on sent.object = getvariable('object') and sent.key = written.key
when matched then update set fields = list_distinct(sent.fields || written.fields)
when not matched then insert (object, key, fields)
    values (getvariable('object'), written.key, written.fields);

delete from state.sending where object = getvariable('object');

insert into state.sending (object, plan_id)
values (getvariable('object'), getvariable('plan_id'));
