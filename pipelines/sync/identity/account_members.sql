-- Who belongs to which account now, and every member of the accounts this changes.
create or replace temp table affected_account as
select account_key from people where account_key is not null
union
select account_key from state.account_member semi join people using (person_key)
union
select account_key from state.account_member
where person_key not in (select person_key from state.member);

delete from state.account_member
where
    person_key in (select person_key from people)
    or person_key not in (select person_key from state.member);

insert into state.account_member
select person_key, account_key, account_rule, account_name
from people
where account_key is not null;

insert into config_account_members
select member.person_key, member.account_key, member.rule, member.name, person.batch
from state.account_member as member
semi join affected_account using (account_key)
join state.person as person on person.person_key = member.person_key;

merge into state.account
using (select distinct account_key from config_account_members) as touched
on account.account_key = touched.account_key
when matched then update set batch = (select batch from config_batch)
when not matched then insert (account_key, batch)
    values (touched.account_key, (select batch from config_batch));
