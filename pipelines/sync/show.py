"""A saved plan as plain data, for whoever shows it: counts first, then field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sync.plan import ACTIONS, WRITES
from pipelines.sync.saved_plan import Plan
from pipelines.sync.wire import quoted
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class ObjectSummary:
    """What a plan does to one object.

    Attributes:
        actions: rows by action, all five of them.
        fields: API name → how many rows send it, the most frequent first.
        holds: reason → how many rows wait for it, the most frequent first.
    """

    object: str
    actions: dict[str, int]
    fields: dict[str, int]
    holds: dict[str, int]

    @property
    def writes(self) -> int:
        """Rows that are sent to the org."""
        return sum(self.actions[action] for action in WRITES)


@dataclass(frozen=True)
class Change:
    """One field of one row: what the org holds, and what it will hold."""

    key: str
    action: str
    sf_id: str | None
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Hold:
    """A row that waits, and for what."""

    key: str
    sf_id: str | None
    reason: str


def summary(plan: Plan, connection: DuckDBPyConnection) -> list[ObjectSummary]:
    """One summary per object, in the order in which they are applied."""
    summaries = []
    for name, part in plan.objects.items():
        payload = plan.payload(name)
        fields = connection.execute(_fields_sql(payload)).fetchall()
        holds = connection.execute(_holds_sql(payload)).fetchall()
        actions = {action: part.counts[action] for action in ACTIONS}
        summaries.append(ObjectSummary(name, actions, dict(fields), dict(holds)))
    return summaries


def changes(
    plan: Plan,
    object_name: str,
    connection: DuckDBPyConnection,
    *,
    field: str | None = None,
    limit: int = 100,
) -> Iterator[Change]:
    """Field by field what is sent, in the order of the keys; ``field`` shows only that one."""
    names = [name for name in plan.objects[object_name].types if field in (None, name)]
    rows = connection.execute(_changes_sql(plan.payload(object_name), names, limit)).fetchall()
    return (Change(*row) for row in rows)


def holds(
    plan: Plan, object_name: str, connection: DuckDBPyConnection, *, limit: int = 100
) -> Iterator[Hold]:
    """The rows that wait, in the order of their keys."""
    rows = connection.execute(_held_rows_sql(plan.payload(object_name), limit)).fetchall()
    return (Hold(*row) for row in rows)


def _fields_sql(payload: Path) -> str:
    return f"""\
select field, count(*)
from (select unnest(changed) as field from read_parquet({literal(payload)}))
group by field
order by count(*) desc, field"""


def _holds_sql(payload: Path) -> str:
    return f"""\
select reason, count(*)
from read_parquet({literal(payload)})
where action = 'hold'
group by reason
order by count(*) desc, reason"""


def _held_rows_sql(payload: Path, limit: int) -> str:
    return f"""\
select key, sf_id, reason
from read_parquet({literal(payload)})
where action = 'hold'
order by key
limit {limit:d}"""


def _changes_sql(payload: Path, names: list[str], limit: int) -> str:
    one_by_one = "\nunion all\n".join(
        f"""\
select key, action, sf_id, {literal(name)} as field, {place} as place,
    before[{literal(name)}] as before, {quoted(name)} as after
from planned
where list_contains(changed, {literal(name)})"""
        for place, name in enumerate(names)
    )
    nothing = """\
select key, action, sf_id, '' as field, 0 as place, null::varchar as before, null::varchar as after
from planned
where false"""
    return f"""\
with planned as (select * from read_parquet({literal(payload)}))
select key, action, sf_id, field, before, after
from ({one_by_one or nothing})
order by key, place
limit {limit:d}"""
