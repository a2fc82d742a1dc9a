"""What waits for somebody: rows that were held or refused, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.plan.page import source_lines
from pipelines.sync.plan.saved import HEADER, ObjectPlan, parts_of, payload_name, read_header
from pipelines.sync.plan.show import title_sql
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project

Counted = tuple[str, str, str | None, str | None, int]
"""Object, outcome, code and message of rows that wait alike, and how many they are."""


@dataclass(frozen=True)
class Waiting:
    """One row that waits.

    Attributes:
        title: how people call its record; its key where the plan that said so is gone.
        code: of Salesforce, or our own; a row that never went has none.
        lines: of source files that it comes from, ``file:line``; the first few.
    """

    object: str
    key: str
    title: str
    batch: date
    outcome: str
    code: str | None
    message: str | None
    lines: tuple[str, ...]


def waiting(project: Project, object_name: str | None = None) -> list[Waiting]:
    """Every row that waits, by object, code and title.

    Args:
        project: whose state.
        object_name: only this object, in whatever case.
    """
    path = project.state.published("outcome")
    if not path.exists():
        return []
    with project.warehouse.connect() as connection:
        rows = connection.execute(_rows_sql(path), [object_name, project.bound_org]).fetchall()
        waiting_rows: list[Waiting] = []
        for (plan_id, name, day), alike in groupby(rows, key=lambda row: row[:3]):
            reasons = [row[3:] for row in alike]
            titles = _titles(project, connection, plan_id, name)
            lines = _lines(Batch(project, day), connection, name, [key for key, *_ in reasons])
            waiting_rows += [
                Waiting(
                    object=name,
                    key=key,
                    title=titles.get(key, key),
                    batch=day,
                    outcome=outcome,
                    code=code,
                    message=message,
                    lines=lines.get(key, ()),
                )
                for key, outcome, code, message in reasons
            ]
    return sorted(waiting_rows, key=lambda row: (row.object, row.code or "", row.title))


def counted(project: Project) -> list[Counted]:
    """Why rows wait, and how many for each reason, the most frequent first."""
    path = project.state.published("outcome")
    if not path.exists():
        return []
    with project.warehouse.connect() as connection:
        return connection.execute(_counted_sql(path), [project.bound_org]).fetchall()


def _rows_sql(outcomes: Path) -> str:
    return f"""\
select plan_id, object, batch, key, outcome, code, message
from {parquet_sql(outcomes)}
where ($1 is null or lower(object) = lower($1)) and organization_id is not distinct from $2
order by plan_id, object, batch"""


def _counted_sql(outcomes: Path) -> str:
    return f"""\
select object, outcome, code, message, count(*)
from {parquet_sql(outcomes)}
where organization_id is not distinct from $1
group by all
order by count(*) desc, object, code, message"""


def _titles(
    project: Project, connection: DuckDBPyConnection, plan_id: str, object_name: str
) -> dict[str, str]:
    folder = project.home / "plans" / plan_id
    if not (folder / HEADER).exists():
        return {}
    titles: dict[str, str] = {}
    for part in parts_of(read_header(folder / HEADER)):
        if part.object == object_name:
            query = _titles_sql(part, folder / payload_name(part.stem))
            titles |= dict(connection.execute(query).fetchall())
    return titles


def _lines(
    batch: Batch, connection: DuckDBPyConnection, object_name: str, keys: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    connection.execute("create or replace temp table requested as select unnest($1) as key", [keys])
    rows = connection.execute(source_lines(batch, connection, object_name)).fetchall()
    return {
        key: tuple(f"{file}:{line}" for file, line in map(json.loads, lines)) for key, lines in rows
    }


def _titles_sql(part: ObjectPlan, payload: Path) -> str:
    condition = "action <> 'unchanged'"
    return f"select key, {title_sql(part)} from {parquet_sql(payload)} where {condition}"
