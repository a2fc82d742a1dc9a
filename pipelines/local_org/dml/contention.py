"""Locks that batches and requests take from each other: `lock_contention`.

It is a switch of the org's set-up, and a fault that can be armed. Writing a contact or an
opportunity locks its account, and writing an account locks that. Bulk API 2.0 works on the batches
of a job (10,000 rows each), and on the batches of several jobs, at the same time; so rows of one
account that stand in two batches may find it locked, and then their whole chunk of 200 fails with
`UNABLE_TO_LOCK_ROW` (api-facts 3.6). Here the batch that comes first in the file, or whose job was
closed first, always wins: the same files fail in the same way each time. Written again in one
batch, the rows pass.

Requests of every other API (REST, collections, composite, Bulk API 1.0, SOAP) hold what they wrote
until they are answered. One that was under way meanwhile, or a Bulk job, finds it locked.
"""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

import duckdb

from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import WriteRequest

BATCH = 10_000
CHUNK = 200
PARENT = "AccountId"
ACCOUNT = "Account"
_request: ContextVar[int] = ContextVar("request_number", default=0)


class Locks:
    """The accounts that requests under way have locked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._arrived: dict[int, float] = {}
        self._held: dict[str, tuple[int, float]] = {}
        """Account → the request that locked it last, and when that ended."""

    @contextmanager
    def request(self) -> Iterator[None]:
        """Hold what the writes inside lock, until the end."""
        number = next(self._numbers)
        token = _request.set(number)
        with self._lock:
            self._arrived[number] = time.monotonic()
        try:
            yield
        finally:
            _request.reset(token)
            with self._lock:
                del self._arrived[number]
                ended = time.monotonic()
                for account, (holder, _) in self._held.items() if self._arrived else ():
                    if holder == number:
                        self._held[account] = (number, ended)
                if not self._arrived:
                    self._held.clear()

    def held(self, accounts: Collection[str]) -> list[str]:
        """Those of some accounts that another request locked while this one was under way."""
        own = _request.get()
        with self._lock:
            arrived = self._arrived.get(own, time.monotonic())
            holders = {a: self._held[a] for a in accounts if a in self._held}
        return [a for a, (holder, ended) in holders.items() if holder != own and ended > arrived]

    def hold(self, accounts: Collection[str]) -> None:
        """Lock accounts for this request."""
        own = _request.get()
        with self._lock:
            if own in self._arrived:
                self._held |= dict.fromkeys(accounts, (own, float("inf")))


def refuse_concurrent(
    connection: duckdb.DuckDBPyConnection, request: WriteRequest, locks: Locks, rows: str
) -> None:
    """Refuse the chunks of a request's rows that touch an account which somebody else holds.

    Args:
        connection: inside the write transaction.
        request: what is written or deleted.
        locks: what other requests hold.
        rows: the table of the rows, `work` or `outcome`.
    """
    if request.sobject.name != ACCOUNT and request.sobject.get(PARENT) is None:
        return
    connection.execute(f"create or replace temp table touching as {touching_sql(request, rows)}")
    distinct = "select distinct parent from touching where parent is not null"
    accounts = [row[0] for row in connection.execute(distinct).fetchall()]
    connection.execute(_REFUSE_CONCURRENT.format(rows=rows), {"held": locks.held(accounts)})
    kept = f"{distinct} and _row in (select _row from {rows} where _error is null)"
    locks.hold([row[0] for row in connection.execute(kept).fetchall()])


def refuse_contended(
    connection: duckdb.DuckDBPyConnection, request: WriteRequest, job_id: str
) -> None:
    """Refuse the chunks of `work` that touch an account which another batch holds."""
    if request.sobject.get(PARENT) is None:
        return
    connection.execute(f"create or replace temp table touching as {touching_sql(request)}")
    connection.execute(_REFUSE, {"job": job_id})
    connection.execute(_HOLD, {"job": job_id})


def meet(connection: duckdb.DuckDBPyConnection, job_id: str) -> None:
    """Note which jobs are in flight when one is closed; what jobs held before is free again."""
    running = "select id from org.job where kind = 'V2Ingest' and state = 'InProgress'"
    queued = "select id from org.job where kind = 'V2Ingest' and state = 'UploadComplete'"
    connection.execute(
        f"insert into org.at_once select $job, id from ({running} union all {queued}) "
        "where id <> $job",
        {"job": job_id},
    )
    connection.execute(
        "delete from org.touched where job not in (select other from org.at_once where job = $job)",
        {"job": job_id},
    )


def touching_sql(request: WriteRequest, rows: str = "work") -> str:
    """SQL for the accounts that the good rows of a table lock: `_row, batch, parent`."""
    good = "where w._error is null"
    if request.sobject.name == ACCOUNT:
        return f"select w._row, w._row // {BATCH} as batch, w._id as parent from {rows} w {good}"
    old = f't."{PARENT}"'
    if rows != "work":
        return (
            f"select w._row, w._row // {BATCH} as batch, {old} as parent from {rows} w "
            f'left join {request.sobject.table} t on t."Id" = w._id {good}'
        )
    column = request.by_field.get(PARENT)
    if column is not None:
        old = f"case when w.g{column.position} then w.{column.value} else {old} end"
    return (
        f"select w._row, w._row // {BATCH} as batch, {old} as parent from work w "
        f"left join {request.sobject.table} t on t._n = w._n and not w._created "
        f"{good}"
    )


_ERROR = error_sql(
    "UNABLE_TO_LOCK_ROW",
    "",
    "'unable to obtain exclusive access to this record or ', lost.held, ' records: ', lost.ids",
)
_LOST = f"""
lost as (
    select _row // {CHUNK} as chunk, count(distinct parent) as held,
        string_agg(distinct left(parent, 15), ',' order by left(parent, 15)) as ids
    from contended group by 1
)
update {{rows}} set _error = {_ERROR} from lost
where {{rows}}._row // {CHUNK} = lost.chunk and {{rows}}._error is null
"""
_REFUSE_CONCURRENT = f"""
with contended as (
    select _row, parent from touching where parent in (select unnest($held::varchar[]))
    union
    select t._row, t.parent from touching t
    join org.touched o on o.parent = t.parent
    join org.job j on j.id = o.job
    where j.state = 'InProgress'
),
{_LOST}"""
_REFUSE = f"""
with first_held as (
    select parent, min(batch) as batch from touching where parent is not null group by parent
),
elsewhere as (
    select parent, batch from org.touched where job = $job
    union all
    select parent, null from org.touched
    where job in (select other from org.at_once where job = $job)
),
contended as (
    select t._row, t.parent from touching t join first_held f on f.parent = t.parent
    where t.batch > f.batch
    union
    select t._row, t.parent from touching t join elsewhere e on e.parent = t.parent
    where e.batch is distinct from t.batch
),
{_LOST.format(rows="work")}"""
_HOLD = """
insert into org.touched
select distinct $job, t.batch, t.parent from touching t join work w on w._row = t._row
where w._error is null and t.parent is not null
"""
