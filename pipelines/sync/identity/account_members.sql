-- Who belongs to which account now, every member of the accounts this changes, and the registry of
-- accounts: an account is minted with its first member, and its key stays when it has none.
create or replace temp table asking as
select
    key_number(people.person_key) as person,
    key_number(account_links.account_key) as account,
    irregular_spelling(account_links.account_key) as spelling,
    account_links.rule,
    account_links.name
from people
left join account_links on account_links.person_key = people.person_key;

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

merge into state.account
using (
    select member.account, any_value(asking.spelling) as spelling
    from state.account_member as member
    semi join affected_account on affected_account.account = member.account
    left join asking on asking.person = member.person
    group by member.account
) as touched
on account.account = touched.account
when matched then update set batch = (select batch from config_batch)
when not matched then insert (account, spelling, minted, batch)
    values (
        touched.account, touched.spelling,
        (select batch from config_batch), (select batch from config_batch)
    );

-- An account that is called after a person follows that person: to the account of whom they turned
-- out to be, if that one is called after them, and back when they part again.
update state.account
set alias_of = followed.alias_of
from (
    select own.account, heir.account as alias_of
    from (
        select key_number(own_account(person_spelling(person, spelling))) as account, alias_of
        from state.person
        where
            alias_of is not null
            or spelling is not null
            or person in (select account from state.account where alias_of is not null)
    ) as own
    left join state.account_member as heir
        on heir.person = own.alias_of and heir.rule = 'generated_name'
) as followed
where
    followed.account = account.account
    and account.alias_of is distinct from followed.alias_of;

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

insert into config_account_aliases
select
    account_spelling(survivor.account, survivor.spelling),
    list(account_spelling(account.account, account.spelling) order by account.account)
from state.account as account
join state.account as survivor on survivor.account = account.alias_of
group by all;
