-- Who belongs to which account now, and every member of the accounts this changes.
create or replace temp table asking as
select
    key_number(person_key) as person,
    key_number(account_key) as account,
    account_rule as rule,
    account_name as name
from people;

create or replace temp table affected_account as
select account from asking where account is not null
union
select account from state.account_member semi join asking using (person)
union
select account from state.account_member where person not in (select person from state.member);

delete from state.account_member
where
    person in (select person from asking)
    or person not in (select person from state.member);

insert into state.account_member
select person, account, rule, name from asking where account is not null;

insert into config_account_members
select
    person_spelling(member.person, person.spelling),
    account_spelling(member.account, account.spelling),
    member.rule,
    member.name,
    person.batch
from state.account_member as member
semi join affected_account using (account)
join state.person as person on person.person = member.person
left join state.account as account on account.account = member.account;

merge into state.account
using (select distinct account from state.account_member semi join affected_account using (account))
    as touched
on account.account = touched.account
when matched then update set batch = (select batch from config_batch)
when not matched then insert (account, minted, batch)
    values (touched.account, (select batch from config_batch), (select batch from config_batch));

insert into config_account_aliases
select
    account_spelling(survivor.account, survivor.spelling),
    list(account_spelling(account.account, account.spelling) order by account.account)
from state.account as account
join state.account as survivor on survivor.account = account.alias_of
group by all;
