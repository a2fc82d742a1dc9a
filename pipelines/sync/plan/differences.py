"""Where a record of the org differs from what it should look like: the only rows worth a decision.

Most records are as they should be, letter by letter, and a record that the org has not got yet
needs no comparison at all. So the cheap question comes first, and all that follows (ledger,
policies, reasons) is asked of the fields that this relation holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.sync.layout import listed
from pipelines.sync.mapping.fields import OPT_OUTS, Field
from pipelines.sync.mapping.matched import DELETED
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import ACCOUNT
from pipelines.sync.mapping.policies import Policies, when
from pipelines.sync.mapping.wire import differs_sql, quoted
from pipelines.warehouse import literal


def differences_sql(mapping: ObjectMapping, schema: Mapping[str, Field], policies: Policies) -> str:
    """The relation ``differences_<mapping>`` from ``sf_``, ``org_match_<mapping>`` and the org.

    Columns: ``key``, ``field``, ``before`` (the org's value), ``after`` (ours) and ``equal``. A row
    per field that differs after its normal form; of a group that differs also the members that do
    not, because they are decided together.
    """
    fields = [schema[name] for name in compared(mapping, policies)]
    if not fields:
        return _NOTHING
    units = list(_units(mapping, fields, policies))
    return _DIFFERENCES.format(
        desired=relation("sf", mapping.stem),
        matched=matched_sql(mapping, policies),
        records=relation("org", mapping.object),
        eligible=_eligible(fields),
        columns=listed(_columns(fields), 8),
        units="\n        or ".join(condition for condition, _ in units),
        entries=listed((_entry(field, condition) for condition, field in _each(units)), 12),
    )


def _eligible(fields: list[Field]) -> str:
    """Who waits changes nothing, but for an opt-out, which waits for nobody."""
    out = [f"{quoted(field.field)} = 'true'" for field in fields if field.field in OPT_OUTS]
    return " or ".join(("_held is null", *out))


def matched_sql(mapping: ObjectMapping, policies: Policies) -> str:
    """``org_match_<mapping>`` as the plan goes by it: what is undeleted is a match, too."""
    matched = relation("org_match", mapping.stem)
    if policies.deleted_in_org != "undelete":
        return f"select * from {matched}"
    sf_id = f"case when rule = {literal(DELETED)} then gone_id else sf_id end"
    return f"select * replace ({sf_id} as sf_id) from {matched}"


def compared(mapping: ObjectMapping, policies: Policies) -> list[str]:
    """The fields that may change on a record that is there, and accounts, of which it is told."""
    return [
        name
        for name in mapping.enabled()
        if when(mapping, name, policies) != "insert" or is_company(mapping, name, policies)
    ]


def is_company(mapping: ObjectMapping, field: str, policies: Policies) -> bool:
    """Whether a field names the account of a record that stays where it is once it is there."""
    looked_up = mapping.fields[field].lookup
    return looked_up == ACCOUNT and when(mapping, field, policies) == "insert"


_DIFFERENCES = """\
with

desired as (select * from {desired} where {eligible}),

matched as (select * from ({matched}) where sf_id is not null),

records as (select * from {records}),

compared as (
    select
        desired.key,
        {columns}
    from desired
    join matched on matched.entity_key = desired.key
    join records on records."Id" = matched.sf_id
),

entries as (
    select
        key,
        unnest(list_filter([
            {entries}
        ], lambda entry: entry is not null)) as entry
    from compared
    where
        {units}
)

select key, entry.field, entry.before, entry.after, entry.equal
from entries
"""

_NOTHING = """\
select
    null::varchar as key,
    null::varchar as field,
    null::varchar as before,
    null::varchar as after,
    true as equal
where false
"""


def _columns(fields: list[Field]) -> Iterator[str]:
    for field in fields:
        desired, stored = (f"{table}.{quoted(field.field)}" for table in ("desired", "records"))
        yield desired
        yield f"{stored} as {_was(field)}"
        yield f"{differs_sql(field, desired, stored)} as {_differs(field)}"


def _units(
    mapping: ObjectMapping, fields: list[Field], policies: Policies
) -> Iterator[tuple[str, list[Field]]]:
    """What is compared as one: a single field, or the fields of a group; with its condition."""
    groups_done = set()
    for field in fields:
        group = mapping.group(field.field)
        clears = mapping.fields[field.field].blank == "clear"
        if is_company(mapping, field.field, policies):
            yield f"({_was(field)} <> '' and {_unit_differs([field], clears=False)})", [field]
        elif group is None:
            yield _unit_differs([field], clears=clears), [field]
        elif group not in groups_done:
            groups_done.add(group)
            members = [member for member in fields if member.field in mapping.groups[group]]
            yield _unit_differs(members, clears=clears), members


def _each(units: list[tuple[str, list[Field]]]) -> Iterator[tuple[str, Field]]:
    for condition, members in units:
        for field in members:
            yield condition, field


def _entry(field: Field, condition: str) -> str:
    desired, stored = quoted(field.field), _was(field)
    values = f"'before': {stored}, 'after': {desired}, 'equal': not {_differs(field)}"
    return (
        f"case\n    when {condition}\n    then {{'field': {literal(field.field)}, {values}}}\nend"
    )


def _unit_differs(members: list[Field], *, clears: bool) -> str:
    """Whether a field or block differs: its blanks count where they clear, or stand in a block."""
    anywhere = " or ".join(map(_differs, members))
    if clears:
        return f"({anywhere})"
    if len(members) == 1:
        return f"({quoted(members[0].field)} is not null and {anywhere})"
    values = ", ".join(quoted(field.field) for field in members)
    return f"(coalesce({values}) is not null and ({anywhere}))"


def _differs(field: Field) -> str:
    return quoted(f"_differs_{field.field}")


def _was(field: Field) -> str:
    return quoted(f"_was_{field.field}")
