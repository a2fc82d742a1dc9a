-- The keys that people in the batch's scope took over when they merged.
insert into config_aliases
select alias_of, list(person_key order by person_key)
from state.person
where alias_of is not null
group by alias_of;
