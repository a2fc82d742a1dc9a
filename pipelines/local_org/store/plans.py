"""Statements whose plans are kept: planning costs far more than running where few rows move."""

from typing import Any

import duckdb

MOST = 500


class Plans:
    """The kept plans of one connection; one thread at a time may use them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._names: dict[str, str] = {}
        self._count = 0

    def run(self, sql: str, constants: str) -> list[tuple[Any, ...]]:
        """Run a statement and keep its plan for the next time.

        Args:
            sql: with parameters `$1`, `$2`, …
            constants: their values, as SQL.
        """
        name = self._names.get(sql)
        if name is None:
            if len(self._names) >= MOST:
                self._connection.execute("deallocate " + self._names.pop(next(iter(self._names))))
            self._count += 1
            name = f"kept{self._count}"
            self._connection.execute(f"prepare {name} as {sql}")
            self._names[sql] = name
        values = f"({constants})" if constants else ""
        return self._connection.execute(f"execute {name}{values}").fetchall()
