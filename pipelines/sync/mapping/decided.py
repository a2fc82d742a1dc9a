"""Work tables of a match from ``decisions.csv``: whose record people say which one is (``use``)."""

from __future__ import annotations

from pipelines.sync.decisions import FILE
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import CONTACT, LEAD, PREFIXES, converts
from pipelines.sync.mapping.persons import WITH_PERSONS, is_person_sql
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

DECISION = "decision"
"""The rule that finds a record because somebody said so."""


def references_sql(kind: str, key_column: str) -> str:
    """Lines of one kind with those whom they mean: ``entity_key``, ``target``, ``line``.

    It reads ``config_decisions``, ``aliases`` (``entity_key``, ``alias``) and, for people,
    ``person_links``. Of several lines about one entity each stands here.
    """
    lines = f"select * from config_decisions where kind = {literal(kind)}"
    by_record = _BY_RECORD.format(lines=lines) if key_column == "person_key" else ""
    return _REFERENCES.format(lines=lines, by_record=by_record)


_REFERENCES = """\
select
    coalesce(aliases.entity_key, decision.reference) as entity_key,
    decision.target,
    decision.line
from ({lines}) as decision
left join aliases on aliases.alias = decision.reference{by_record}"""

_BY_RECORD = """
union all
select person_links.person_key, decision.target, decision.line
from ({lines}) as decision
join person_links
    on person_links.source = split_part(decision.reference, ':', 1)
    and person_links.source_id
        = substr(decision.reference, position(':' in decision.reference) + 1)"""


def decided_ctes(mapping: ObjectMapping) -> dict[str, str]:
    """The work tables ``decisions`` and ``decided``; the match has the others.

    ``decided`` holds the last decision of each entity: ``entity_key``, ``sf_id``, ``line``,
    ``since``, ``done`` (the record has its key already) and ``wrong``, why it cannot be followed.
    """
    restriction = "" if mapping.object != CONTACT else _NO_LEADS.format(lead=PREFIXES[LEAD])
    return {
        "decisions": _DECISIONS.format(
            references=_indented(references_sql("use", mapping.key_column), 4),
            restriction=restriction,
        ),
        "decided": _DECIDED.format(
            records=relation("org", mapping.object),
            key=quoted(mapping.key),
            wrong="\n        ".join(_wrong(mapping)),
            place=literal(f"{FILE}:"),
        ),
    }


_DECISIONS = """\
select *
from (
    select *
    from (
    {references}
    )
    semi join entities using (entity_key)
    qualify row_number() over (partition by entity_key order by line desc) = 1
){restriction}"""

# That somebody is a Lead is for the match of Leads to heed.
_NO_LEADS = "\nwhere not starts_with(target, '{lead}')"

_DECIDED = """\
select
    decisions.entity_key,
    decisions.target as sf_id,
    decisions.line,
    named."CreatedDate" || named."Id" as since,
    lower(named.{key}) is not distinct from decisions.entity_key as done,
    {place} || decisions.line || ' says it is ' || decisions.target || case
        when lower(named.{key}) = decisions.entity_key then null
        {wrong}
    end as wrong
from decisions
left join {records} as named on named."Id" = decisions.target
left join records as own on own.key = decisions.entity_key
left join aliases
    on aliases.entity_key = decisions.entity_key and aliases.alias = lower(named.{key})"""


def _wrong(mapping: ObjectMapping) -> list[str]:
    """Cases with the reason why a decision cannot be followed."""
    name, key = mapping.object, quoted(mapping.key)
    kinds = [
        f"when starts_with(decisions.target, {literal(prefix)})"
        f" then {literal(f', which is no {name} but an Id of {object_name}')}"
        for object_name, prefix in PREFIXES.items()
        if object_name != name and name in PREFIXES
    ]
    converted = literal(", a Lead that was converted")
    person = literal(", a person account, which is not written yet")
    return [
        *kinds,
        f'when named."Id" is null then {literal(f", but this org has no such {name}")}',
        'when named."MasterRecordId" is not null'
        " then ', which was merged into ' || named.\"MasterRecordId\"",
        "when named.\"IsDeleted\" = 'true' then ', which was deleted'",
        *([f"when named.\"IsConverted\" = 'true' then {converted}"] if converts(name) else []),
        *([f"when {is_person_sql('named')} then {person}"] if name in WITH_PERSONS else []),
        f"when named.{key} is not null and aliases.alias is null"
        f" then ', which is somebody else''s by its key ' || lower(named.{key})",
        f"when own.sf_id is not null then {literal(f', but its {name} is ')} || own.sf_id",
    ]


def _indented(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)
