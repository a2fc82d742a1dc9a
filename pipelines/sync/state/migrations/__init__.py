"""The versions of the state, and the numbered steps from one to the next; one way only.

    0002_as_every_opening_left_it.sql    the state is of version 2 once this has run
    0003_….py                            …or its ``migrate(connection, warehouse)``, for what SQL
                                         alone cannot do; a ``.sql`` beside it is its own to run

A step sees the state attached as ``state``, the macros, the variable ``organization``, and through
the warehouse whatever the batches left in Parquet. All steps and the version they lead to are one
transaction on the state, so that a kill at any instant leaves the old home or the new one: files
that are not made from the state are only added, under new names. A step uses nothing that goes on
changing, such as ``tables.sql`` or the stages; what it needs of them stands in its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.warehouse import Warehouse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = files(__name__)

FIRST = 1
"""What is in a state that says no version: it is as commit d30ce69 and all before it wrote it."""

FIRST_TABLE = "record"
"""The table that every program makes first; a file with others but without it is no state."""


@dataclass(frozen=True)
class Step:
    """One migration.

    Attributes:
        version: of the state once it has run.
        name: of its file, without suffix.
    """

    version: int
    name: str

    def run(self, connection: DuckDBPyConnection, warehouse: Warehouse) -> None:
        """Change the attached state, in the transaction of whoever calls."""
        if FOLDER.joinpath(f"{self.name}.py").is_file():
            import_module(f"{__name__}.{self.name}").migrate(connection, warehouse)
        else:
            connection.execute(FOLDER.joinpath(f"{self.name}.sql").read_text(encoding="utf-8"))


def steps() -> tuple[Step, ...]:
    """All of them, in order."""
    names = {file.name.partition(".")[0] for file in FOLDER.iterdir() if file.name[0].isdigit()}
    return tuple(Step(int(name[:4]), name) for name in sorted(names))


def newest() -> int:
    """The version that this program reads and writes."""
    return steps()[-1].version


def version_of(connection: DuckDBPyConnection) -> int | None:
    """The version of the attached state; none while it has no tables yet.

    Raises:
        ConfigError: it has tables, but none of a state.
    """
    import duckdb

    try:
        [(version,)] = connection.execute("select version from state.version").fetchall()
    except duckdb.CatalogException:
        query = "select table_name from duckdb_tables() where database_name = 'state'"
        tables = {name for [name] in connection.execute(query).fetchall()}
        if tables and FIRST_TABLE not in tables:
            query = "select path from duckdb_databases() where database_name = 'state'"
            [(path,)] = connection.execute(query).fetchall()
            raise ConfigError(
                f"{path} is no state of Causeway: it holds {', '.join(sorted(tables))}."
                " Put the right file there, or give --home another folder"
            ) from None
        return FIRST if tables else None
    return int(version)


def write_version(connection: DuckDBPyConnection, number: int) -> None:
    """Let the attached state say of which version it is."""
    connection.execute("create or replace table state.version (version integer not null)")
    connection.execute("insert into state.version values ($1)", [number])


def migrate(
    connection: DuckDBPyConnection, warehouse: Warehouse, before: int, report: Callable[[str], None]
) -> None:
    """Bring the attached state to the newest version, in the transaction of whoever calls.

    Args:
        connection: has the state attached.
        warehouse: whose state it is.
        before: the version it is of.
        report: gets a line for each step.
    """
    for step in steps():
        if step.version > before:
            report(f"{warehouse.home}: the state becomes one of version {step.version}")
            step.run(connection, warehouse)
    write_version(connection, newest())


def refuse_newer(version: int, source: str) -> None:
    """Stop before anything is read that a newer program has written.

    Raises:
        ConfigError: the version is above the newest that this program knows.
    """
    if version > newest():
        raise ConfigError(
            f"{source} was written by a newer Causeway: its state is of version {version}, and this"
            f" one reads versions up to {newest()}. Nothing was changed. Use that Causeway, or give"
            " this one a home of its own: CAUSEWAY_HOME or --home"
        )
