"""Insert, update and upsert: every path that writes records comes through here."""

from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.local_org.catalog.model import Catalog, SObject
from pipelines.local_org.catalog.setup import SwitchSetup
from pipelines.local_org.dml.addresses import padded, with_siblings
from pipelines.local_org.dml.automations import automate
from pipelines.local_org.dml.changes import (
    changed_fields_sql,
    changing_fields,
    insert_sql,
    note_write,
    update_sql,
)
from pipelines.local_org.dml.chunks import refuse_twins, waves
from pipelines.local_org.dml.contention import Locks, refuse_concurrent, refuse_contended
from pipelines.local_org.dml.delete import (
    bury,
    children_sql,
    deleted_twice_sql,
    doomed_sql,
    orphan,
    purge,
)
from pipelines.local_org.dml.orgrules import PLAIN, OrgRules, WriteOptions, judge
from pipelines.local_org.dml.outcome import Outcome, parse_errors
from pipelines.local_org.dml.persons import follow
from pipelines.local_org.dml.recordtypes import has_persons
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.dml.single import SingleWriter
from pipelines.local_org.dml.stages import follows, with_followers
from pipelines.local_org.dml.storage import Storage
from pipelines.local_org.dml.work import Numbers, work_sql
from pipelines.local_org.faults import Faults
from pipelines.local_org.moments import now
from pipelines.local_org.store.store import Store

_OUTCOMES_SQL = (
    "select _row, case when _error is null or not _created then _id end as _id, _created, _error "
    "from work order by _row"
)
_NEW_OUTCOME = "create or replace temp table outcome as "
_MORE_OUTCOME = "insert into outcome "


@dataclass(frozen=True)
class Writer:
    """Writes rows into a store by the rules of a catalog."""

    store: Store
    catalog: Catalog
    switches: SwitchSetup
    rules: OrgRules
    faults: Faults | None = None
    locks: Locks = field(default_factory=Locks)
    storage: Storage | None = None

    @property
    def _contends(self) -> bool:
        """Whether writers of one account at once lock each other out."""
        return self.switches.lock_contention or (self.faults is not None and self.faults.contention)

    def write(
        self,
        request: WriteRequest,
        texts: pa.Table,
        user: str,
        options: WriteOptions = PLAIN,
    ) -> list[Outcome]:
        """Write rows, each on its own, and tell the fate of each, in the order they came.

        Args:
            request: the object, the operation and what the columns mean.
            texts: columns `_row` (bigint, ascending) and `c0`, `c1`, … (text or null).
            user: id of the user who writes.
            options: assignment rules and duplicates.
        """
        with self.store.write() as connection:
            self.apply(connection, request, texts, user, options)
            return _outcomes(connection)

    def write_one(
        self, request: WriteRequest, texts: dict[int, str], user: str, options: WriteOptions = PLAIN
    ) -> Outcome:
        """Write one row, given as a column's position → text; see `write`."""
        request = with_followers(with_siblings(request))
        special = self.rules.touches(request.sobject, options) or self.faults is not None
        special = special or self._contends
        if request.operation != "update" and self.storage is not None:
            special = special or not self.storage.takes(1)
        if special or has_persons(request.sobject) or follows(request):
            table = texts_of([texts], len(request.columns))
            return self.write(request, table, user, options)[0]
        with self.store.write():
            return self._single().write(request, texts, user)

    def delete_one(self, request: WriteRequest, record_id: str, user: str) -> Outcome:
        """Delete one record; see `delete`."""
        with self.store.write():
            special = self._contends or self.faults is not None
            plain = request.sobject.get("IsPersonAccount") is None and not special
            if (
                plain
                and len(record_id) == 18
                and self._single().delete(request.sobject, record_id, user)
            ):
                return Outcome(0, record_id, created=False)
            return self.delete(request, texts_of([{0: record_id}], 1), user)[0]

    def _single(self) -> SingleWriter:
        return SingleWriter(
            self.store, self.catalog, lower_case_email=self.switches.lower_case_email
        )

    def _refuse_locked(
        self,
        connection: duckdb.DuckDBPyConnection,
        request: WriteRequest,
        job: str | None,
        rows: str = "work",
    ) -> None:
        """Refuse rows of a table, `work` or `outcome`, that somebody else holds."""
        name = request.sobject.name
        locked = self.faults.lock_sql(name, rows) if self.faults is not None else None
        if locked is not None:
            connection.execute(locked)
        if not self._contends:
            return
        if job is None:
            refuse_concurrent(connection, request, self.locks, rows)
        elif rows == "work":
            refuse_contended(connection, request, job)

    def delete(
        self, request: WriteRequest, texts: pa.Table, user: str, *, hard: bool = False
    ) -> list[Outcome]:
        """Delete rows, each on its own; see `write`."""
        with self.store.write() as connection:
            self.apply_delete(connection, request, texts, user, hard=hard)
            return _outcomes(connection)

    def apply_delete(
        self,
        connection: duckdb.DuckDBPyConnection,
        request: WriteRequest,
        texts: pa.Table,
        user: str,
        *,
        hard: bool = False,
        job: str | None = None,
    ) -> None:
        """Delete inside the caller's transaction; leaves the temporary table `outcome`."""
        connection.register("incoming", texts)
        connection.execute(
            "create or replace temp table outcome as "
            + doomed_sql(self.catalog, request, hard=hard)
        )
        connection.unregister("incoming")
        connection.execute(deleted_twice_sql())
        self._refuse_locked(connection, request, job, "outcome")
        doomed = connection.execute("select _id as id from outcome where _error is null")
        self._bury(
            connection,
            request.sobject,
            doomed.to_arrow_table(),
            user,
            "purge" if hard else "delete",
        )

    def _bury(
        self,
        connection: duckdb.DuckDBPyConnection,
        sobject: SObject,
        doomed: pa.Table,
        user: str,
        operation: str,
    ) -> None:
        """Delete records and, level by level, what the relationships say goes with them."""
        if doomed.num_rows == 0:
            return
        connection.register("doomed", doomed)
        purged = operation == "purge"
        if purged:
            purge(self.store, connection, sobject, user)
        else:
            bury(self.store, sobject, user, operation)
        below = []
        for relation in sobject.children:
            child = self.catalog[relation.child]
            if relation.on_delete == "cascade":
                sql = children_sql(child, relation.field, buried=purged)
                child_ids = connection.execute(sql).to_arrow_table()
                below.append((child, child_ids))
            elif relation.on_delete == "clear":
                orphan(self.store, child, relation.field, user)
        connection.unregister("doomed")
        for child, child_ids in below:
            self._bury(connection, child, child_ids, user, "purge" if purged else "cascade")

    def apply(
        self,
        connection: duckdb.DuckDBPyConnection,
        request: WriteRequest,
        texts: pa.Table,
        user: str,
        options: WriteOptions = PLAIN,
    ) -> None:
        """Write rows inside the caller's transaction.

        Leaves the temporary table `outcome(_row, _id, _created, _error)`, one line per row.
        """
        request = with_followers(with_siblings(request))
        texts = padded(request, texts)
        first = self.store.numbers(request.sobject.prefix, texts.num_rows)
        numbers = Numbers(self.store.pod, first, texts.column("_row")[0].as_py())
        stamp = {"user": user, "now": now()}
        write = note_write(self.store, request, user, first, texts.num_rows)
        for wave, rows in enumerate(waves(connection, request, texts)):
            connection.register("incoming", rows)
            sql = work_sql(
                self.catalog, request, numbers, lower_case_email=self.switches.lower_case_email
            )
            connection.execute(f"create or replace temp table work as {sql}")
            connection.unregister("incoming")
            if rows.num_rows > 1:
                refuse_twins(connection, request)
            self._refuse_locked(connection, request, options.job)
            judge(connection, self.rules, request, options, stamp)
            if request.operation != "update" and self.storage is not None:
                self.storage.refuse_beyond(connection, self.catalog, rows.num_rows)
            if request.operation != "update":
                connection.execute(insert_sql(request), stamp)
            if request.operation != "insert":
                if changing_fields(request):
                    connection.execute(changed_fields_sql(request), {"write": write})
                connection.execute(update_sql(request), stamp)
            if has_persons(request.sobject):
                follow(self.store, connection, self.catalog, user)
            automate(self.store, connection, self.rules, request, options, user)
            _keep_outcome(connection, first=wave == 0)


def texts_of(rows: list[dict[int, str]], width: int, first_row: int = 0) -> pa.Table:
    """The table `Writer.write` takes, from rows that map a column's position to its text."""
    columns: dict[str, Any] = {
        "_row": pa.array(range(first_row, first_row + len(rows)), type=pa.int64())
    }
    for position in range(width):
        texts = [row.get(position) for row in rows]
        columns[f"c{position}"] = pa.array(texts, type=pa.string())
    return pa.table(columns)


def _outcomes(connection: duckdb.DuckDBPyConnection) -> list[Outcome]:
    lines = connection.execute(
        "select _row, _id, _created, _error from outcome order by _row"
    ).fetchall()
    return [
        Outcome(row, id_, created=created and not error, errors=parse_errors(error))
        for row, id_, created, error in lines
    ]


def _keep_outcome(connection: duckdb.DuckDBPyConnection, *, first: bool) -> None:
    """Add what became of the rows of `work` to `outcome`; a refused new row has no id."""
    connection.execute((_NEW_OUTCOME if first else _MORE_OUTCOME) + _OUTCOMES_SQL)
