"""What was undone stays undone: which values a plan must not write again, until they change.

    <org home>/undone.parquet    object, key, field, value, plan_id, undone_at

A row of ``undone`` names a value that we wanted and that was taken back. While we still want just
that, the field is left alone; a ``field`` of null speaks for the whole record, and its ``value``
is then the digest of all that we wanted of it. A key and field may have several values: the look-up
of a parent is wanted as its Id or, while the parent is not there, as ``@account:<key>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.sync.mapping.fields import IDS
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal, parquet_sql

UNDONE = {
    "object": "varchar",
    "key": "varchar",
    "field": "varchar",
    "value": "varchar",
    "plan_id": "varchar",
    "undone_at": "timestamptz",
}


def undone_path(org_home: Path) -> Path:
    """Where an org's undone values are kept."""
    return org_home / "undone.parquet"


def undone_sql(org_home: Path, object_name: str) -> str:
    """What was undone of one object: ``key``, ``field`` (null: the record), ``value``, ``plan_id``.

    A plan leaves a field alone while the value it wants equals ``value`` in normal form, and a
    record while ``digest_sql`` of the values it wants equals it.
    """
    path = undone_path(org_home)
    if not path.exists():
        nothing = ", ".join(f"null::varchar as {name}" for name in _COLUMNS)
        return f"select {nothing} where false"
    return (
        f"select {', '.join(_COLUMNS)} from {parquet_sql(path)}"
        f" where object = {literal(object_name)}"
    )


_COLUMNS = ("key", "field", "value", "plan_id")


def digest_sql(types: Mapping[str, str], relation: str) -> str:
    """The digest of a desired row: the same as long as no value that we want has changed.

    Blanks and look-ups do not count: a newly mapped field that is blank is no new value, and the
    Id of a parent depends on what became of the parent.

    Args:
        types: planned field → its describe type, in any order.
        relation: the name that qualifies the columns.
    """
    named = sorted(name for name, kind in types.items() if kind not in IDS)
    cells = ", ".join(f"{literal(f'{name}=')} || {relation}.{quoted(name)}" for name in named)
    return f"md5(concat_ws(chr(31), '', {cells}))" if named else "md5('')"


def undone_rows_sql(
    object_name: str,
    plan_id: str,
    types: Mapping[str, str],
    *,
    planned: str,
    inverse: str,
    resolved: str,
) -> str:
    """What an undo takes back, as rows of ``UNDONE``: values where fields, digests where records.

    Args:
        object_name: of the plan.
        plan_id: of the undo.
        types: the planned fields of the plan that is undone, with their describe types.
        planned: relation of the rows of that plan.
        inverse: relation of the rows of the undo.
        resolved: ``planned`` with look-ups to records of the same plan answered by their Ids.
    """
    fields = [name for name in types if name]
    cells = ", ".join(
        f"{{'field': {literal(name)}, 'value': planned_rows.{quoted(name)}}}" for name in fields
    )
    return _UNDONE_ROWS.format(
        object=literal(object_name),
        plan_id=literal(plan_id),
        cells=cells,
        digest=digest_sql(types, "planned"),
        planned=planned,
        inverse=inverse,
        resolved=resolved,
    )


_UNDONE_ROWS = """\
with

inverse as (select key, action, changed from {inverse}),

planned_rows as (
    select * from {planned}
    union all by name
    select * from {resolved}
),

cells as (
    select
        inverse.key,
        unnest(list_filter(
            [{cells}], lambda cell: list_contains(inverse.changed, cell.field)
        )) as cell
    from inverse
    join planned_rows on planned_rows.key = inverse.key
    where inverse.action = 'restore'
)

select distinct
    {object} as object,
    key,
    cell.field as field,
    cell.value as value,
    {plan_id} as plan_id,
    now() as undone_at
from cells
union all
select
    {object} as object,
    planned.key,
    null as field,
    {digest} as value,
    {plan_id} as plan_id,
    now() as undone_at
from {planned} as planned
join inverse on inverse.key = planned.key
where inverse.action in ('delete', 'clear_key')"""
