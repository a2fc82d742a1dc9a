"""The record store: one DuckDB file, one writer at a time, readers beside it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines.local_org import ids
from pipelines.local_org.catalog.countries import FILE as PLACES
from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal, quoted
from pipelines.local_org.files import matching
from pipelines.local_org.store.plans import Plans

FOLDER = Path(__file__).parent
MEMORY = "1200MB"
CHECKPOINT = "1GB"
PLACES_SQL = """
insert into org.place
select unnest([above || ':c:' || lower(code), above || ':t:' || lower(name)]), code, name
from (
    select
        if(state = '', '', lower(country)) as above,
        if(state = '', country, state) as code,
        name
    from read_csv(
        ?, header = true, all_varchar = true, nullstr = '-', hive_partitioning = false
    )
)
"""


class Store:
    """Holds the records and the org's own tables (schema `org`).

    Reads run on cursors of their own and see the last commit. Writes are serialised by a lock; a
    write transaction is all or nothing, on disk when it returns, and undone by kill -9.
    """

    def __init__(self, file: Path, pod: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.pod = pod
        self._root = duckdb.connect(str(file))
        for setting in (
            "set enable_progress_bar = false",
            f"set memory_limit = '{MEMORY}'",
            # The write-ahead log is as safe as the file; rewriting the file at each 16 MB of it
            # took a third of a large job.
            f"set checkpoint_threshold = '{CHECKPOINT}'",
            f"set temp_directory = {literal(str(file.parent / 'spill'))}",
        ):
            self._root.execute(setting)
        self._root.execute((FOLDER / "org.sql").read_text())
        self._root.execute((FOLDER / "history.sql").read_text())
        self._root.execute(PLACES_SQL, [matching(PLACES)])
        places = self._root.execute("select k, code, name from org.place").fetchall()
        self.places: dict[str, list[tuple[Any, ...]]] = {place[0]: [place] for place in places}
        """The lines of `org.place` by key; there is one for each."""
        self._writer = self._root.cursor()
        # Rows being written know their place by `_row`; joins that need not keep their order use
        # every core.
        self._writer.execute("set session preserve_insertion_order = false")
        self._lock = threading.RLock()
        self._depth = 0
        self._writing_thread: int | None = None
        self._next: dict[str, int] = {}
        self._reader = self._root.cursor()
        self._reading = threading.Lock()
        self._write_plans, self._read_plans = Plans(self._writer), Plans(self._reader)

    def close(self) -> None:
        """Wait for the running write, then write everything to the file and let go of it."""
        with self._lock, self._reading:
            self._reader.close()
            self._writer.close()
            self._root.close()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that sees the last commit; inside `write`, what was written so far."""
        if self._writing_thread == threading.get_ident():
            yield self._writer
            return
        cursor = self._root.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The writing connection, inside one transaction; an error undoes it. Nests."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._writer.execute("begin")
                self._writing_thread = threading.get_ident()
            self._depth += 1
            try:
                yield self._writer
                if outermost:
                    self._writer.execute("commit")
            except BaseException:
                if outermost:
                    self._writer.execute("rollback")
                raise
            finally:
                self._depth -= 1
                if outermost:
                    self._writing_thread = None

    def run_kept(self, sql: str, constants: str) -> list[tuple[Any, ...]]:
        """Run a small statement with its plan kept; what it sees is what `read` would see.

        Args:
            sql: with parameters `$1`, `$2`, …
            constants: their values, as SQL.
        """
        if self._writing_thread == threading.get_ident():
            return self._write_plans.run(sql, constants)
        with self._reading:
            return self._read_plans.run(sql, constants)

    def create_tables(self, catalog: Catalog) -> None:
        """Give each object a table and each stored field a column, where they are missing."""
        with self.write() as connection:
            for sobject in catalog:
                _create_table(connection, sobject)
                _create_indexes(connection, sobject)
            for sobject in catalog:
                if sobject.prefix not in self._next:
                    # Numbers of records that were purged since are not given again.
                    self._next[sobject.prefix] = _count_from(
                        connection,
                        f"select greatest((select max(_n) from {sobject.table}), "
                        f"(select max(last) from org.write where object = '{sobject.name}'))",
                    )
            if "write" not in self._next:
                self._next["write"] = _count_from(connection, "select max(n) from org.write")
            if "750" not in self._next:
                self._next["750"] = _count_from(connection, "select max(n) from org.job")

    def numbers(self, prefix: str, count: int = 1) -> int:
        """Reserve `count` record numbers of one kind and return the first.

        Numbers of one call share all but the last digits of their ids; so some may be left out.
        """
        with self._lock:
            first = self._next.get(prefix, 1)
            if count > ids.room(first):
                first += ids.room(first)
            self._next[prefix] = first + count
            return first

    def new_id(self, prefix: str) -> str:
        """A new 18-character id."""
        return ids.record_id(prefix, self.pod, self.numbers(prefix))


def rows(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """The rows of a statement as dicts."""
    result = connection.execute(sql, list(values))
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _create_table(connection: duckdb.DuckDBPyConnection, sobject: SObject) -> None:
    columns = ", ".join(f"{f.column} {f.column_type}" for f in sobject.stored)
    connection.execute(f"create table if not exists {sobject.table} (_n bigint, {columns})")
    existing = {
        row[0]
        for row in connection.execute(
            "select column_name from duckdb_columns() where schema_name = 'records'"
            " and table_name = ?",
            [sobject.name],
        ).fetchall()
    }
    for field in sobject.stored:
        if field.name not in existing:
            connection.execute(
                f"alter table {sobject.table} add column {field.column} {field.column_type}"
            )
            if field.type == "boolean":
                connection.execute(f"update {sobject.table} set {field.column} = false")


def drop_column(connection: duckdb.DuckDBPyConnection, sobject: SObject, field: Field) -> None:
    """Remove a field's values; DuckDB refuses it while the table has an index."""
    for name in _indexes(sobject):
        connection.execute(f"drop index if exists records.{name}")
    connection.execute(f"alter table {sobject.table} drop column {field.column}")
    narrower = sobject.with_fields(tuple(f for f in sobject.fields if f.name != field.name))
    _create_indexes(connection, narrower)


def _create_indexes(connection: duckdb.DuckDBPyConnection, sobject: SObject) -> None:
    """Let single records be found by their unique texts without reading the table."""
    for name, key in _indexes(sobject).items():
        connection.execute(f"create index if not exists {name} on {sobject.table} ({key})")


def _indexes(sobject: SObject) -> dict[str, str]:
    """Index → SQL for what it is over."""
    return {
        quoted(f"{sobject.name} {f.name}"): f.column if f.case_sensitive else f"lower({f.column})"
        for f in sobject.stored
        if f.unique and f.column_type == "varchar"
    }


def _count_from(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    highest = connection.execute(sql).fetchall()[0][0]
    return (highest or 0) + 1
