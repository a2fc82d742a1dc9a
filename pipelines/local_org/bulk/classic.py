"""Bulk API 1.0: a job's batches, each a file of its own with results in the order of its rows."""

import csv
import datetime as dt
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.local_org.bulk.csvfile import BadFile, CsvFile
from pipelines.local_org.bulk.ingest import write_request
from pipelines.local_org.dml.outcome import BULK_ERRORS_SQL, parse_errors
from pipelines.local_org.dml.records import JsonTypeError, flatten, json_text
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.dml.write import texts_of
from pipelines.local_org.moments import now
from pipelines.local_org.soql.compile import compile_query
from pipelines.local_org.soql.parser import parse
from pipelines.local_org.soql.run import Shaper, copy_csv_sql
from pipelines.local_org.soql.tree import QueryError

if TYPE_CHECKING:
    from pipelines.local_org.bulk.jobs import Job, Jobs

MOST_ROWS = 10_000
QUERIES = frozenset({"query", "queryAll"})
RESULTS = (
    'select coalesce(_id, \'\') as "Id", (_error is null)::varchar as "Success", '
    '(_created and _error is null)::varchar as "Created", '
    f"coalesce({BULK_ERRORS_SQL.format(errors='_error')}, '') as \"Error\", _error "
    "from outcome order by _row"
)
Results = list[tuple[str, str, str, str, str | None]]
"""Id, Success, Created and Error as a CSV result spells them, and the packed errors."""


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
    request_file, result = request_of(jobs, job, batch_id), result_of(jobs, job, batch_id)
    upload.replace(request_file)
    stamp = dt.datetime.isoformat(now()) + ".000Z"
    batch = Batch(batch_id, job.id, "Completed", stamp)
    try:
        if job.operation in QUERIES:
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
    files = sorted(jobs.folder(job.id).glob("751*.json"))
    return [Batch(**json.loads(file.read_text())) for file in files]


def request_of(jobs: "Jobs", job: "Job", batch_id: str) -> Path:
    """What a batch was sent with."""
    return jobs.folder(job.id) / f"{batch_id}.request"


def result_of(jobs: "Jobs", job: "Job", batch_id: str) -> Path:
    """What a batch is answered with, in the job's content type."""
    return jobs.folder(job.id) / f"{batch_id}.result"


def _write(jobs: "Jobs", job: "Job", file: Path, result: Path) -> tuple[int, int]:
    read = _read_json if job.spec["contentType"] == "JSON" else _read_csv
    request, rows = read(jobs, job, file)
    writer = jobs.writer_for(job.created_by)
    with jobs.store.write() as connection:
        if job.operation in {"delete", "hardDelete"}:
            hard = job.operation == "hardDelete"
            writer.apply_delete(connection, request, rows, job.created_by, hard=hard)
        else:
            writer.apply(connection, request, rows, job.created_by)
        results: Results = connection.execute(RESULTS).fetchall()
    if job.spec["contentType"] == "JSON":
        result.write_text(json.dumps(_json_results(results)), encoding="utf-8")
    else:
        with result.open("w", newline="", encoding="utf-8") as out:
            lines = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
            lines.writerow(["Id", "Success", "Created", "Error"])
            lines.writerows(row[:4] for row in results)
    return len(results), sum(row[1] == "false" for row in results)


def _read_csv(jobs: "Jobs", job: "Job", file: Path) -> tuple[WriteRequest, pa.Table]:
    with file.open("rb") as lines:
        ending = "CRLF" if lines.readline().endswith(b"\r\n") else "LF"
    source = CsvFile(file, "COMMA", ending)
    request = write_request(jobs, job, source.header())
    tables = list(source.batches(len(request.columns), MOST_ROWS))
    _check_number(sum(table.num_rows for table in tables))
    return request, tables[0] if tables else texts_of([], len(request.columns))


def _read_json(jobs: "Jobs", job: "Job", file: Path) -> tuple[WriteRequest, pa.Table]:
    try:
        records = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadFile(f"InvalidBatch : Failed to parse JSON: {error}") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise BadFile("InvalidBatch : Failed to parse JSON. Expected a list of records")
    _check_number(len(records))
    flat = [flatten(record) for record in records]
    spelled = {name.lower(): name for record in flat for name in record}
    if not spelled:
        raise BadFile("InvalidBatch : Records not found")
    request = write_request(jobs, job, list(spelled.values()))
    columns = dict(zip(spelled, request.columns, strict=True))
    try:
        rows = [
            {(c := columns[n.lower()]).position: json_text(c, v) for n, v in record.items()}
            for record in flat
        ]
    except JsonTypeError as error:
        raise BadFile(f"InvalidBatch : {error}") from error
    return request, texts_of(rows, len(request.columns))


def _check_number(rows: int) -> None:
    if rows == 0:
        raise BadFile("InvalidBatch : Records not found")
    if rows > MOST_ROWS:
        raise BadFile(f"ExceededQuota : a batch must not exceed {MOST_ROWS} records")


def _json_results(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "success": success == "true",
            "created": created == "true",
            "id": record_id or None,
            "errors": [
                error.as_collection() | {"extendedErrorDetails": None}
                for error in parse_errors(packed)
            ],
        }
        for record_id, success, created, _, packed in results
    ]


def _query(jobs: "Jobs", job: "Job", file: Path, result: Path) -> int:
    catalog = jobs.writer_for(job.created_by).catalog
    soql = file.read_text(encoding="utf-8", errors="replace")
    compiled = compile_query(catalog, parse(soql), deleted=job.operation == "queryAll")
    sql = copy_csv_sql(compiled, result, delimiter=",", line_ending="LF")
    with jobs.store.read() as connection:
        if job.spec["contentType"] == "JSON":
            lines = connection.execute(compiled.sql).fetchall()
            version = str(job.spec["apiVersion"])
            records = Shaper(compiled, version).records(connection, lines)
            result.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
            return len(lines)
        count: int = connection.execute(sql).fetchall()[0][0]
    if count == 0:
        result.write_text("Records not found for this query", encoding="utf-8")
    return count
