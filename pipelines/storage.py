"""Dagster's storage of a home: its own SQLite files, which stay open while a run writes to them.

``dagster.yaml`` of a home names it; whoever writes another storage there, such as PostgreSQL, has
that one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import Connection, NullPool

MOST = 8
"""Files that a process keeps open: the index of all runs, and the runs it looked at last."""


class EventLog(SqliteEventLogStorage):
    """Dagster's event log, each of whose files is opened once and not for every event.

    Dagster opens, inspects and closes files three or four times for each of the hundreds of events
    of a run, and whoever closes a file last folds SQLite's log into it: that is nearly all of what
    an event costs. What it stores, and where, is the same, a transaction per event; so the log can
    be read while a run goes on, and nothing is lost when it dies.
    """

    def __init__(self, base_dir: str) -> None:
        self._open: OrderedDict[str, Connection] = OrderedDict()
        self._columns: set[str] = set()
        self._tables: set[str] = set()
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            connection = self._open.get(shard) or self._opened(shard)
            self._open.move_to_end(shard)
            with connection.begin():
                yield connection

    def _opened(self, shard: str) -> Connection:
        while len(self._open) >= MOST:
            _, oldest = self._open.popitem(last=False)
            oldest.close()
        options = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
        address = self.conn_string_for_shard(shard)
        engine = create_engine(address, poolclass=NullPool, connect_args=options)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._open[shard] = engine.connect()
        return self._open[shard]

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there; asked of the file until it is, for none is ever dropped."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(
            conn, column_name
        ):
            self._columns.add(column_name)
        return column_name in self._columns

    def wipe(self) -> None:
        """Forget everything; Dagster removes the files of the runs."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the files, which folds their logs into them."""
        super().dispose()
        self._close()

    def _close(self) -> None:
        with self._db_lock:
            while self._open:
                _, connection = self._open.popitem()
                connection.close()


class HomeStorage(DagsterSqliteStorage):
    """All that Dagster stores, below its home as ever."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventLog(str(Path(base_dir) / "history" / "runs"))

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> HomeStorage:
        """As ``dagster.yaml`` asks for it."""
        return cls.from_local(inst_data=inst_data, **config_value)
