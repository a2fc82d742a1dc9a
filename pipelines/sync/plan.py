"""The plan: what the records should look like against what the org holds, row by row.

Everything is decided here. A row carries the fields that are to be sent (``changed``) and their
values; applying it adds nothing to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.sync.fields import Field
from pipelines.sync.mapping import Constant, FieldRule, ObjectMapping, relation
from pipelines.sync.policies import Policies
from pipelines.sync.wire import normal_sql, quoted, text_literal, wire_sql
from pipelines.warehouse import literal

ACTIONS = ("create", "adopt", "update", "unchanged", "hold")
OPT_OUTS = frozenset({"HasOptedOutOfEmail", "PersonHasOptedOutOfEmail"})
"""Consent: what the org says and we did not write is never turned back."""

COLUMNS = ("key", "action", "sf_id", "reason", "changed", "before")
"""What a row of a plan has before its fields."""


def plan_sql(
    mapping: ObjectMapping,
    schema: Mapping[str, Field],
    policies: Policies,
) -> str:
    """The relation ``plan_<object>`` from ``sf_``, ``org_match_``, ``org_`` and ``sent_<object>``.

    Columns: ``key``, ``action``, ``sf_id``, ``reason`` (of a hold), ``changed`` (API names of the
    fields to send), ``before`` (their values in the snapshot), then the desired fields.

    ``sent_<object>`` (``key``, ``fields``) is what we ever wrote of each record: a field that we
    never wrote follows its ``on_adopt``, also long after the record was adopted.
    """
    fields = {name: schema[name] for name in mapping.enabled()}
    befores = [f"{{'k': {literal(name)}, 'v': {_was(name)}}}" for name in fields]
    return _PLAN.format(
        desired=relation("sf", mapping.object),
        matched=relation("org_match", mapping.object),
        records=relation("org", mapping.object),
        ledger=relation("sent", mapping.object),
        desired_columns=_listed((f"desired.{quoted(name)}" for name in fields), 8),
        record_columns=_listed((f"records.{quoted(name)} as {_was(name)}" for name in fields), 8),
        holds="".join(f"\n            {hold}" for hold in _holds(mapping, schema)),
        changes=_listed((_change_sql(mapping, field, policies) for field in fields.values()), 16),
        befores=_listed(befores, 12),
        columns=_listed(map(quoted, fields), 4),
    )


_PLAN = """\
with

desired as (select * from {desired}),

matched as (select * from {matched}),

records as (select * from {records}),

ledger as (select * from {ledger}),

joined as (
    select
        desired.key,
        desired._held,
        matched.sf_id,
        matched.rule as _rule,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(ledger.fields, []) as _sent,
        {desired_columns},
        {record_columns}
    from desired
    left join matched on matched.entity_key = desired.key
    left join records on records."Id" = matched.sf_id
    left join ledger on ledger.key = desired.key
),

held as (
    select
        *,
        case
            when _held is not null then _held{holds}
        end as reason
    from joined
),

-- What is to be sent: on a create every value, else what differs after its normal form.
compared as (
    select
        *,
        case
            when reason is not null then []
            else list_filter([
                {changes}
            ], lambda name: name is not null)
        end as changed
    from held
)

select
    key,
    case
        when reason is not null then 'hold'
        when sf_id is null then 'create'
        when _adopt then 'adopt'
        when len(changed) > 0 then 'update'
        else 'unchanged'
    end as action,
    sf_id,
    reason,
    changed,
    case
        when sf_id is null or len(changed) = 0 then map {{}}
        else map_from_entries(list_filter([
            {befores}
        ], lambda entry: list_contains(changed, entry.k)))
    end as before,
    {columns}
from compared
"""


def _change_sql(mapping: ObjectMapping, field: Field, policies: Policies) -> str:
    """The field's name where it is to be sent, else null.

    The cheap questions come first: most values are blank, new or the same letter by letter.
    """
    name, rule, when = field.field, mapping.fields[field.field], mapping.when(field.field)
    ours, theirs, told = quoted(name), _was(name), literal(field.field)
    if mapping.object == "Account" and name == "Name" and policies.customers.account_name == "keep":
        when = "insert"
    if when == "insert":
        return f"case when sf_id is null and {ours} is not null then {told} end"
    unknown = f"not list_contains(_sent, {told})"
    filled = f"{theirs} = 'true'" if field.type == "boolean" else f"{theirs} is not null"
    cases = [
        f"when {ours} is null then {_cleared(rule, field, unknown)}",
        f"when sf_id is null then {'null' if when == 'update' else told}",
        f"when {ours} = {theirs} then null",
    ]
    if name in OPT_OUTS:
        cases.append(f"when {theirs} = 'true' and {unknown} then null")
    if fills := _fills_only(rule, field, when, unknown):
        cases.append(f"when {fills} and {filled} then null")
    cases.append(
        f"when\n        {normal_sql(field, ours)}\n"
        f"        is distinct from {normal_sql(field, theirs)}\n        then {told}"
    )
    lines = "".join(f"\n    {line}" for line in cases)
    return f"case{lines}\nend"


def _cleared(rule: FieldRule, field: Field, unknown: str) -> str:
    if rule.blank == "keep" or rule.when == "if_empty":
        return "null"
    unless = f" and not ({unknown})" if rule.on_adopt == "fill_empty" else ""
    theirs = _was(field.field)
    return f"case when {theirs} is not null{unless} then {literal(field.field)} end"


def _fills_only(rule: FieldRule, field: Field, when: str, unknown: str) -> str:
    """When a value may only fill a blank: by ``when``, on adoption, or as a mere default."""
    if when == "if_empty":
        return "true"
    conditions = [unknown] if rule.on_adopt == "fill_empty" else []
    if rule.default is not None and rule.lookup is None:
        default = wire_sql(field, _default(rule.default))
        conditions.append(f"{quoted(field.field)} = {default}")
    return f"({' or '.join(conditions)})" if len(conditions) > 1 else "".join(conditions)


def _default(value: Constant) -> str:
    return text_literal(str(value).lower() if isinstance(value, bool) else str(value))


def _holds(mapping: ObjectMapping, schema: Mapping[str, Field]) -> list[str]:
    label = mapping.object
    told = {
        "ambiguous": f"ambiguous: somebody else of ours matches the same {label} of the org",
        "deleted": f"its {label} was deleted in the org (deleted_in_org: leave)",
        "converted": f"its {label} was converted in the org",
    }
    holds = [f"when _rule = {literal(rule)} then {literal(why)}" for rule, why in told.items()]
    for name in mapping.enabled():
        if schema[name].required:
            missing = f"{name} is empty, and Salesforce demands it"
            condition = f"sf_id is null and {quoted(name)} is null"
            holds.append(f"when {condition} then {literal(missing)}")
    return holds


def _was(name: str) -> str:
    return quoted(f"_was_{name}")


def _listed(items: Iterable[str], indent: int) -> str:
    """Items one below the other, each line after the first indented."""
    pad = "\n" + " " * indent
    return f",{pad}".join(item.replace("\n", pad) for item in items)
