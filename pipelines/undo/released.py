"""What was undone and stays so: noted by an undo, forgotten by ``causeway release``.

Whoever writes here holds the org's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.changes import Change, Facts
from pipelines.errors import ConfigError
from pipelines.sync.apply.payload import payload_sql
from pipelines.sync.plan.saved import Plan, load_plan
from pipelines.sync.undo import UNDONE, undone_path, undone_rows_sql
from pipelines.warehouse import literal, parquet_sql, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.apply.objects import Outcomes


def note_undone(project: Project, plan: Plan, undo: Plan) -> None:
    """Let plans leave alone what an undo takes back; doing it twice changes nothing.

    Args:
        project: whose plans.
        plan: the one that is undone.
        undo: its inverse.
    """
    path = undone_path(project.org_home(plan.organization_id))
    with Batch(project, plan.day).connect() as connection:
        earlier_rows = (
            f"select * from ({_undone_sql(path)}) where plan_id <> {literal(undo.plan_id)}"
        )
        parts = [earlier_rows, *(_undo_query(plan, undo, name) for name in undo.objects)]
        write_parquet(connection, "\nunion all by name\n".join(f"({part})" for part in parts), path)


def prune_undone(project: Project, undo: Plan, outcomes: Outcomes) -> None:
    """Forget what an undo was to take back and did not: its rows were held or rejected."""
    path = undone_path(project.org_home(undo.organization_id))
    with project.warehouse.connect() as connection:
        left = _not_undone_sql(outcomes.path)
        write_parquet(connection, _pruned_sql(path, undo.plan_id, outcomes.object, left), path)


def take_back(project: Project, facts: Facts) -> None:
    """Forget what an undo that died had noted and did not take back.

    To be called when what it sent is settled, under the org's lock; undone again it goes on.
    """
    undo = load_plan(project.home, facts["plan"])
    path = undone_path(project.org_home(undo.organization_id))
    with project.warehouse.connect() as connection:
        for stem, part in undo.objects.items():
            outcomes = undo.outcomes(stem)
            left = _not_undone_sql(outcomes) if outcomes.exists() else _keys_sql(undo.payload(stem))
            write_parquet(connection, _pruned_sql(path, undo.plan_id, part.object, left), path)


UNDO = Change("undo", take_back, asks_org=True)


def forget_remade(
    connection: DuckDBPyConnection, org_home: Path, object_name: str, segment: Path
) -> None:
    """Forget that records were undone which a later plan has made or adopted again."""
    path = undone_path(org_home)
    if not path.exists():
        return
    remade = f"select key from {parquet_sql(segment)} where action in ('create', 'adopt')"
    remaining = (
        f"select * from ({_undone_sql(path)})"
        f" where object <> {literal(object_name)} or key not in ({remade})"
    )
    write_parquet(connection, remaining, path)


@dataclass(frozen=True)
class Release:
    """What to release: everything, one object, one record of it, or one field of that.

    Attributes:
        object: API name; none is every object.
        key: of the record; none is every record.
        field: API name; none is every field, and the record itself.
    """

    object: str | None = None
    key: str | None = None
    field: str | None = None


def undone(project: Project) -> list[tuple[str, str, str | None, str]]:
    """What is left alone because it was undone: object, key, field (none: the record), undo."""
    path = undone_path(_home(project))
    with project.warehouse.connect() as connection:
        query = f"select distinct object, key, field, plan_id from ({_standing_sql(path)})"
        return connection.execute(f"{query} order by object, key, field nulls first").fetchall()


def release(project: Project, which: Release) -> int:
    """Let the next plans write again what was undone; returns how many entries that were.

    Whole records that were undone come back with any of their fields.
    """
    path = undone_path(_home(project))
    with project.warehouse.connect() as connection:
        before = _count(connection, path)
        if before:
            write_parquet(connection, _remaining_sql(path, which), path)
        return before - _count(connection, path)


def _home(project: Project) -> Path:
    if project.bound_org is None:
        raise ConfigError(f"nothing was written from {project.home} yet, so nothing was undone")
    return project.org_home(project.bound_org)


def _undo_query(plan: Plan, undo: Plan, name: str) -> str:
    part, parents = plan.objects[name], plan.parents(name)
    return undone_rows_sql(
        part.object,
        undo.plan_id,
        {field: kind for field, kind in part.types.items() if field in undo.objects[name].types},
        planned=parquet_sql(plan.payload(name)),
        inverse=parquet_sql(undo.payload(name)),
        resolved=f"({payload_sql(part, plan.payload(name), parents, barred=False)})",
    )


def _undone_sql(path: Path) -> str:
    if path.exists():
        return f"select * from {parquet_sql(path)}"
    nothing = ", ".join(f"null::{kind} as {name}" for name, kind in UNDONE.items())
    return f"select {nothing} where false"


def _pruned_sql(path: Path, plan_id: str, object_name: str, keys: str) -> str:
    """All but what an undo has noted of these keys of an object."""
    return (
        f"select * from ({_undone_sql(path)}) where plan_id <> {literal(plan_id)}"
        f" or object <> {literal(object_name)} or key not in ({keys})"
    )


def _not_undone_sql(outcomes: Path) -> str:
    undone = "('updated', 'deleted', 'unknown')"
    return f"{_keys_sql(outcomes)} where outcome not in {undone}"


def _keys_sql(path: Path) -> str:
    return f"select key from {parquet_sql(path)}"


def _remaining_sql(path: Path, which: Release) -> str:
    """The rows that stay; a released record keeps its own, without a value, until it is remade.

    It says that its deletion in the org was no decision of the people there.
    """
    conditions = [
        f"{column} = {literal(value)}"
        for column, value in (("object", which.object), ("key", which.key))
        if value is not None
    ]
    if which.field is not None:
        conditions.append(f"(field is null or field = {literal(which.field)})")
    chosen = " and ".join(conditions or ["true"])
    return (
        f"select * replace (case when not ({chosen}) then value end as value)"
        f" from ({_undone_sql(path)}) where not ({chosen}) or field is null"
    )


def _standing_sql(path: Path) -> str:
    """What has not been released; the value of a field may be a blank."""
    return f"select * from ({_undone_sql(path)}) where field is not null or value is not null"


def _count(connection: DuckDBPyConnection, path: Path) -> int:
    [(count,)] = connection.execute(f"select count(*) from ({_standing_sql(path)})").fetchall()
    return int(count)
