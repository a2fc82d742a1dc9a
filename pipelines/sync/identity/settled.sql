-- The people of contested components take the place of the components.
update label
set root = settled.person
from settled
where settled.record = label.record;

delete from edge where record in (select record from settled);

insert into edge select record, other, rule, null from joined;
