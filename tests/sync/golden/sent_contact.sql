select key, list_sort(list_distinct(flatten(list(fields)))) as fields
from (
    select key, fields
    from sent_contact
    union all
    select plan_contact.key, plan_contact.changed
    from plan_contact
    join salesforce_contact on salesforce_contact.key = plan_contact.key
    where salesforce_contact.outcome in ('created', 'updated')
) as known
group by key
