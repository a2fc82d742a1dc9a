select key, list_sort(list_distinct(flatten(list(fields)))) as fields
from (
    select key, fields
    from sent_account
    union all
    select plan_account.key, plan_account.changed
    from plan_account
    join salesforce_account on salesforce_account.key = plan_account.key
    where salesforce_account.outcome in ('created', 'updated')
) as known
group by key
