-- The batch's file now holds the newest values of its people.
update state.person
set batch = people.batch
from people
where person.person_key = people.person_key and person.batch is distinct from people.batch;
