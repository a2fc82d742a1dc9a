"""What becomes of a field that differs: three-way between us, the org and what was written last.

``source_changed`` means that what we want now is not what we sent last; ``org_changed`` that what
the org holds now is not what it stored then. Both are asked after the normal form of the field's
type, and of a group as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.sync.layout import listed
from pipelines.sync.mapping.fields import OPT_OUTS, Field
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.policies import Policies, when
from pipelines.sync.mapping.wire import constant_sql, wire_sql
from pipelines.sync.plan.differences import compared, is_company
from pipelines.warehouse import literal

SENT = {
    "write": "our value changed",
    "fill": "blank in the org",
    "restore": "only the org changed it since we wrote it; drift: restore",
    "opt_out": "whoever said no is opted out, whatever the org has made of it since",
    "conflict_source": "both changed it since we wrote it; conflict: source",
    "truncated": "cut to what the field takes (too_long: truncate)",
}
"""Decisions that send a value, and what each means."""

KEPT = {
    "drift_kept": "only the org changed it since we wrote it; drift: keep",
    "conflict_salesforce": "both changed it since we wrote it; conflict: salesforce",
    "automation_kept": "we sent this before; an automation of the org makes something else of it",
    "adopt_kept": "it was in the org before us; on_adopt: fill_empty",
    "filled_kept": "ours only fills blanks (when: if_empty, or a default); the org has a value",
    "consent_kept": "an opt-out in the org that we did not write is never turned back",
    "undone_kept": "it was undone, and our value has not changed since",
    "company_differs": "its company is another one; it stays at its account (when: insert)",
    "waits": "it waits with the rest of its row, whose opt-out alone is sent",
    "review": "somebody has to look: drift, conflict or on_adopt says review",
}
"""Decisions that leave the org's value alone, and what each means."""


def rules_sql(mapping: ObjectMapping, schema: Mapping[str, Field], policies: Policies) -> str:
    """What the mapping says of each field that is compared, one row each."""
    rows = [
        _rule_row(place, schema[name], mapping, policies)
        for place, name in enumerate(compared(mapping, policies))
    ]
    # The first row is none: it gives the types where a mapping compares nothing.
    none = f"(null::varchar, 0, {', '.join(['null::varchar'] * 6)}, false, false, false)"
    columns = (
        "field, place, type, unit, drift, conflict, on_adopt, standby, fills, consent, company"
    )
    values = listed([none, *rows], 4)
    return f"select *\nfrom (\n    values\n    {values}\n) as rule (\n    {columns}\n)"


def _rule_row(place: int, field: Field, mapping: ObjectMapping, policies: Policies) -> str:
    name, rule = field.field, mapping.fields[field.field]
    group = mapping.group(name)
    fills = when(mapping, name, policies) == "if_empty"
    cells = [
        literal(name),
        str(place),
        literal(field.type),
        "null" if group is None else literal(group),
        *map(literal, (rule.drift, rule.conflict, _on_adopt(rule, field, policies))),
        _standby(rule, field, policies.batches.timezone),
    ]
    flags = (fills, name in OPT_OUTS, is_company(mapping, name, policies))
    return f"({', '.join((*cells, *map(_flag, flags)))})"


def _on_adopt(rule: FieldRule, field: Field, policies: Policies) -> str:
    """As the mapping says, else as the policy of the names of accounts does."""
    overwrites = policies.customers.overwrite(field.object, field.field)
    return "overwrite" if overwrites and "on_adopt" not in rule.model_fields_set else rule.on_adopt


def _standby(rule: FieldRule, field: Field, zone: str) -> str:
    """The default in wire form: a value that only stands in for one that nobody knows."""
    if rule.default is None or rule.lookup is not None:
        return "null"
    return wire_sql(field, constant_sql(rule.default), zone)


def _flag(value: bool) -> str:
    return str(value).lower()


def decided_ctes(differences: str, ledger: str, undone: str) -> dict[str, str]:
    """The work tables from the differences of an object to one decision per field.

    They read the relations named, and ``rules``; the last, ``decided``, holds ``key``, ``place``,
    ``field``, ``before``, ``after``, ``sent``, ``decision`` and ``sends``.
    """
    return {
        "undone_fields": _UNDONE_FIELDS.format(differences=differences, undone=undone),
        "moved": _MOVED.format(differences=differences, ledger=ledger),
        "units": _UNITS,
        "decided": _DECIDED,
    }


_UNDONE_FIELDS = """\
select distinct differences.key, differences.field
from {differences} as differences
join rules on rules.field = differences.field
join {undone} as undone
    on undone.key = differences.key
    and undone.field = differences.field
    and normal_value(rules.type, undone.value)
        is not distinct from normal_value(rules.type, differences.after)"""

_MOVED = """\
select
    differences.key,
    differences.field,
    differences.before,
    differences.after,
    differences.equal,
    rules.* exclude (field),
    ledger.sent,
    ledger.key is not null as written,
    normal_value(rules.type, differences.after)
        is distinct from normal_value(rules.type, ledger.sent) as source_changed,
    normal_value(rules.type, differences.before)
        is distinct from normal_value(rules.type, ledger.stored) as org_changed,
    differences.before is null or (rules.type = 'boolean' and differences.before = 'false')
        as blank,
    undone_fields.key is not null as undone
from {differences} as differences
join rules on rules.field = differences.field
left join {ledger} as ledger
    on ledger.key = differences.key and ledger.field = differences.field
left join undone_fields
    on undone_fields.key = differences.key and undone_fields.field = differences.field"""

_UNITS = """\
select moved.* replace (fills or coalesce(after = standby, false) as fills)
from moved
where unit is null
union all by name
-- A group moved when any of its fields did, and is blank when all of them are.
select
    moved.* replace (
        bool_or(written) over whole as written,
        bool_or(source_changed) over whole as source_changed,
        bool_or(org_changed) over whole as org_changed,
        bool_and(blank) over whole as blank,
        bool_or(undone) over whole as undone,
        bool_or(fills) over whole or bool_and(coalesce(after = standby, false)) over whole as fills
    )
from moved
where unit is not null
window whole as (partition by key, unit)"""

_DECIDED = """\
select
    key,
    place,
    field,
    before,
    after,
    sent,
    case
        when company then 'company_differs'
        when undone then 'undone_kept'
        when consent and before = 'true' and sent is distinct from 'true' then 'consent_kept'
        when fills and not blank then 'filled_kept'
        when not written and blank then 'fill'
        when consent and after = 'true' and org_changed
            and (not source_changed or conflict <> 'source')
            then 'opt_out'
        when not written and on_adopt = 'overwrite' then 'write'
        when not written and on_adopt = 'review' then 'review'
        when not written then 'adopt_kept'
        when source_changed and org_changed and conflict = 'review' then 'review'
        when source_changed and org_changed then 'conflict_' || conflict
        when source_changed then 'write'
        when not org_changed then 'automation_kept'
        when drift = 'keep' then 'drift_kept'
        else drift
    end as decision,
    decision in ({sent}) as sends
from units
where not equal""".format(sent=", ".join(map(literal, SENT)))


def row_fields_sql() -> str:
    """Per key: what is said of its fields, which are sent, and what the org holds in those.

    It reads ``decided`` and ``cuts``, the texts that do not fit: where one is sent, it says so.
    """
    return _ROW_FIELDS.format(reason_cases="\n".join(_reason_cases()))


def _reason_cases() -> Iterator[str]:
    for decision, reason in (SENT | KEPT).items():
        if decision == "truncated":  # nothing is decided so, it is what becomes of a write
            continue
        yield f"            when {literal(decision)} then {literal(reason)}"


_ROW_FIELDS = """\
select
    decided.key,
    list({{
        'field': decided.field,
        'decision': case
            when decision in ('write', 'fill') and cuts.key is not null then 'truncated'
            else decision
        end,
        'before': before,
        'after': decided.after,
        'sent': sent,
        'why': concat_ws('; ', case decision
{reason_cases}
        end, case when sends then cuts.why end)
    }} order by place) as fields,
    list(decided.field order by place) filter (where sends) as changed,
    list(before order by place) filter (where sends) as befores
from decided
left join cuts on cuts.key = decided.key and cuts.field = decided.field
group by decided.key"""
