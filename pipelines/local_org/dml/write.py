"""Insert, update and upsert: every path that writes records comes through here."""

from dataclasses import dataclass
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
from pipelines.local_org.dml.contention import refuse_contended
from pipelines.local_org.dml.delete import bury, children_sql, doomed_sql, orphan, purge
from pipelines.local_org.dml.lookups import match_sql
from pipelines.local_org.dml.orgrules import CHUNK, PLAIN, OrgRules, WriteOptions, judge
from pipelines.local_org.dml.outcome import Outcome, error_sql, parse_errors
from pipelines.local_org.dml.persons import follow
from pipelines.local_org.dml.recordtypes import has_persons
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.dml.single import SingleWriter
from pipelines.local_org.dml.work import Numbers, work_sql
from pipelines.local_org.faults import Faults
from pipelines.local_org.moments import now
from pipelines.local_org.store.store import Store


@dataclass(frozen=True)
class Writer:
    """Writes rows into a store by the rules of a catalog."""

    store: Store
    catalog: Catalog
    switches: SwitchSetup
    rules: OrgRules
    faults: Faults | None = None

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
        request = with_siblings(request)
        special = self.rules.touches(request.sobject, options) or self.faults is not None
        if special or has_persons(request.sobject):
            table = texts_of([texts], len(request.columns))
            return self.write(request, table, user, options)[0]
        single = SingleWriter(
            self.store, self.catalog, lower_case_email=self.switches.lower_case_email
        )
        with self.store.write():
            return single.write(request, texts, user)

    def _refuse_locked(
        self,
        connection: duckdb.DuckDBPyConnection,
        request: WriteRequest,
        options: WriteOptions,
    ) -> None:
        locked = self.faults.lock_sql(request.sobject.name) if self.faults is not None else None
        if locked is not None:
            connection.execute(locked)
        if self.switches.lock_contention and options.job is not None:
            refuse_contended(connection, request, options.job)

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
    ) -> None:
        """Delete inside the caller's transaction; leaves the temporary table `outcome`."""
        connection.register("incoming", texts)
        connection.execute(
            "create or replace temp table outcome as "
            + doomed_sql(self.catalog, request, hard=hard)
        )
        connection.unregister("incoming")
        # Of rows that name one record twice the first deletes it.
        again = error_sql("ENTITY_IS_DELETED", "", "'entity is deleted'")
        connection.execute(
            f"update outcome set _error = {again} from (select _id as id, min(_row) as first_row "
            "from outcome where _error is null group by 1 having count(*) > 1) twice "
            "where _id = twice.id and _row > twice.first_row"
        )
        doomed = connection.execute("select _id as id from outcome where _error is null")
        self._bury(connection, request.sobject, doomed.to_arrow_table(), user, hard=hard)

    def _bury(
        self,
        connection: duckdb.DuckDBPyConnection,
        sobject: SObject,
        doomed: pa.Table,
        user: str,
        *,
        hard: bool,
    ) -> None:
        """Delete records and, level by level, what the relationships say goes with them."""
        if doomed.num_rows == 0:
            return
        connection.register("doomed", doomed)
        if hard:
            purge(self.store, connection, sobject, user)
        else:
            bury(self.store, sobject, user)
        below = []
        for relation in sobject.children:
            child = self.catalog[relation.child]
            if relation.on_delete == "cascade":
                found = connection.execute(children_sql(child, relation.field)).to_arrow_table()
                below.append((child, found))
            elif relation.on_delete == "clear":
                orphan(self.store, child, relation.field, user)
        connection.unregister("doomed")
        for child, found in below:
            self._bury(connection, child, found, user, hard=hard)

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
        request = with_siblings(request)
        texts = padded(request, texts)
        first = self.store.numbers(request.sobject.prefix, texts.num_rows)
        numbers = Numbers(self.store.pod, first, texts.column("_row")[0].as_py())
        stamp = {"user": user, "now": now()}
        write = note_write(self.store, request, user, first, texts.num_rows)
        for wave, rows in enumerate(_waves(connection, request, texts)):
            connection.register("incoming", rows)
            sql = work_sql(
                self.catalog, request, numbers, lower_case_email=self.switches.lower_case_email
            )
            connection.execute(f"create or replace temp table work as {sql}")
            connection.unregister("incoming")
            if rows.num_rows > 1:
                _refuse_twins(connection, request)
            self._refuse_locked(connection, request, options)
            judge(connection, self.rules, request, options, stamp)
            if request.operation != "update":
                connection.execute(insert_sql(request), stamp)
            if request.operation != "insert":
                if changing_fields(request):
                    connection.execute(changed_fields_sql(request), {"write": write})
                connection.execute(update_sql(request), stamp)
            if has_persons(request.sobject):
                follow(self.store, connection, self.catalog)
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
    found = connection.execute(
        "select _row, _id, _created, _error from outcome order by _row"
    ).fetchall()
    return [
        Outcome(row, id_, created=created and not error, errors=parse_errors(error))
        for row, id_, created, error in found
    ]


def _keep_outcome(connection: duckdb.DuckDBPyConnection, *, first: bool) -> None:
    """Add what became of the rows of `work` to `outcome`; a refused new row has no id."""
    told = (
        "select _row, case when _error is null or not _created then _id end as _id, _created, "
        "_error from work order by _row"
    )
    start = "create or replace temp table outcome as" if first else "insert into outcome"
    connection.execute(f"{start} {told}")


def _waves(
    connection: duckdb.DuckDBPyConnection, request: WriteRequest, texts: pa.Table
) -> list[pa.Table]:
    """Split rows so that each wave names a record once, later chunks after earlier ones.

    Chunks of 200 rows run one after the other: a record that two chunks name is written twice.
    Rows of one chunk that name the same record stay in one wave, where they are all refused.
    """
    key = request.key_column
    keys = [c for c in request.data_columns if c.field.unique]
    keys += [key] if key is not None and key not in keys else []
    if texts.num_rows <= CHUNK or not keys:
        return [texts]
    connection.register("incoming", texts)
    ranks = []
    for column in keys:
        wanted = match_sql(column.field, f"nullif(trim({column.raw}), '')")
        ranks.append(
            f"case when {wanted} is null then 1 else dense_rank() over "
            f"(partition by {wanted} order by _row // {CHUNK}) end"
        )
    repeated = " or ".join(
        f"count({c.raw}) > count(distinct {match_sql(c.field, c.raw)})" for c in keys
    )
    if not connection.execute(f"select {repeated} from incoming").fetchall()[0][0]:
        connection.unregister("incoming")
        return [texts]
    ranked = connection.execute(
        f"select *, greatest({', '.join(ranks)}) as _wave from incoming order by _row"
    ).to_arrow_table()
    connection.unregister("incoming")
    connection.register("ranked", ranked)
    highest = connection.execute("select max(_wave) from ranked").fetchall()[0][0]
    waves = [
        connection.execute(
            "select * exclude (_wave) from ranked where _wave = ? order by _row", [wave]
        ).to_arrow_table()
        for wave in range(1, highest + 1)
    ]
    connection.unregister("ranked")
    return waves


def _refuse_twins(connection: duckdb.DuckDBPyConnection, request: WriteRequest) -> None:
    """Refuse rows of one chunk that would put one unique value on two records.

    All rows that share an upsert's key are refused. Of rows that share the value of another unique
    field the first is written.
    """
    key = request.key_column
    chunk = f"_row // {CHUNK}"
    if key is not None:
        same = match_sql(key.field, key.value)
        what = "id" if key.field.name == "Id" else "external id"
        error = error_sql(
            "DUPLICATE_VALUE", key.field.name, f"'Duplicate {what} specified: ', {key.value}"
        )
        connection.execute(
            f"update work set _error = {error} where {same} in (select {same} from work "
            f"where {same} is not null group by {same}, {chunk} having count(*) > 1)"
        )
    for column in request.data_columns:
        if not column.field.unique or column is key:
            continue
        same = match_sql(column.field, column.value)
        error = error_sql(
            "DUPLICATE_VALUE",
            "",
            f"'duplicate value found: {column.field.name} duplicates value on record with id: ', "
            "left(twins.id, 15)",
        )
        connection.execute(
            f"update work set _error = {error} from (select {same} as k, min(_row) as first_row, "
            f"arg_min(_id, _row) as id from work "
            f"where _error is null and {same} is not null "
            f"group by 1 having count(*) > 1) twins "
            f"where {same} = twins.k and work._row > twins.first_row and work._error is null"
        )
