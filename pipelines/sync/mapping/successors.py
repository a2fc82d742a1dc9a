"""Work tables of a match: records that took the place of one of ours in the org.

A Lead of ours that was converted lives on as a Contact, and a record that was merged as its master.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import CONTACT, LEAD
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

CONVERSION, MERGE = "conversion", "merge"
"""The rules that find the Contact of a converted Lead, and the master of a merged record."""


def lead_of(mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]) -> ObjectMapping | None:
    """The mapping of Leads whose conversions make the records of ``mapping``, if there is one."""
    if mapping.object != CONTACT:
        return None
    return next(iter(of_object(mappings, LEAD)), None)


def successors_sql(
    mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping], policies: Policies
) -> str:
    """Keys of ours on records that gave way: ``entity_key``, ``sf_id`` of what came, ``rule``.

    It reads the match's ``aliases``.
    """
    queries = ["select null::varchar as key, null::varchar as sf_id, null as rule where false"]
    if lead := lead_of(mapping, mappings):
        queries.append(_successor_sql(lead, "ConvertedContactId", CONVERSION))
    if policies.merged_in_org == "follow":
        queries.append(_successor_sql(mapping, "MasterRecordId", MERGE))
    rows = "\n    union all\n    ".join(queries)
    return _SUCCESSORS.format(rows=rows)


def _successor_sql(mapping: ObjectMapping, field: str, rule: str) -> str:
    key, records = quoted(mapping.key), relation("org", mapping.object)
    return (
        f"select lower({key}), {quoted(field)}, {literal(rule)} from {records}"
        f" where {key} is not null and {quoted(field)} is not null"
    )


_SUCCESSORS = """\
select coalesce(aliases.entity_key, gave_way.key) as entity_key, gave_way.sf_id, gave_way.rule
from (
    {rows}
) as gave_way
left join aliases on aliases.alias = gave_way.key"""
