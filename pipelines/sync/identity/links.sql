-- Every record of the people in the batch's scope.
select
    member.person_key,
    version.record,
    version.source,
    version.source_id,
    version.entity,
    member.rule,
    linked.source as via_source,
    linked.source_id as via_source_id,
    version.batch,
    version.as_of
from version
join state.member as member on member.record = version.record
left join version as linked on linked.record = member.via
