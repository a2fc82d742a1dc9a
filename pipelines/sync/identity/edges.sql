-- One edge from each record to the smallest record it shares a key with, and which rule says so.
create or replace temp table edge as
with

root_by_customer as (
    select customer_key, min(record) as root from version
    where customer_key is not null group by customer_key having count(*) > 1
),

root_by_email as (
    select email_key, min(record) as root from version
    where email_key is not null group by email_key having count(*) > 1
)

select version.record, root_by_customer.root, 'same_customer' as rule, 1 as strength
from version
join root_by_customer on root_by_customer.customer_key = version.customer_key
where version.record <> root_by_customer.root

union all

select version.record, root_by_email.root, 'same_email' as rule, 2 as strength
from version
join root_by_email on root_by_email.email_key = version.email_key
where version.record <> root_by_email.root

union all

select version.record, parent.record as root, 'same_parent' as rule, 0 as strength
from version
join version as parent on parent.record = version.parent
where version.record <> parent.record;

create or replace temp table label as
select distinct record, record as root
from (select record from edge union all select root as record from edge);

create or replace temp table pair as
select distinct record as a, root as b from edge;
