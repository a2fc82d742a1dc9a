-- The rules have changed: everybody is told apart anew, once.
insert into affected
select distinct record
from state.record
where record not in (select record from affected);
