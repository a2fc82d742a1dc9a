"""Runs ingest jobs: reads the file in steps, writes each in one transaction with its progress.

The rows of a step and the job's `rows_done` are committed together, so that a job killed at any
instant goes on behind the last whole step and no row is written twice.
"""

import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.local_org.bulk.csvfile import DELIMITERS, NO_RECORDS, BadFile, CsvFile
from pipelines.local_org.bulk.jobs import Job, Jobs
from pipelines.local_org.catalog.model import literal, quoted
from pipelines.local_org.dml.orgrules import CHUNK, WriteOptions
from pipelines.local_org.dml.outcome import BULK_ERRORS_SQL
from pipelines.local_org.dml.request import ColumnError, WriteRequest, columns_of

STEP = 250_000
"""Rows of one transaction: a multiple of CHUNK, and enough for two threads to share."""
BATCH = 10_000
SUCCESSFUL, FAILED = "successful", "failed"


def run_ingest(jobs: Jobs, job: Job) -> None:
    """Work on a job until it is complete, failed or aborted, or the process is to end."""
    started = time.monotonic() - job.milliseconds / 1000
    jobs.change(job.id, state="InProgress")
    try:
        request = write_request(jobs, job)
        step = CHUNK if _names_itself(request) else STEP
        faults = jobs.writer_for(job.created_by).faults
        if faults is not None:
            step = faults.step(job.object, job.operation, step)
        file = csv_file(jobs, job)
        empty = job.rows_done == 0
        for rows in file.batches(len(request.columns), step, job.rows_done):
            empty = False
            current = jobs.get(job.id)
            if jobs.stopping or current is None or current.state == "Aborted":
                return
            if jobs.ended_by_fault(current):
                return
            elapsed = int((time.monotonic() - started) * 1000)
            _step(jobs, current, request, rows, elapsed)
            jobs.usage.count("DailyBulkApiBatches", -(-rows.num_rows // BATCH))
    except BadFile as error:
        jobs.change(job.id, state="Failed", error=str(error))
        return
    elapsed = int((time.monotonic() - started) * 1000)
    if empty:
        jobs.change(job.id, state="Failed", error=NO_RECORDS)
    else:
        jobs.change(job.id, state="JobComplete", milliseconds=elapsed)


def csv_file(jobs: Jobs, job: Job) -> CsvFile:
    """The uploaded file of a job."""
    return CsvFile(
        jobs.folder(job.id) / "upload.csv", job.spec["columnDelimiter"], job.spec["lineEnding"]
    )


def write_request(jobs: Jobs, job: Job, names: list[str] | None = None) -> WriteRequest:
    """What the operation and the header of the job's file (or another one) ask for.

    Raises:
        BadFile: the header names what is no field, or lacks the key.
    """
    catalog = jobs.writer_for(job.created_by).catalog
    sobject = catalog[job.object]
    names = names or csv_file(jobs, job).header()
    try:
        columns = columns_of(catalog, sobject, names)
    except ColumnError as error:
        raise BadFile(f"InvalidBatch : Field name not found : {error.name}") from error
    if len({c.name.lower() for c in columns}) < len(columns):
        raise BadFile("InvalidBatch : Duplicate field name in header")
    key_name = job.spec.get("externalIdFieldName") if job.operation == "upsert" else "Id"
    key = sobject.get(key_name or "Id")
    needs_key = job.operation != "insert"
    if needs_key and (key is None or key.name not in {c.field.name for c in columns}):
        raise BadFile(f"InvalidBatch : Field name not found : {key_name}")
    return WriteRequest(sobject, job.operation, columns, key if job.operation == "upsert" else None)


def _names_itself(request: WriteRequest) -> bool:
    """Whether rows may name parents that other rows of the same job make."""
    return any(c.via is not None and c.via[0] is request.sobject for c in request.columns)


def _step(jobs: Jobs, job: Job, request: WriteRequest, rows: pa.Table, milliseconds: int) -> None:
    writer = jobs.writer_for(job.created_by)
    with jobs.store.write() as connection:
        if job.operation in {"delete", "hardDelete"}:
            hard = job.operation == "hardDelete"
            writer.apply_delete(connection, request, rows, job.created_by, hard=hard, job=job.id)
        else:
            options = WriteOptions(assignment_rule=job.spec.get("assignmentRuleId"), job=job.id)
            writer.apply(connection, request, rows, job.created_by, options)
        failed = _write_results(jobs, job, request, connection, rows)
        connection.execute(
            "update org.job set rows_done = rows_done + ?, rows_failed = rows_failed + ?, "
            "milliseconds = ? where id = ?",
            [rows.num_rows, failed, milliseconds, job.id],
        )
        if writer.faults is not None:
            writer.faults.job(job.object, job.operation, job.rows_done, "before_commit")
    if writer.faults is not None:
        rows_done = job.rows_done + rows.num_rows
        writer.faults.job(job.object, job.operation, rows_done, "after_commit")


def _write_results(
    jobs: Jobs,
    job: Job,
    request: WriteRequest,
    connection: duckdb.DuckDBPyConnection,
    rows: pa.Table,
) -> int:
    """Write the step's part of the result files; how many rows failed."""
    connection.register("incoming", rows)
    first = rows.column("_row")[0].as_py()
    for kind, sql in results_sql(request).items():
        part = jobs.folder(job.id) / f"{kind}-{first:012d}.csv"
        connection.execute(part_sql(sql, part, DELIMITERS[job.spec["columnDelimiter"]]))
    connection.unregister("incoming")
    counted: Any = connection.execute(
        "select count(*) from outcome where _error is not null"
    ).fetchall()
    failed: int = counted[0][0]
    return failed


def part_sql(rows: str, part: Path, delimiter: str) -> str:
    """SQL that writes rows to a part of a result file."""
    return (
        f"copy ({rows}) to {literal(str(part))} (format csv, header false, force_quote *, "
        f"delimiter {literal(delimiter)})"
    )


def results_sql(request: WriteRequest) -> dict[str, str]:
    """SQL of the successful and the failed rows, in the columns of the result files."""
    echoed = "".join(f", {_echo_sql(c.raw)} as {quoted(c.name)}" for c in request.columns)
    errors = BULK_ERRORS_SQL.format(errors="o._error")
    joined = "from outcome o join incoming i on i._row = o._row"
    return {
        SUCCESSFUL: f"select o._id, o._created::varchar{echoed} {joined} where o._error is null",
        FAILED: f"select coalesce(o._id, ''), {errors}{echoed} {joined} where o._error is not null",
    }


def _echo_sql(raw: str) -> str:
    return f"case i.{raw} when chr(0) then '#N/A' else coalesce(i.{raw}, '') end"


def result_header(request: WriteRequest, kind: str) -> list[str]:
    """The column names of a result file."""
    own = {SUCCESSFUL: ["sf__Id", "sf__Created"], FAILED: ["sf__Id", "sf__Error"]}.get(kind, [])
    return [*own, *(c.name for c in request.columns)]
