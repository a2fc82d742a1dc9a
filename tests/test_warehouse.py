"""Relations on disk: whole or not at all, with a schema before the first row."""

import os
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import InternalError
from pipelines.warehouse import Warehouse

D1, D2 = date(2026, 11, 1), date(2026, 11, 2)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    house = Warehouse(tmp_path)
    with house.connect() as connection:
        house.write(connection, "stg_a", None, "select 1 as id, 'x' as name where false")
    return house


def rows(warehouse: Warehouse, *days: date) -> list[tuple[object, ...]]:
    with warehouse.connect() as connection:
        warehouse.bind(connection, "stg_a", days)
        return connection.execute("select id, name from stg_a order by id").fetchall()


def test_what_is_written_is_what_is_read(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        written = warehouse.write(connection, "stg_a", D1, "select 7 as id, 'é' as name")
    assert (written.rows, dict(written.columns)) == (1, {"id": "INTEGER", "name": "VARCHAR"})
    assert warehouse.days("stg_a") == [D1]
    assert rows(warehouse, D1) == [(7, "é")]


def test_a_day_that_was_never_made_is_empty(warehouse: Warehouse) -> None:
    assert rows(warehouse, D2) == []


def test_a_relation_nobody_knows_is_an_error(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection, pytest.raises(InternalError, match="stg_b"):
        warehouse.bind(connection, "stg_b", [D1])


def test_a_failed_write_leaves_what_stood_there_and_no_scrap(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        warehouse.write(connection, "stg_a", D1, "select 1 as id, 'old' as name")
        with pytest.raises(duckdb.Error):
            warehouse.write(
                connection, "stg_a", D1, "select 2 as id, error('no') as name from range(9)"
            )
    assert rows(warehouse, D1) == [(1, "old")]
    assert [path.name for path in warehouse.path("stg_a", D1).parent.iterdir()] == ["data.parquet"]


def test_files_of_different_columns_are_read_together(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        warehouse.write(connection, "stg_a", D1, "select 1 as id, 'a' as name")
        warehouse.write(connection, "stg_a", D2, "select 'b' as name, 2 as id, true as more")
    assert rows(warehouse, D1, D2) == [(1, "a"), (2, "b")]


def test_only_old_scraps_of_killed_runs_are_swept(warehouse: Warehouse) -> None:
    folder = warehouse.path("stg_a", None).parent
    recent, old = folder / ".fresh.tmp", folder / ".old.tmp"
    for path in (recent, old):
        path.touch()
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    assert warehouse.sweep() == 1
    assert (recent.exists(), old.exists()) == (True, False)


def test_a_file_that_took_the_place_of_another_is_described_anew(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        warehouse.write(connection, "stg_a", D1, "select 1 as id, 'x' as name")
        assert warehouse.describe(connection, "stg_a", D1).rows == 1
        warehouse.write(connection, "stg_a", D1, "select 2::bigint as id from range(3)")
        written = warehouse.describe(connection, "stg_a", D1)
        assert (written.rows, dict(written.columns)) == (3, {"id": "BIGINT"})
        linked = warehouse.link(connection, "stg_a", D2, written.path)
        assert (linked.path, linked.rows) == (warehouse.path("stg_a", D2), 3)


def test_tables_that_all_cursors_share_are_made_once(warehouse: Warehouse) -> None:
    text = "create table numbers as select unnest([1, 2]) as number"
    with warehouse.connect(text) as first_connection, warehouse.connect(text) as second_connection:
        for connection in (first_connection, second_connection):
            assert connection.execute("select sum(number) from numbers").fetchall() == [(3,)]
    with warehouse.connect() as stranger, pytest.raises(duckdb.CatalogException):
        stranger.execute("from numbers")


def test_a_small_home_works_with_one_thread_until_there_is_much_to_do(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    def threads(house: Warehouse) -> int:
        with house.connect() as connection:
            [(number,)] = connection.execute("select current_setting('threads')").fetchall()
        return int(number)

    [(all_threads,)] = duckdb.execute("select current_setting('threads')").fetchall()
    assert threads(warehouse) == 1
    with warehouse.connect() as connection:
        query = "select id::integer as id, 'x' as name from range(20000) as numbers(id)"
        warehouse.write(connection, "stg_a", D1, query)
    assert threads(warehouse) == all_threads

    large = tmp_path / "large"
    (large / "state").mkdir(parents=True)
    (large / "state" / "person.parquet").touch()
    os.truncate(large / "state" / "person.parquet", 32 << 20)
    assert threads(Warehouse(large)) == all_threads
