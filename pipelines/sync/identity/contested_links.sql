-- Links of contested components that rest on no value: parents and decisions.
select component.component, edge.record, edge.root, edge.rule
from edge
join component on component.record = edge.record
semi join contested on contested.component = component.component
where edge.rule in ('same_parent', 'decided')
