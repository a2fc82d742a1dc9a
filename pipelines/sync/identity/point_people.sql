-- The batch's file now holds the newest values of its people.
update state.person
set batch = people.batch
from people
where
    person.person = key_number(people.person_key)
    and person.batch is distinct from people.batch;
