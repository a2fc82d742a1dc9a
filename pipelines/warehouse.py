"""Relations on disk: one Parquet file per relation and day, and DuckDB to read and make them.

    <home>/stage/<relation>/day=2026-11-05/data.parquet   what that day's run made
    <home>/stage/<relation>/day=empty/data.parquet        no rows, the schema, from the start

A file appears whole or not at all: it is written under another name, flushed and renamed. There
are no locks on reading, and a killed run leaves at worst a ``.tmp`` file for the next to sweep.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine import Function, engine_of, heed_rows
from pipelines.errors import InternalError
from pipelines.files import draft

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EMPTY = "empty"

DRAFTS = tuple(
    f"{folder}.*.tmp"
    for folder in (
        "", "changes/", "orgs/*/", "orgs/*/*/", "orgs/*/*/*/", "plans/", "plans/*/",
        "runs/", "stage/", "stage/*/", "stage/*/day=*/", "state/",
    )
)  # fmt: skip
"""Where files and plans lie that somebody is writing, or died while he did; but for a plan's
``applied``, which whoever goes on clears."""


@dataclass(frozen=True)
class Written:
    """One relation of one day as it now lies on disk."""

    relation: str
    path: Path
    rows: int
    columns: Mapping[str, str]  # name → DuckDB type, in order


@dataclass(frozen=True)
class Warehouse:
    """The relations below one home.

    Attributes:
        home: the folder of all data and state.
        memory_limit: what DuckDB may hold before it spills, in its own notation.
        macros: SQL that makes the macros every connection knows.
        functions: what the macros call, besides SQL.
    """

    home: Path
    memory_limit: str = "2GB"
    macros: str = field(default="", repr=False)
    functions: tuple[Function, ...] = field(default=(), repr=False)

    @contextmanager
    def connect(self, tables: str = "") -> Iterator[DuckDBPyConnection]:
        """A cursor of this home's DuckDB, with temporary tables and views of its own.

        Args:
            tables: SQL that makes tables which are the same for every cursor that asks for them;
                they are made once, and nobody may write to them.
        """
        engine = engine_of(self.home, self.memory_limit, self.macros, self.functions)
        schema = engine.schema(tables) if tables else "main"
        cursor = engine.connection.cursor()
        try:
            # A cursor's own, as is its end.
            cursor.execute(f"set enable_progress_bar = false; set schema = {literal(schema)}")
            yield cursor
        finally:
            cursor.close()

    def folder(self, relation: str) -> Path:
        """Where all days of a relation lie."""
        return self.home / "stage" / relation

    def path(self, relation: str, day: date | None) -> Path:
        """The file of one day; ``None`` is the empty file that carries the schema."""
        name = EMPTY if day is None else day.isoformat()
        return self.folder(relation) / f"day={name}" / "data.parquet"

    def days(self, relation: str) -> list[date]:
        """The days of a relation that are on disk, in order."""
        names = (path.parent.name.removeprefix("day=") for path in self._files(relation))
        return sorted(date.fromisoformat(name) for name in names if name != EMPTY)

    def write(
        self, connection: DuckDBPyConnection, relation: str, day: date | None, query: str
    ) -> Written:
        """Write the rows of ``query`` as that day's file, replacing what stood there."""
        path = self.path(relation, day)
        rows = write_parquet(connection, query, path)
        heed_rows(connection, rows)
        return _remember(Written(relation, path, rows, _columns(connection, path)))

    def link(self, connection: DuckDBPyConnection, relation: str, day: date, file: Path) -> Written:
        """Let a finished file be that day's file too, without a second copy of its bytes."""
        path = self.path(relation, day)
        if not (path.exists() and path.samefile(file)):
            with draft(path) as temporary:
                _link(file, temporary)
        return self.describe(connection, relation, day)

    def describe(self, connection: DuckDBPyConnection, relation: str, day: date | None) -> Written:
        """What lies on disk: the file's row count and columns."""
        path = self.path(relation, day)
        described = _DESCRIBED.get(_version(path))
        if described is not None:
            return replace(described, relation=relation, path=path)
        [(rows,)] = connection.execute(
            "select coalesce(sum(num_rows), 0)::bigint from parquet_file_metadata($1)",
            [pattern(path)],
        ).fetchall()
        return _remember(Written(relation, path, rows, _columns(connection, path)))

    def bind(
        self,
        connection: DuckDBPyConnection,
        relation: str,
        days: Sequence[date],
        name: str | None = None,
    ) -> None:
        """Make a view ``name`` (by default the relation's) over the files of ``days``.

        A day that was never made counts as empty; that the relation is known at all is a law.
        """
        empty = self.schema_file(relation)
        existing = [path for path in (self.path(relation, day) for day in days) if path.exists()]
        rows = parquet_sql(empty, *existing, union_by_name=True)
        connection.execute(
            f'create or replace temp view "{name or relation}" as select * from {rows}'
        )

    def schema_file(self, relation: str) -> Path:
        """The file without rows that every relation has from the start."""
        empty = self.path(relation, None)
        if not empty.exists():
            raise InternalError(f"{relation} has no schema file at {empty}; run `causeway check`")
        return empty

    def sweep(self) -> int:
        """Remove what killed runs left half written; returns how many files went.

        A file that was touched within the hour may be another run's, still being written.
        """
        oldest = time.time() - 3600
        swept = 0
        for path in chain.from_iterable(map(self.home.glob, DRAFTS)):
            with suppress(FileNotFoundError):  # its writer has just given it its name
                if path.stat().st_mtime < oldest:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    swept += 1
        return swept

    def _files(self, relation: str) -> Iterator[Path]:
        return self.folder(relation).glob("day=*/data.parquet")


_DESCRIBED: dict[tuple[int, ...], Written] = {}
"""Version of a file → what it holds: every step asks for it, and many a file has several names."""
_MOST_DESCRIBED = 5_000


def _remember(written: Written) -> Written:
    if len(_DESCRIBED) >= _MOST_DESCRIBED:
        _DESCRIBED.clear()
    _DESCRIBED[_version(written.path)] = written
    return written


def _version(path: Path) -> tuple[int, ...]:
    """Relations are replaced by renaming and never edited: these tell one file from the next."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size


def _columns(connection: DuckDBPyConnection, path: Path) -> dict[str, str]:
    columns = connection.execute(f"describe select * from {parquet_sql(path)}").fetchall()
    return {row[0]: row[1] for row in columns}


def write_parquet(connection: DuckDBPyConnection, query: str, path: Path) -> int:
    """Write the rows of ``query`` as one file, whole or not at all; returns how many there are."""
    with draft(path) as temporary:
        [(rows,)] = connection.execute(_copy_sql(query, temporary)).fetchall()
    return int(rows)


def _link(file: Path, name: Path) -> None:
    try:
        name.hardlink_to(file)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, name)


def literal(value: str | Path) -> str:
    """A text as an SQL literal, for the statements that take no parameters."""
    return "'" + str(value).replace("'", "''") + "'"


def pattern(path: Path) -> str:
    """What matches this path alone where DuckDB takes a name for a pattern, as it does to read.

    A bracket of one sign is that sign in every release; a backslash before it works in none.
    """
    return _MAGIC.sub(r"[\g<0>]", str(path))


_MAGIC = re.compile(r"[*?[]")


def filled_sql(file: Path) -> str:
    """(Column, how many rows have a value) of a Parquet file, as it says of itself."""
    return f"""
        select path_in_schema, sum(num_values - stats_null_count)::bigint
        from parquet_metadata({literal(pattern(file))})
        where not contains(path_in_schema, ', ')
        group by path_in_schema
    """


def parquet_sql(*files: Path, union_by_name: bool = False, filename: bool = False) -> str:
    """The rows of Parquet files as a table, and no column that only their folders are called by.

    Args:
        files: at least one.
        union_by_name: whether a file may lack columns that another one has.
        filename: whether a column of this name says which file a row is from.
    """
    return _parquet_sql(list(map(pattern, files)), union_by_name=union_by_name, filename=filename)


def all_days_sql(folder: Path) -> str:
    """The rows of all days of a relation, those to come too, and the file of each, ``filename``."""
    files = f"{pattern(folder)}/day=*/data.parquet"
    return _parquet_sql([files], union_by_name=True, filename=True)


def _parquet_sql(files: Sequence[str], **options: bool) -> str:
    chosen = [f"{name} = true" for name, wanted in options.items() if wanted]
    listed = ", ".join(map(literal, files))
    return f"read_parquet([{listed}], {', '.join(('hive_partitioning = false', *chosen))})"


def csv_sql(files: Sequence[Path], options: str) -> str:
    """The rows of CSV files as a table; ``options`` are those of DuckDB, which guesses nothing."""
    listed = ", ".join(literal(pattern(file)) for file in files)
    return f"read_csv([{listed}], auto_detect = false, hive_partitioning = false, {options})"


def constant(value: str | int | date | Sequence[str] | None) -> str:
    """A value of the configuration as SQL."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value).lower()  # true and false are numbers, too
    if isinstance(value, str | date):
        return literal(str(value))
    return f"[{', '.join(map(literal, value))}]"


def _copy_sql(query: str, path: Path) -> str:
    # Level 1 makes files of the same size in a sixth less time than the usual level 3; row groups
    # of a third of the usual size hold a tenth less memory while wide rows are written. The newer
    # encodings, and no dictionary where more than 1,000 values differ, save a seventh of writing,
    # a tenth of reading and a few bytes.
    options = (
        "format parquet, parquet_version v2, compression zstd, compression_level 1,"
        " row_group_size 40960, dictionary_size_limit 1000"
    )
    return f"copy ({query}) to {literal(path)} ({options})"
