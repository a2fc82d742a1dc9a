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
    reasons = ",\n        ".join(_reasons(part, schema, names, user_id))
    return _STALE.format(
        planned=parquet_sql(planned),
        records=records,
        code=literal(STALE),
        reasons=reasons,
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

judged as (
    select payload.key, payload.action, list_filter([
        {reasons}
    ], lambda reason: reason is not null) as reasons
    from changed as record
    join payload on payload.key = record.key
    where {sendable}
)

select
    key,
    'held' as outcome,
    {code} as code,
    'changed in the org since it was planned: ' || array_to_string(reasons, '; ')
        || case when action in ({undone}) then '; it is left alone' else '; it is planned anew' end
        as message
from judged
where len(reasons) > 0
"""


def _reasons(
    part: ObjectPlan, schema: Mapping[str, Field], names: list[str], user_id: str
) -> list[str]:
    deletes = ", ".join(map(literal, (*DELETES, *UNDELETES)))
    is_deleted = "coalesce(record.\"IsDeleted\", 'true') = 'true'"
    key = f"record.{quoted(part.key_field)}"
    reasons = [
        "case when record.\"Id\" is null and payload.action = 'undelete'"
        " then 'its recycle bin has it no more' end",
        f"case when {is_deleted} and payload.action not in ({deletes}) then 'it was deleted' end",
        f"case when not {is_deleted} and {key} is not null and lower({key}) <> lower(payload.key)"
        f" and lower({key}) is distinct from lower(record.before[{literal(part.key_field)}])"
        f" then 'it carries the key ' || {key} end",
        f"case when not {is_deleted} and {key} is null and payload.action in ('update', 'move',"
        f" 'reassign', 'delete') and not map_contains(record.before, {literal(part.key_field)})"
        " then 'its key was removed' end",
    ]
    if any(action in part.counts for action in DELETES):
        reasons.append(
            f"case when not {is_deleted} and payload.action in ({deletes})"
            f' and record."LastModifiedById" <> {literal(user_id)}'
            " then 'somebody else has changed it' end"
        )
    if converts(part.object):
        reasons.append(
            f"case when not {is_deleted} and record.\"IsConverted\" = 'true'"
            " then 'it was converted' end"
        )
    return [*reasons, *(_moved(schema[name], is_deleted) for name in names)]


def _moved(field: Field, is_deleted: str) -> str:
    """Whether a field to be sent is neither as the plan saw it nor as the plan wants it."""
    name = quoted(field.field)
    current = normal_sql(field, f"record.{name}")
    before = normal_sql(field, f"record.before[{literal(field.field)}]")
    planned = normal_sql(field, f"payload.{name}")
    label = literal(f"{field.field} became ")
    deleted = f"payload.action in ({', '.join(map(literal, DELETES))})"
    return (
        f"case when not {is_deleted} and case when {deleted}"
        f" then list_contains(map_keys(record.before), {literal(field.field)})"
        f" else list_contains(payload.changed, {literal(field.field)})"
        f" and {current} is distinct from {planned} end"
        f" and {current} is distinct from {before}"
        f" then {label} || coalesce(record.{name}, 'empty') end"
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
