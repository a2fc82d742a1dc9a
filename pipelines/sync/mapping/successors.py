"""Work tables of a match: records of ours that gave way in the org, and what took their place.

A Lead of ours that was converted lives on as a Contact, and a record that was merged as its master,
which may have been merged itself since.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.matched import CONVERTED, DELETED, MERGED
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import CONTACT, LEAD, converts
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal


def _masters_sql(records: str, indent: int = 0) -> str:
    return _MASTERS.format(records=records).replace("\n", "\n" + " " * indent)


_MASTERS = """\
with recursive merges as (
    select "Id" as merged, "MasterRecordId" as master
    from {records}
    where "MasterRecordId" is not null
    union
    select merges.merged, masters."MasterRecordId"
    from merges
    join {records} as masters on masters."Id" = merges.master
    where masters."MasterRecordId" is not null
)

select merged, master
from merges
where master not in (select merged from merges)"""


CONVERSION, MERGE = "conversion", "merge"
"""The rules that find the Contact of a converted Lead, and the master of a merged record."""


def lead_of(mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]) -> ObjectMapping | None:
    """The mapping of Leads whose conversions make the records of ``mapping``, if there is one."""
    if mapping.object != CONTACT:
        return None
    return next(iter(of_object(mappings, LEAD)), None)


def masters_sql(mapping: ObjectMapping) -> str:
    """``merged``, every record that was; ``master`` that it lives on as in the end."""
    return _masters_sql(relation("org", mapping.object))


def successors_sql(
    mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping], policies: Policies
) -> str:
    """Keys of ours on records that gave way: ``entity_key``, ``sf_id`` of what came, ``rule``.

    It reads the match's ``aliases`` and ``masters``.
    """
    follows = policies.merged_in_org == "follow"
    queries = ["select null::varchar as key, null::varchar as sf_id, null as rule where false"]
    if lead := lead_of(mapping, mappings):
        converted = (_CONVERTED_AND_MERGED if follows else _CONVERTED).format(
            key=quoted(lead.key), leads=relation("org", LEAD), rule=literal(CONVERSION)
        )
        queries.append(converted)
    if follows:
        records = relation("org", mapping.object)
        merged = _MERGED.format(key=quoted(mapping.key), records=records, rule=literal(MERGE))
        queries.append(merged)
    rows = "\n    union all\n    ".join(queries)
    return _SUCCESSORS.format(rows=rows)


_CONVERTED = """\
select lower({key}), "ConvertedContactId", {rule}
    from {leads}
    where {key} is not null and "ConvertedContactId" is not null"""

_MERGED = """\
select lower({key}), masters.master, {rule}
    from {records}
    join masters on masters.merged = "Id"
    where {key} is not null"""

_CONVERTED_AND_MERGED = f"""\
select
        lower(leads.{{key}}),
        coalesce(masters.master, living."ConvertedContactId"),
        {{rule}}
    from {{leads}} as leads
    left join (
        {_masters_sql(relation("org", LEAD), 8)}
    ) as lead_masters on lead_masters.merged = leads."Id"
    join {{leads}} as living on living."Id" = coalesce(lead_masters.master, leads."Id")
    left join masters on masters.merged = living."ConvertedContactId"
    where leads.{{key}} is not null and living."ConvertedContactId" is not null"""

_SUCCESSORS = """\
select coalesce(aliases.entity_key, gave_way.key) as entity_key, gave_way.sf_id, gave_way.rule
from (
    {rows}
) as gave_way
left join aliases on aliases.alias = gave_way.key"""


def dead_keys_sql(mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]) -> str:
    """Keys that only dead records carry: ``key``, ``rule``, ``gone_id`` of what is there instead.

    Of several records of a key the one that died last counts. The Contact that a Lead of ours was
    converted into is ours as well, with no key on it. It reads the match's ``masters``.
    """
    queries = [_own_dead_sql(mapping)]
    if lead := lead_of(mapping, mappings):
        queries.append(
            _CONVERTED_AND_DEAD.format(
                key=quoted(lead.key),
                leads=relation("org", LEAD),
                records=relation("org", mapping.object),
                rule=_DEATH.format(record="contacts."),
                last=_LAST.format(record="contacts."),
                alive=alive_sql(mapping, "contacts."),
            )
        )
    rows = "\n    union all\n    ".join(queries)
    return _DEAD_KEYS.format(rows=rows)


def alive_sql(mapping: ObjectMapping, record: str = "") -> str:
    """Whether a record of the org can be written; ``record`` is put before each column."""
    alive = f"{record}\"IsDeleted\" = 'false'"
    if converts(mapping.object):
        alive += f" and {record}\"IsConverted\" = 'false'"
    return alive


def _own_dead_sql(mapping: ObjectMapping) -> str:
    rule = _DEATH.format(record="")
    if converts(mapping.object):
        rule = f"case when \"IsConverted\" = 'true' then {literal(CONVERTED)} else {rule} end"
    return _DEAD.format(
        key=quoted(mapping.key),
        records=relation("org", mapping.object),
        rule=rule,
        last=_LAST.format(record=""),
        alive=alive_sql(mapping),
    )


_DEATH = f'if({{record}}"MasterRecordId" is not null, {literal(MERGED)}, {literal(DELETED)})'
_LAST = 'coalesce({record}"LastModifiedDate", {record}"CreatedDate", \'\') || {record}"Id"'

_DEAD = """\
select
        lower({key}) as key,
        {rule} as rule,
        coalesce(masters.master, "Id") as gone_id,
        {last} as died
    from {records}
    left join masters on masters.merged = "Id"
    where {key} is not null and not ({alive})"""

_CONVERTED_AND_DEAD = """\
select
        lower(leads.{key}),
        {rule},
        coalesce(masters.master, contacts."Id"),
        {last}
    from {leads} as leads
    join {records} as contacts on contacts."Id" = leads."ConvertedContactId"
    left join masters on masters.merged = contacts."Id"
    where leads.{key} is not null and not ({alive})"""

_DEAD_KEYS = """\
select key, arg_max(rule, died) as rule, arg_max(gone_id, died) as gone_id
from (
    {rows}
)
group by key"""
