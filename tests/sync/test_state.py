"""What the state shows to everybody: as Parquet, made anew when it says something else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.sync.state import State
from pipelines.warehouse import Warehouse, parquet_sql

ROW = "'plan', 'Contact', 'p-1', date '2026-11-05', 'create', 'held', '003', 'CODE', 'why', now()"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(Warehouse(tmp_path))


@pytest.mark.parametrize("column", ["digest", "outcome", "code", "sf_id", "message"])
def test_a_change_of_any_column_is_published(state: State, column: str) -> None:
    path = state.published("outcome")
    with state.warehouse.connect() as connection, state.attach(connection):
        connection.execute(f"insert into state.outcome by position values (null, {ROW}, 'sent')")
        state.publish(connection, "outcome")
        first = path.stat().st_ino
        state.publish(connection, "outcome")
        assert path.stat().st_ino == first
        connection.execute(f"update state.outcome set {column} = 'other'")
        state.publish(connection, "outcome")
    [(published,)] = duckdb.sql(f"select {column} from {parquet_sql(path)}").fetchall()
    assert published == "other"
