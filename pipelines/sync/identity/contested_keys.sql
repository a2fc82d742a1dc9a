-- What the records of contested components share.
select component.component, shared.record, shared.rule, shared.key
from (
    select record, rule, key from edge where key is not null
    union
    select root, rule, key from edge where key is not null
) as shared
join component on component.record = shared.record
semi join contested on contested.component = component.component
