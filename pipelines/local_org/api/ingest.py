"""Bulk API 2.0 ingest jobs over HTTP (api-facts 3.1)."""

import csv
import io
import re
from dataclasses import replace
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from pipelines.local_org import unconfirmed
from pipelines.local_org.api.jobs import (
    CSV_TYPE,
    abort,
    check_quota,
    csv_settings,
    delete_job,
    job_json,
    job_of,
    list_jobs,
)
from pipelines.local_org.api.router import Answer, ApiError, Call, Router, refusal
from pipelines.local_org.bulk.csvfile import DELIMITERS, BadFile
from pipelines.local_org.bulk.ingest import FAILED, SUCCESSFUL, result_header, write_request
from pipelines.local_org.bulk.jobs import TERMINAL, Job
from pipelines.local_org.catalog.model import SObject

router = Router()
OPERATIONS = {
    "insert": "create",
    "update": "update",
    "upsert": "update",
    "delete": "delete",
    "hardDelete": "delete",
}
MULTIPART_MOST = 100_000
UPLOAD_MOST = 150_000_000


@router.route("POST", "/services/data/v{version}/jobs/ingest")
def create(call: Call) -> Answer:
    """Make a job; a multipart request also carries its data."""
    if call.headers.get("content-type", "").startswith("multipart/form-data"):
        return _create_multipart(call)
    return Answer(content=job_json(call, _create(call, call.json_object())))


@router.route("GET", "/services/data/v{version}/jobs/ingest")
def listing(call: Call) -> Answer:
    """The jobs, newest first."""
    return list_jobs(call, "V2Ingest")


@router.route("GET", "/services/data/v{version}/jobs/ingest/{id}")
def info(call: Call) -> Answer:
    """How far a job is."""
    return Answer(content=job_json(call, job_of(call, "V2Ingest"), full=True))


@router.route("PUT", "/services/data/v{version}/jobs/ingest/{id}/batches", upload=True)
def upload(call: Call) -> Answer:
    """Take the data of a job, once."""
    job = job_of(call, "V2Ingest")
    if job.uploaded:
        raise ApiError(
            400,
            "INVALIDJOBSTATE",
            "Found multiple contents for job: <" + job.id + ">, please "
            "'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you "
            "only do 'PUT' once on a given Job.",
        )
    if job.state != "Open" or call.body_file is None:
        raise refusal(unconfirmed.CANNOT_TAKE_DATA, state=job.state)
    if call.body_file.stat().st_size > UPLOAD_MOST:
        raise refusal(unconfirmed.DATA_TOO_LARGE, 413)
    call.org.jobs.attach(job, call.body_file)
    return Answer(201, raw=b"")


@router.route("PATCH", "/services/data/v{version}/jobs/ingest/{id}")
def change(call: Call) -> Answer:
    """Close a job, so that it is worked on, or abort it."""
    job, state = job_of(call, "V2Ingest"), call.json_object().get("state")
    if state == "UploadComplete":
        if job.state != "Open":
            raise refusal(unconfirmed.NO_TRANSITION, old=job.state, new=state)
        if not job.uploaded:
            (call.org.jobs.folder(job.id) / "upload.csv").touch()
        call.org.jobs.start(job)
    elif state == "Aborted":
        abort(call, job)
    else:
        raise refusal(unconfirmed.WRONG_STATE, state=state)
    return Answer(content=job_json(call, job_of(call, "V2Ingest")))


@router.route("DELETE", "/services/data/v{version}/jobs/ingest/{id}")
def delete(call: Call) -> Answer:
    """Forget a job that has ended."""
    return delete_job(call, job_of(call, "V2Ingest"))


@router.route("GET", "/services/data/v{version}/jobs/ingest/{id}/{results}")
def results(call: Call) -> Answer:
    """The rows that were written, refused, or never reached."""
    job, kind = job_of(call, "V2Ingest"), call["results"].lower()
    if job.state not in TERMINAL:
        raise refusal(unconfirmed.NO_RESULTS, state=job.state)
    if kind == "successfulresults":
        return _parts(call, job, SUCCESSFUL)
    if kind == "failedresults":
        return _parts(call, job, FAILED)
    if kind == "unprocessedrecords":
        return _unprocessed(call, job)
    raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def _create(call: Call, body: dict[str, Any]) -> Job:
    sobject, operation = _sobject(call, body), body.get("operation")
    if operation not in OPERATIONS:
        raise refusal(unconfirmed.WRONG_OPERATION, operation=operation)
    if OPERATIONS[operation] not in sobject.verbs:
        raise ApiError(
            400, "INVALIDJOB", f"Entity '{sobject.name}' is not supported to use BULK API"
        )
    spec = csv_settings(call, body)
    key_name = body.get("externalIdFieldName")
    if operation == "upsert":
        key = sobject.get(key_name) if key_name else None
        if key is None:
            raise ApiError(
                400, "INVALIDJOB", f"InvalidJob : Field name not found : {key_name or 'Id'}"
            )
        if not (key.external_id or key.id_lookup):
            raise ApiError(
                400,
                "INVALIDJOB",
                f"InvalidJob : Field name provided, {key.name} is not an External ID or indexed "
                f"field for {sobject.name}",
            )
        spec["externalIdFieldName"] = key.name
    if body.get("assignmentRuleId"):
        spec["assignmentRuleId"] = body["assignmentRuleId"]
    check_quota(call, "DailyBulkApiBatches")
    return call.org.jobs.create("V2Ingest", sobject.name, operation, spec, call.user)


def _sobject(call: Call, body: dict[str, Any]) -> SObject:
    name = body.get("object")
    sobject = call.catalog.get(name) if isinstance(name, str) else None
    if sobject is None:
        raise refusal(unconfirmed.NO_SUCH_OBJECT, name=name)
    return sobject


def _create_multipart(call: Call) -> Answer:
    parts = _parts_of(call)
    if not {"job", "content"} <= set(parts):
        raise refusal(unconfirmed.PARTS_MISSING)
    if len(parts["content"]) > MULTIPART_MOST:
        raise refusal(unconfirmed.PARTS_TOO_LARGE, most=MULTIPART_MOST)
    job = _create(call, replace(call, body=parts["job"], headers={}).json_object())
    file = call.org.jobs.folder(job.id) / "content.csv"
    file.write_bytes(parts["content"].rstrip(b"\r\n") + b"\n")
    call.org.jobs.attach(job, file)
    call.org.jobs.start(job)
    started = call.org.jobs.get(job.id)
    return Answer(content=job_json(call, started or job))


def _parts_of(call: Call) -> dict[str, bytes]:
    """The parts of a multipart body by their names."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    parts: dict[str, bytes] = {}
    for part in BytesParser(policy=policy.HTTP).parsebytes(head + call.body).iter_parts():
        name = re.search(r'name="?([^";]+)', str(part.get("Content-Disposition", "")))
        content = part.get_payload(decode=True)
        if name is not None and isinstance(content, bytes):
            parts[name[1]] = content
    return parts


def _parts(call: Call, job: Job, kind: str) -> Answer:
    """The header and the parts that the steps wrote, one after the other."""
    folder = call.org.jobs.folder(job.id)
    try:
        names = result_header(write_request(call.org.jobs, job), kind)
    except BadFile:
        names = ["sf__Id", "sf__Created" if kind == SUCCESSFUL else "sf__Error"]
    header = _header_file(folder / f"{kind}-header.csv", names, job)
    files = [header, *sorted(folder.glob(f"{kind}-[0-9]*.csv"))]
    parts = tuple((path, 0, path.stat().st_size) for path in files)
    return Answer(200, files=parts, media_type=CSV_TYPE)


def _header_file(file: Path, names: list[str], job: Job) -> Path:
    text = io.StringIO()
    delimiter = DELIMITERS[job.spec["columnDelimiter"]]
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(
        names
    )
    file.write_text(text.getvalue(), encoding="utf-8")
    return file


def _unprocessed(call: Call, job: Job) -> Answer:
    """The uploaded rows behind the last step, in the bytes they came in."""
    file = call.org.jobs.folder(job.id) / "upload.csv"
    if not file.exists() or job.state == "JobComplete":
        names: list[str] = []
        if file.exists():
            names = result_header(write_request(call.org.jobs, job), "unprocessed")
        header = _header_file(file.with_name("unprocessed-header.csv"), names, job)
        return Answer(200, files=((header, 0, header.stat().st_size),), media_type=CSV_TYPE)
    with file.open("rb") as lines:
        header_size = start = len(lines.readline())
        rows = quotes = 0
        while rows < job.rows_done and (line := lines.readline()):
            start += len(line)
            quotes += line.count(b'"')
            rows += quotes % 2 == 0
    size = file.stat().st_size
    parts = ((file, 0, header_size), (file, start, size - start))
    return Answer(200, files=parts, media_type=CSV_TYPE)
