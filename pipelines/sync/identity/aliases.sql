-- The keys that people in the batch's scope took over when they merged.
insert into config_aliases
select
    person_spelling(survivor.person, survivor.spelling),
    list(person_spelling(person.person, person.spelling) order by person.person)
from state.person as person
join state.person as survivor on survivor.person = person.alias_of
group by all;


-- Names that mean an account whose key was minted from another name.
insert into config_account_references
select known.reference, account_spelling(account.account, account.spelling)
from state.account_reference as known
join state.account as account on account.account = known.account;
