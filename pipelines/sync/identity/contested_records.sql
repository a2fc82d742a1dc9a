-- The records of contested components, each with the name that speaks for it.
select named.component, named.record, named.first_name, named.last_name
from named
semi join contested using (component)
union all
select component.component, component.record, null, null
from component
semi join contested using (component)
anti join named on named.record = component.record
