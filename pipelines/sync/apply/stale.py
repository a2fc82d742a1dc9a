"""Rows whose record was changed in the org after they were planned; they are planned anew.

Compared are the fields of the plan, deletion, conversion and key, never a mere stamp, and what the
record holds already because our own dead run wrote it is no change. Only of a record that is to be
deleted every change counts that somebody else has made, as it would be lost with the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.sync.apply.payload import DELETES, SENT, UNDELETES, sendable
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.named_objects import converts
from pipelines.sync.mapping.policies import Limit
from pipelines.sync.mapping.wire import normal_sql, quoted
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal, parquet_sql

STALE = "STALE"
UNDONE = ("restore", "clear_key", *DELETES)
"""The actions of an undo, which leaves alone what changed."""


def stale_sql(
    part: ObjectPlan, schema: Mapping[str, Field], planned: Path, records: str, user_id: str
) -> str:
    """Rows to hold, in the form of the table ``barred``, from the view ``payload``.

    Args:
        part: one object's part of a plan.
        schema: the object's fields, at least those that ``touched_sql`` names: each that is there
            besides costs as much to plan as one that matters.
        planned: the plan's own rows; only they carry ``before``.
        records: relation of the object's records as they are now.
        user_id: Id of the user we write as.
    """
    names = [name for name in part.types if name in schema]
    told = ",\n        ".join(_told(part, schema, names, user_id))
    return _STALE.format(
        planned=parquet_sql(planned),
        records=records,
        code=literal(STALE),
        told=told,
        undone=", ".join(map(literal, UNDONE)),
        sendable=sendable(SENT),
    )


def touched_sql(planned: Path) -> str:
    """The fields that some row of a plan writes, or would take along by deleting its record."""
    deleted = f"action in ({', '.join(map(literal, DELETES))})"
    return (
        f"select distinct unnest(case when {deleted} then map_keys(before) else changed end)"
        f" from {parquet_sql(planned)} where sf_id is not null"
    )


_STALE = """\
with

changed as (
    select planned.key, planned.before, records.*
    from {planned} as planned
    left join {records} as records on records."Id" = planned.sf_id
    where
        planned.sf_id is not null
        and (len(planned.changed) > 0 or planned.action in ('delete', 'undelete'))
),

told as (
    select payload.key, payload.action, list_filter([
        {told}
    ], lambda why: why is not null) as whys
    from changed as now
    join payload on payload.key = now.key
    where {sendable}
)

select
    key,
    'held' as outcome,
    {code} as code,
    'changed in the org since it was planned: ' || array_to_string(whys, '; ')
        || case when action in ({undone}) then '; it is left alone' else '; it is planned anew' end
        as message
from told
where len(whys) > 0
"""


def _told(
    part: ObjectPlan, schema: Mapping[str, Field], names: list[str], user_id: str
) -> list[str]:
    deletes = ", ".join(map(literal, (*DELETES, *UNDELETES)))
    gone = "coalesce(now.\"IsDeleted\", 'true') = 'true'"
    key = f"now.{quoted(part.key_field)}"
    whys = [
        "case when now.\"Id\" is null and payload.action = 'undelete' then 'its recycle bin has it"
        " no more' end",
        f"case when {gone} and payload.action not in ({deletes}) then 'it was deleted' end",
        f"case when not {gone} and {key} is not null and lower({key}) <> lower(payload.key)"
        f" and lower({key}) is distinct from lower(now.before[{literal(part.key_field)}])"
        f" then 'it carries the key ' || {key} end",
        f"case when not {gone} and {key} is null and payload.action in ('update', 'move',"
        " 'reassign', 'delete') then 'its key was removed' end",
    ]
    if any(action in part.counts for action in DELETES):
        whys.append(
            f"case when not {gone} and payload.action in ({deletes})"
            f' and now."LastModifiedById" <> {literal(user_id)}'
            " then 'somebody else has changed it' end"
        )
    if converts(part.object):
        whys.append(
            f"case when not {gone} and now.\"IsConverted\" = 'true' then 'it was converted' end"
        )
    return [*whys, *(_moved(schema[name], gone) for name in names)]


def _moved(field: Field, gone: str) -> str:
    """Whether a field to be sent is neither as the plan saw it nor as the plan wants it."""
    name = quoted(field.field)
    now = normal_sql(field, f"now.{name}")
    before = normal_sql(field, f"now.before[{literal(field.field)}]")
    wanted = normal_sql(field, f"payload.{name}")
    label = literal(f"{field.field} became ")
    deleted = f"payload.action in ({', '.join(map(literal, DELETES))})"
    return (
        f"case when not {gone} and case when {deleted}"
        f" then list_contains(map_keys(now.before), {literal(field.field)})"
        f" else list_contains(payload.changed, {literal(field.field)})"
        f" and {now} is distinct from {wanted} end"
        f" and {now} is distinct from {before}"
        f" then {label} || coalesce(now.{name}, 'empty') end"
    )


def too_many(stale: int, rows: int, limit: Limit | None, *, strict: bool) -> str | None:
    """Why nothing of an object is sent when so many of its rows are stale; none when the rest may.

    Args:
        stale: rows that changed since they were planned.
        rows: rows to be sent, these included.
        limit: ``guards.max_stale``.
        strict: whether a single one is too many.
    """
    if strict and stale:
        return "--strict allows none"
    if limit is not None and stale > limit.above and stale > limit.share * rows:
        return f"guards.max_stale stops above {limit.above} and {limit.share:.0%}"
    return None
