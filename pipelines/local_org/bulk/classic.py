"""Bulk API 1.0: a job's batches, each a file of its own with results in the order of its rows."""

import csv
import datetime as dt
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.local_org.bulk.csvfile import BadFile, CsvFile
from pipelines.local_org.bulk.ingest import write_request
from pipelines.local_org.dml.outcome import BULK_ERRORS_SQL
from pipelines.local_org.moments import now
from pipelines.local_org.soql.compile import compile_query
from pipelines.local_org.soql.run import copy_csv_sql
from pipelines.local_org.soql.tree import QueryError, parse

if TYPE_CHECKING:
    from pipelines.local_org.bulk.jobs import Job, Jobs

MOST_ROWS = 10_000
RESULTS = (
    'select coalesce(_id, \'\') as "Id", (_error is null)::varchar as "Success", '
    '(_created and _error is null)::varchar as "Created", '
    f"coalesce({BULK_ERRORS_SQL.format(errors='_error')}, '') as \"Error\" "
    "from outcome order by _row"
)


@dataclass(frozen=True)
class Batch:
    """One batch as clients see it."""

    id: str
    job_id: str
    state: str
    made_at: str
    processed: int = 0
    failed: int = 0
    message: str = ""


def run_batch(jobs: "Jobs", job: "Job", batch_id: str, upload: Path) -> Batch:
    """Work on a batch at once and keep what became of it."""
    request_file = jobs.folder(job.id) / f"{batch_id}.request"
    upload.replace(request_file)
    stamp = dt.datetime.isoformat(now()) + ".000Z"
    batch = Batch(batch_id, job.id, "Completed", stamp)
    result = jobs.folder(job.id) / f"{batch_id}.csv"
    try:
        if job.operation in {"query", "queryAll"}:
            processed, failed = _query(jobs, job, request_file, result), 0
        else:
            processed, failed = _write(jobs, job, request_file, result)
    except BadFile as error:
        batch = replace(batch, state="Failed", message=str(error))
    except QueryError as error:
        batch = replace(batch, state="Failed", message=f"InvalidBatch : {error.message}")
    else:
        batch = replace(batch, processed=processed, failed=failed)
    (jobs.folder(job.id) / f"{batch_id}.json").write_text(json.dumps(asdict(batch)))
    return batch


def batches_of(jobs: "Jobs", job: "Job") -> list[Batch]:
    """The batches of a job, in the order they came."""
    found = sorted(jobs.folder(job.id).glob("751*.json"))
    return [Batch(**json.loads(file.read_text())) for file in found]


def _write(jobs: "Jobs", job: "Job", file: Path, result: Path) -> tuple[int, int]:
    with file.open("rb") as lines:
        ending = "CRLF" if lines.readline().endswith(b"\r\n") else "LF"
    source = CsvFile(file, "COMMA", ending)
    request = write_request(jobs, job, source)
    tables = list(source.batches(len(request.columns), MOST_ROWS))
    if len(tables) > 1:
        raise BadFile(f"ExceededQuota : a batch must not exceed {MOST_ROWS} records")
    writer = jobs.writer_for(job.created_by)
    processed = failed = 0
    with result.open("w", newline="", encoding="utf-8") as out:
        lines_out = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        lines_out.writerow(["Id", "Success", "Created", "Error"])
        for rows in tables:
            with jobs.store.write() as connection:
                if job.operation in {"delete", "hardDelete"}:
                    hard = job.operation == "hardDelete"
                    writer.apply_delete(connection, request, rows, job.created_by, hard=hard)
                else:
                    writer.apply(connection, request, rows, job.created_by)
                found = connection.execute(RESULTS).fetchall()
            lines_out.writerows(found)
            processed += len(found)
            failed += sum(row[1] == "false" for row in found)
    return processed, failed


def _query(jobs: "Jobs", job: "Job", file: Path, result: Path) -> int:
    catalog = jobs.writer_for(job.created_by).catalog
    soql = file.read_text(encoding="utf-8", errors="replace")
    compiled = compile_query(catalog, parse(soql), deleted=job.operation == "queryAll")
    with jobs.store.read() as connection:
        sql = copy_csv_sql(compiled, result, delimiter=",", line_ending="LF")
        written: int = connection.execute(sql).fetchall()[0][0]
    if written == 0:
        result.write_text("Records not found for this query", encoding="utf-8")
    return written
