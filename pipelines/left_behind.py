"""What a run that died was sending: the org may hold it, and nobody wrote down what it said."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sync.saved_plan import load_plan
from pipelines.sync.state import sql, transaction
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.saved_plan import Plan


def begin(project: Project, connection: DuckDBPyConnection, saved: Plan, object_name: str) -> None:
    """Note that a plan's rows are on their way, so that the next run knows if this one dies."""
    connection.execute("set variable object = $1", [object_name])
    connection.execute("set variable plan_id = $1", [saved.plan_id])
    with project.state.attach(connection):
        bind(project, connection, object_name)
        with transaction(connection):
            connection.execute(sql("state/sending"))


def bind(project: Project, connection: DuckDBPyConnection, object_name: str) -> None:
    """Make the view ``left_behind`` of one object: ``key`` and the ``fields`` that were sent.

    The state must be attached. A plan that was deleted since is told once and forgotten.

    Raises:
        ConfigError: a plan that was being sent was edited.
    """
    plans = connection.execute(
        "select plan_id from state.sending where object = $1", [object_name]
    ).fetchall()
    payloads = []
    for [plan_id] in plans:
        if (project.home / "plans" / plan_id).exists():
            payloads.append(load_plan(project.home, plan_id).payload(object_name))
        else:
            _forget(connection, plan_id, object_name)
    connection.execute(_left_behind_sql(payloads))


def _forget(connection: DuckDBPyConnection, plan_id: str, object_name: str) -> None:
    """Without its plan nobody can say what a run wrote; it must not stop all later ones."""
    connection.execute(
        "delete from state.sending where object = $1 and plan_id = $2", [object_name, plan_id]
    )
    print(
        f"plan {plan_id} was deleted, and the run that was sending it died: fields that it wrote"
        f" of {object_name} count as somebody else's",
        file=sys.stderr,
    )


def _left_behind_sql(payloads: Sequence[Path]) -> str:
    if not payloads:
        rows = "select null::varchar as key, null::varchar[] as fields where false"
    else:
        files = ", ".join(map(literal, payloads))
        rows = (
            "select key, list_filter("
            "changed, lambda name: not ends_with(name, 'HasOptedOutOfEmail')) as fields"
            f" from read_parquet([{files}]) where action in ('create', 'adopt', 'update')"
        )
    return f"create or replace temp view left_behind as {rows}"
