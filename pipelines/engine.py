"""The one DuckDB of a process: which settings it has, and what all of its cursors share."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SMALL = 32 << 20
"""Bytes of a state, of some 450,000 people, below which a second thread costs more than it does:
a day's few rows are read by hundreds of statements, and each waits for its threads."""

MANY = 20_000
"""Rows of one relation from which on all threads work, however small the home was before."""


@dataclass(frozen=True)
class Function:
    """A rule that is written in Python and that SQL may call: texts in, one text out, also of null.

    Attributes:
        name: what SQL calls it.
        call: the rule.
        parameters: how many texts it takes.
    """

    name: str
    call: Callable[..., str | None]
    parameters: int


class Engine:
    """The one in-memory DuckDB of a process, and the tables that all of its cursors read."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection
        self._schemas: dict[str, str] = {}
        self._alone = Lock()

    def schema(self, tables: str) -> str:
        """The schema that holds the tables which a text of SQL makes."""
        with self._alone:
            if tables not in self._schemas:
                name = f"tables_{len(self._schemas)}"
                with self.connection.cursor() as cursor:
                    cursor.execute(f"create schema {name}; set schema = {name}; {tables}")
                self._schemas[tables] = name
            return self._schemas[tables]


@lru_cache(maxsize=1)
def engine_of(
    home: Path, memory_limit: str, macros: str, functions: tuple[Function, ...]
) -> Engine:
    """Started once in a process: each takes 15 ms, and more for macros."""
    import duckdb

    spill = home / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    if sum(file.stat().st_size for file in home.glob("state/*.parquet")) < SMALL:
        config["threads"] = 1
    connection = duckdb.connect(config=config)
    connection.execute("set global TimeZone = 'UTC'")  # 1.5 refuses it in the configuration
    for function in functions:
        texts: list[Any] = ["varchar"] * function.parameters
        also_null: Any = "special"  # both releases take the word, their stubs an enum that moved
        connection.create_function(
            function.name, function.call, texts, "varchar", null_handling=also_null
        )
    connection.execute(macros)
    return Engine(connection)


def heed_rows(connection: DuckDBPyConnection, rows: int) -> None:
    """Let every thread of the machine work from the first large relation on."""
    if rows >= MANY:
        connection.execute("reset global threads")


# Or nanobind lists the functions as leaked, on standard error.
atexit.register(engine_of.cache_clear)
