select key, list_sort(list_distinct(flatten(list(fields)))) as fields
from (
    select key, fields
    from sent_lead
    union all
    select plan_lead.key, plan_lead.changed
    from plan_lead
    join salesforce_lead on salesforce_lead.key = plan_lead.key
    where salesforce_lead.outcome in ('created', 'updated')
) as known
group by key
