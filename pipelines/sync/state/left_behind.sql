-- Rows that were on their way in a plan which had been let pass, when its run died. Their fields are
-- in the ledger, as far as they were written.
create or replace temp view left_behind as
select key, []::varchar[] as fields
from known_outcomes
where
    object = getvariable('object')
    and code = 'INTERRUPTED';
