-- Which account a company's name means, after the way in which names are normalised has changed. An
-- account stays with the name that most of its members have now; of several that meet in one name
-- the oldest takes the others over, and a name that nobody brought along mints a key of its own.
create or replace temp table heir as
with

member_references as (
    select account, record_key('name', norm_company(name)) as reference
    from state.account_member
    where rule <> 'generated_name'
),

named as (
    select account, reference, count(*) as members
    from member_references
    group by account, reference
)

select named.account, account.minted, named.reference
from named
join state.account as account on account.account = named.account
qualify row_number() over (
    partition by named.account
    order by named.reference = named.account desc, named.members desc, named.reference
) = 1;

create or replace temp table named_by as
select reference, arg_min(account, (minted, account)) as account
from heir
group by reference;

delete from state.account_reference where reference in (select reference from named_by);

insert into state.account_reference
select reference, account from named_by where reference <> account;

update state.account
set alias_of = nullif(named_by.account, account.account)
from heir
join named_by on named_by.reference = heir.reference
where heir.account = account.account;
