-- What the org said to which the home is bound.
create or replace temp view known_outcomes as
select *
from state.outcome
where organization_id is not distinct from getvariable('organization');
