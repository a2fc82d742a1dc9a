-- Components in which somebody may be joined to somebody else: those that hold names which do not
-- agree, all but a few of which are two people with one mailbox; those of a role mailbox with several
-- names; and where somebody said that two records are two people.
create or replace temp table component as
select version.record, coalesce(label.root, version.record) as component
from version
left join label on label.record = version.record;

-- Whoever orders or subscribes with a customer's id is called as that customer.
create or replace temp table named as
select
    version.record,
    label.root as component,
    if(customer.record is null, version.first_name, null) as first_name,
    if(customer.record is null, version.last_name, null) as last_name
from version
join label on label.record = version.record
left join (
    select linked.record
    from version_key as linked
    join version_key as own on own.rule = linked.rule and own.key = linked.key
    join version as customer on customer.record = own.record and customer.entity = 'customer'
    join version as other on other.record = linked.record and other.entity <> 'customer'
    where linked.rule = 'same_customer'
    group by linked.record
) as customer on customer.record = version.record
where version.entity <> 'address';

create or replace temp table contested as
with

names as (
    select distinct component, first_name, last_name, called(first_name, last_name) as name
    from named
),

several as (
    select component, count(*) as names from names group by component having count(*) > 1
),

differing as (
    select distinct one.component
    from names as one
    semi join several on several.component = one.component and several.names <= getvariable('crowd')
    join names as other on other.component = one.component and one.name < other.name
    where not names_agree(one.first_name, one.last_name, other.first_name, other.last_name)
),

of_roles as (
    select distinct label.root as component
    from edge
    join label on label.record = edge.record
    where edge.rule = 'same_role_email'
)

select component from differing
union
select component from several where names > getvariable('crowd')
union
select component from several semi join of_roles using (component)
union
select label.root from decided join label on label.record = decided.record where not decided.same;
