"""A saved plan as plain data, for whoever shows it: counts first, then row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.row import ACTIONS, UNDO_ACTIONS, WRITES
from pipelines.sync.plan.saved import ObjectPlan, Plan
from pipelines.warehouse import constant, literal, parquet_sql

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

ONLY: Mapping[str, str] = {
    "creates": "action = 'create'",
    "adopts": "action = 'adopt'",
    "undeletes": "action = 'undelete'",
    "updates": "action = 'update'",
    "moves": "action = 'move'",
    "reassigns": "action = 'reassign'",
    "restores": "action = 'restore'",
    "deletes": "action = 'delete'",
    "holds": "action = 'hold'",
    "skips": "action = 'skip'",
    "notes": "action not in ('hold', 'skip') and reason is not null",
    "conflicts": (
        "len(list_filter(said, lambda change: starts_with(change.decision, 'conflict_'))) > 0"
    ),
    "reviews": (
        "decide is not null"
        " or len(list_filter(said, lambda change: change.decision = 'review')) > 0"
    ),
    "truncated": "len(list_filter(said, lambda change: change.decision = 'truncated')) > 0",
    "kept": "len(list_filter(said, lambda change: ends_with(change.decision, '_kept'))) > 0",
    "rejections": "forecast is not null",
}
"""What ``--only`` may ask for → the condition on a row."""


@dataclass(frozen=True)
class ObjectSummary:
    """What a plan does by one mapping; each count the most frequent first.

    Attributes:
        mapping: the stem of its file.
        object: whose records are written.
        title: what people read of it: the object, and which mapping where several write it.
        actions: rows by action, all that a plan of its kind knows.
        fields: API name → how many rows send it.
        decisions: decision → how many fields it was made of; of creates only what was cut.
        scopes: reason → how many rows are in the plan for it.
        holds: reason → how many rows wait for it.
        skips: which option of the run leaves rows out → how many; every later plan has them again.
        notes: what else is to be known of rows that do not wait → how many they are.
        forecasts: (certain or likely, code) → how many rows Salesforce is going to refuse.
        undecided: rows that a line in ``decisions.csv`` would let go.
    """

    mapping: str
    object: str
    title: str
    actions: dict[str, int]
    fields: dict[str, int]
    decisions: dict[str, int]
    scopes: dict[str, int]
    holds: dict[str, int]
    skips: dict[str, int]
    notes: dict[str, int]
    forecasts: dict[tuple[str, str], int]
    undecided: int = 0

    @property
    def writes(self) -> int:
        """Rows that are sent to the org."""
        return sum(self.actions.get(action, 0) for action in (*WRITES, *UNDO_ACTIONS))


@dataclass(frozen=True)
class FieldChange:
    """One field of one row: what the org holds, what we want, and what becomes of it."""

    field: str
    decision: str
    before: str | None
    after: str | None
    sent: str | None
    why: str | None


@dataclass(frozen=True)
class Row:
    """One row of a plan, as people read it.

    Attributes:
        title: the name of the record, else its key.
        reason: of a hold.
        decide: the lines to add to ``decisions.csv``, one or several to choose from, that let the
            row go; none where there is nothing to decide.
        said: the fields of which there is something to say, in the order of the mapping.
    """

    key: str
    title: str
    action: str
    sf_id: str | None
    reason: str | None
    scope: str | None
    forecast: str | None
    forecast_code: str | None
    forecast_message: str | None
    decide: str | None
    said: tuple[FieldChange, ...]


def summary(plan: Plan, connection: DuckDBPyConnection) -> list[ObjectSummary]:
    """One summary per mapping, in the order in which they are applied."""
    summaries = []
    for stem, part in plan.objects.items():
        payload = plan.payload(stem)
        counted = {
            counter: connection.execute(_counted_sql(payload, column, where)).fetchall()
            for counter, (column, where) in _COUNTED.items()
        }
        [(undecided,)] = connection.execute(_undecided_sql(payload)).fetchall()
        action_names = ACTIONS if plan.kind == "sync" else (*UNDO_ACTIONS, "hold", "unchanged")
        summaries.append(
            ObjectSummary(
                mapping=stem,
                object=part.object,
                title=plan.called(stem),
                actions={action: part.counts.get(action, 0) for action in action_names},
                forecasts={(row[0][0], row[0][1]): row[1] for row in counted.pop("forecasts")},
                **{counter: dict(rows) for counter, rows in counted.items()},
                undecided=undecided,
            )
        )
    return summaries


_COUNTED = {
    "fields": ("unnest(changed)", "true"),
    "decisions": ("unnest(list_transform(fields, lambda change: change.decision))", "true"),
    "scopes": ("scope", "action <> 'unchanged'"),
    "holds": ("reason", "action = 'hold'"),
    "skips": ("reason", "action = 'skip'"),
    "notes": ("reason", "action not in ('hold', 'skip')"),
    "forecasts": ("[forecast, forecast_code]", "forecast is not null"),
}


def _counted_sql(payload: Path, column: str, where: str) -> str:
    return f"""\
select counted, count(*)
from (select {column} as counted from {parquet_sql(payload)} where {where})
where counted is not null
group by counted
order by count(*) desc, counted"""


def _undecided_sql(payload: Path) -> str:
    return f"select count(decide) from {payload_sql(payload)}"


def payload_sql(payload: Path) -> str:
    """The rows of a payload; an older one, or that of an undo, has nothing to decide."""
    nothing = "select null::varchar as decide where false"
    return f"({nothing} union all by name select * from {parquet_sql(payload)})"


def rows(
    plan: Plan,
    stem: str,
    connection: DuckDBPyConnection,
    *,
    field: str | None = None,
    only: str | None = None,
    keys: Collection[str] | None = None,
    limit: int = 100,
) -> Iterator[Row]:
    """Rows that do or wait for something, by action and key.

    Args:
        plan: from ``load_plan``.
        stem: of one of the plan's mappings.
        connection: any.
        field: only rows that say something of this field, and only what they say of it.
        only: a key of ``ONLY``.
        keys: only rows of these.
        limit: how many rows at most.
    """
    payload = payload_sql(plan.payload(stem))
    query = rows_sql(plan.objects[stem], payload, field=field)
    something = "(action <> 'unchanged' or len(said) > 0 or reason is not null)"
    conditions = [ONLY[only] if only else something]
    if field is not None:
        conditions.append("len(said) > 0")
    if keys is not None:
        conditions.append(f"key in (select unnest({constant(list(keys))}::varchar[]))")
    query_result = connection.sql(
        f"from ({query}) where {' and '.join(conditions)} order by rank, key limit {limit:d}"
    )
    for row in query_result.to_arrow_table().to_pylist():
        del row["rank"]
        row["said"] = tuple(FieldChange(**change) for change in row["said"])
        yield Row(**row)


def rows_sql(part: ObjectPlan, source: str, *, field: str | None = None) -> str:
    """The rows of one object as ``Row`` has them, and ``rank``, the place of their action.

    Args:
        part: the object's part of the plan.
        source: the payload, or some of it, as SQL that stands behind ``from``.
        field: the only field to speak of.
    """
    names = [name for name in part.types if field in (None, name)]
    order = ", ".join(map(literal, (*ACTIONS, *UNDO_ACTIONS)))
    changes = "fields" if field is None else _only_sql(field)
    return f"""\
select
    key,
    {title_sql(part)} as title,
    action,
    sf_id,
    reason,
    scope,
    forecast,
    forecast_code,
    forecast_message,
    decide,
    case when action = 'create' then {_values_sql(names)} else {changes} end as said,
    list_position([{order}], action) as rank
from {source}"""


def _only_sql(field: str) -> str:
    return f"list_filter(fields, lambda change: change.field = {literal(field)})"


def _values_sql(names: list[str]) -> str:
    """Every value of a create: the row itself holds them, and ``fields`` what was cut."""
    values = ", ".join(
        f"case when list_contains(changed, {literal(name)}) then coalesce({_only_sql(name)}[1],"
        f" {{'field': {literal(name)}, 'decision': 'write', 'before': null::varchar,"
        f" 'after': {quoted(name)}, 'sent': null::varchar, 'why': null::varchar}}) end"
        for name in names
    )
    return f"list_filter([{values}], lambda change: change is not null)" if names else "[]"


def title_sql(part: ObjectPlan) -> str:
    """How people call a record: its name, else its address, else our key."""
    names = [name for name in ("Name",) if name in part.types]
    names = names or [name for name in ("FirstName", "LastName") if name in part.types]
    listed = ", ".join(map(quoted, names))
    named = [f"nullif(concat_ws(' ', {listed}), '')"] if names else []
    named += [quoted(name) for name in ("Email",) if name in part.types]
    return f"coalesce({', '.join((*named, 'key'))})"
