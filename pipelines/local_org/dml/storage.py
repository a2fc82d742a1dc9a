"""Data storage: how many more records the org has room for.

What is live is counted only when the room that was found last might not do. Deleting makes room, so
what is remembered is never too much.
"""

import threading

import duckdb

from pipelines.local_org.catalog.model import Catalog
from pipelines.local_org.dml.outcome import error_sql

KILOBYTES_PER_RECORD = 2
FULL = error_sql("STORAGE_LIMIT_EXCEEDED", "", "'storage limit exceeded'")


def live_sql(catalog: Catalog) -> str:
    """SQL for how many live records each object has: name, count."""
    return " union all ".join(
        f"select '{o.name}', count(*) from {o.table} where not \"IsDeleted\"" for o in catalog
    )


class Storage:
    """The room of one org."""

    def __init__(self, megabytes: int) -> None:
        self._most = megabytes * 1024 // KILOBYTES_PER_RECORD
        self._room = 0
        self._lock = threading.Lock()

    def takes(self, count: int) -> bool:
        """Whether so many new records fit for certain; they are counted as taken."""
        with self._lock:
            fits = count <= self._room
            self._room -= count if fits else 0
            return fits

    def refuse_beyond(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, count: int
    ) -> None:
        """Refuse the new rows of `work`, at most `count`, that the org has no room for."""
        if self.takes(count):
            return
        live = connection.execute(f"select sum(n) from ({live_sql(catalog)}) t(name, n)")
        room = max(0, self._most - int(live.fetchall()[0][0]))
        with self._lock:
            self._room = max(0, room - count)
        if room < count:
            connection.execute(
                f"update work set _error = {FULL} where _row in (select _row from work "
                f"where _error is null and _created order by _row offset {room})"
            )
