"""Rows that a run died with: what stopped them once, stops them no second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.sync.state import sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project


def bind(project: Project, connection: DuckDBPyConnection, object_name: str) -> None:
    """Make the view ``left_behind`` of one object: the ``key`` of each such row.

    The state must be attached.
    """
    connection.execute("set variable object = $1", [object_name])
    connection.execute(sql("state/left_behind"))
