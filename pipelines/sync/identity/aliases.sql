-- The keys that people in the batch's scope took over when they merged.
insert into config_aliases
select
    person_spelling(survivor.person, survivor.spelling),
    list(person_spelling(person.person, person.spelling) order by person.person)
from state.person as person
join state.person as survivor on survivor.person = person.alias_of
group by all;
