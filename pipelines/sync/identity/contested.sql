-- Components in which somebody may be joined to somebody else: those that hold names which do not
-- agree, all but a few of which are two people with one mailbox; those of a role mailbox with several
-- names; and where somebody said that two records are two people.

-- What is connected, of those who are not alone.
create or replace temp table component as
select record, root as component from label;

-- Most components are called in one way; nothing more is asked of them.
create or replace temp table several as
select label.root as component
from label
join version on version.record = label.record and version.entity <> 'address'
group by label.root
having
    min(concat(version.last_name, chr(31), version.first_name))
    <> max(concat(version.last_name, chr(31), version.first_name))
union
select label.root
from decided
join label on label.record = decided.record
where not decided.same;

-- Whoever orders or subscribes with a customer's id is called as that customer.
create or replace temp table named as
with

asked as (
    select version.record, version.entity, version.first_name, version.last_name, label.root
    from version
    join label on label.record = version.record
    semi join several on several.component = label.root
    where version.entity <> 'address'
),

customers as (
    select known.key
    from version_key as known
    join asked on asked.record = known.record and asked.entity = 'customer'
    where known.rule = 'same_customer'
),

lent as (
    select distinct known.record
    from version_key as known
    semi join customers on customers.key = known.key
    join asked on asked.record = known.record and asked.entity <> 'customer'
    where known.rule = 'same_customer'
)

select
    asked.record,
    asked.root as component,
    if(lent.record is null, asked.first_name, null) as first_name,
    if(lent.record is null, asked.last_name, null) as last_name
from asked
left join lent on lent.record = asked.record;

create or replace temp table contested as
with

names as (
    select distinct component, first_name, last_name, called(first_name, last_name) as name
    from named
),

counted as (
    select component, count(*) as names from names group by component having count(*) > 1
),

differing as (
    select distinct one.component
    from names as one
    semi join counted on counted.component = one.component and counted.names <= getvariable('crowd')
    join names as other on other.component = one.component and one.name < other.name
    where not names_agree(one.first_name, one.last_name, other.first_name, other.last_name)
),

of_roles as (
    select distinct component.component
    from edge
    join component on component.record = edge.record
    where edge.rule = 'same_role_email'
)

select component from differing
union
select component from counted where names > getvariable('crowd')
union
select component from counted semi join of_roles using (component)
union
select component.component
from decided
join component on component.record = decided.record
where not decided.same;
