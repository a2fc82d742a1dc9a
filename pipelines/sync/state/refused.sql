-- Rows that the org refused, with a short form of what was sent; without one they go again.
create or replace temp table refused as
select key, digest, outcome, code, message
from known_outcomes
where
    object = getvariable('object')
    and digest is not null;
