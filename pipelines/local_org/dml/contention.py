"""Locks that batches take from each other: a switch of the org, `lock_contention`.

Writing a contact or an opportunity locks its account. Bulk API 2.0 works on the batches of a job
(10,000 rows each), and on the batches of several jobs, at the same time; so rows of one account
that stand in two batches may find it locked, and then their whole chunk of 200 fails with
`UNABLE_TO_LOCK_ROW` (api-facts 3.6). Here the batch that comes first in the file, or whose job was
closed first, always wins: the same files fail in the same way each time. Written again in one
batch, the rows pass.
"""

import duckdb

from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import WriteRequest

BATCH = 10_000
CHUNK = 200
PARENT = "AccountId"


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


def touching_sql(request: WriteRequest) -> str:
    """SQL for the accounts that the good rows of `work` lock: `_row, batch, parent`."""
    old = f't."{PARENT}"'
    column = request.by_field.get(PARENT)
    if column is not None:
        old = f"case when w.g{column.position} then w.{column.value} else {old} end"
    return (
        f"select w._row, w._row // {BATCH} as batch, {old} as parent from work w "
        f"left join {request.sobject.table} t on t._n = w._n and not w._created "
        "where w._error is null"
    )


_ERROR = error_sql(
    "UNABLE_TO_LOCK_ROW",
    "",
    "'unable to obtain exclusive access to this record or ', lost.held, ' records: ', lost.ids",
)
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
lost as (
    select _row // {CHUNK} as chunk, count(distinct parent) as held,
        string_agg(distinct left(parent, 15), ',' order by left(parent, 15)) as ids
    from contended group by 1
)
update work set _error = {_ERROR} from lost
where work._row // {CHUNK} = lost.chunk and work._error is null
"""
_HOLD = """
insert into org.touched
select distinct $job, t.batch, t.parent from touching t join work w on w._row = t._row
where w._error is null and t.parent is not null
"""
