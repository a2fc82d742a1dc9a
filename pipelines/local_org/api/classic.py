"""Bulk API 1.0 over HTTP, as CumulusCI, simple-salesforce and older loaders use it (api-facts 3.9).

Answers are XML, or JSON where the request is JSON or asks for it; batches and their results are CSV
or JSON, as the job says.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import etree

from pipelines.local_org import ids
from pipelines.local_org.api.router import Answer, ApiError, Call, Handler, Router, unexpected
from pipelines.local_org.api.xml import xml_text
from pipelines.local_org.bulk.classic import (
    QUERIES,
    Batch,
    batches_of,
    request_of,
    result_of,
    run_batch,
)
from pipelines.local_org.bulk.jobs import Job

router = Router()
NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete", *QUERIES})
MEDIA_TYPES = {"CSV": "text/csv", "JSON": "application/json"}
MODES = {"0": "Parallel", "1": "Serial", "parallel": "Parallel", "serial": "Serial"}
MOST_BATCHES = 10_000
BASE = "/services/async/{version}/job"
Values = dict[str, Any]


class Refused(Exception):
    """A call that is refused, with the API's own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def route(method: str, path: str, *, upload: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler that refuses in this API's own words and looks at `X-SFDC-Session`."""

    def register(handler: Handler) -> Handler:
        def answer(call: Call) -> Answer:
            try:
                return handler(_with_user(call))
            except Refused as refused:
                error = {"exceptionCode": refused.code, "exceptionMessage": str(refused)}
                return _answer(call, "error", error, 400)
            except Exception as problem:
                message = unexpected(problem, f"{call.method} {call.path}")
                error = {"exceptionCode": "Unknown", "exceptionMessage": message}
                return _answer(call, "error", error, 500)

        router.route(method, path, login=False, upload=upload)(answer)
        return handler

    return register


@route("POST", BASE)
def create(call: Call) -> Answer:
    """Make a job."""
    spec = _fields(call)
    sobject = call.catalog.get(spec.get("object", ""))
    operation, content_type = spec.get("operation", ""), spec.get("contentType", "XML")
    if sobject is None:
        raise Refused("InvalidJob", f"Unable to find object: {spec.get('object')}")
    if operation not in OPERATIONS:
        raise Refused("InvalidJob", f"Invalid operation: {operation}")
    if content_type not in MEDIA_TYPES:
        raise Refused("FeatureNotEnabled", f"This org takes CSV and JSON, not {content_type}")
    settings = {
        "contentType": content_type,
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
        "apiVersion": float(call.version),
        "concurrencyMode": MODES.get(spec.get("concurrencyMode", "").lower(), "Parallel"),
    }
    if operation == "upsert":
        key = sobject.get(spec.get("externalIdFieldName", ""))
        if key is None or not (key.external_id or key.id_lookup):
            raise Refused("InvalidJob", "externalIdFieldName names no External Id")
        settings["externalIdFieldName"] = key.name
    job = call.org.jobs.create("Classic", sobject.name, operation, settings, call.user)
    return _answer(call, "jobInfo", _job(call, job), 201)


@route("GET", BASE + "/{id}")
def info(call: Call) -> Answer:
    """How far a job is."""
    return _answer(call, "jobInfo", _job(call, _find(call)))


@route("POST", BASE + "/{id}")
def change(call: Call) -> Answer:
    """Close or abort a job."""
    job, state = _find(call), _fields(call).get("state")
    if state not in {"Closed", "Aborted"}:
        raise Refused("InvalidJob", f"Invalid job state: {state}")
    if job.state != "Open":
        raise Refused("InvalidJobState", f"Job is in state {job.state}, cannot become {state}")
    call.org.jobs.change(job.id, state=state)
    return _answer(call, "jobInfo", _job(call, _find(call)))


@route("POST", BASE + "/{id}/batch", upload=True)
def add_batch(call: Call) -> Answer:
    """Take a batch and work on it."""
    job = _find(call)
    if job.state != "Open" or call.body_file is None:
        raise Refused("InvalidJobState", f"Job is in state {job.state}")
    number = job.n * MOST_BATCHES + len(batches_of(call.org.jobs, job))
    batch_id = ids.record_id("751", call.org.store.pod, number)
    if call.org.usage.exhausted("DailyBulkApiBatches"):
        raise Refused("ExceededQuota", "DailyBulkApiBatches limit exceeded")
    call.org.usage.count("DailyBulkApiBatches")
    batch = run_batch(call.org.jobs, job, batch_id, call.body_file)
    # The work is done, but a client expects to wait for it.
    queued = replace(batch, state="Queued", processed=0, failed=0, message="")
    return _answer(call, "batchInfo", _batch(queued), 201)


@route("GET", BASE + "/{id}/batch")
def list_batches(call: Call) -> Answer:
    """The batches of a job."""
    batches = [_batch(batch) for batch in batches_of(call.org.jobs, _find(call))]
    return _answer(call, "batchInfoList", {"batchInfo": batches})


@route("GET", BASE + "/{id}/batch/{batch}")
def batch_info(call: Call) -> Answer:
    """How far a batch is."""
    return _answer(call, "batchInfo", _batch(_find_batch(call)))


@route("GET", BASE + "/{id}/batch/{batch}/request")
def batch_request(call: Call) -> Answer:
    """The data or the query that a batch was sent with."""
    job, batch = _find(call), _find_batch(call)
    path = request_of(call.org.jobs, job, batch.id)
    return Answer(files=((path, 0, path.stat().st_size),), media_type=_media_type(job))


@route("GET", BASE + "/{id}/batch/{batch}/result")
def batch_result(call: Call) -> Answer:
    """What became of each row; for queries, the list of results."""
    job, batch = _find(call), _find_batch(call)
    if batch.state == "Failed":
        raise Refused("InvalidBatch", batch.message)
    if job.operation not in QUERIES:
        return _file(call, job, batch)
    results = [f"752{batch.id[3:]}"]
    if _wants_json(call):
        return Answer(content=results, media_type=MEDIA_TYPES["JSON"])
    return _answer(call, "result-list", {"result": results})


@route("GET", BASE + "/{id}/batch/{batch}/result/{result}")
def query_result(call: Call) -> Answer:
    """The rows that a query found."""
    job, batch = _find(call), _find_batch(call)
    if job.operation not in QUERIES or call["result"][3:15] != batch.id[3:15]:
        raise Refused("InvalidBatch", f"Invalid result id: {call['result']}")
    return _file(call, job, batch)


def _with_user(call: Call) -> Call:
    token = call.headers.get("x-sfdc-session", "")
    user = call.org.sessions.user_of(token)
    if user is None:
        raise Refused("InvalidSessionId", "Invalid session id")
    call.org.usage.count("DailyApiRequests")
    return replace(call, user=user, token=token)


def _find(call: Call) -> Job:
    job = call.org.jobs.get(call["id"])
    if job is None or job.kind != "Classic":
        raise Refused("InvalidJob", f"Invalid job id: {call['id']}")
    return job


def _find_batch(call: Call) -> Batch:
    for batch in batches_of(call.org.jobs, _find(call)):
        if batch.id[:15] == call["batch"][:15]:
            return batch
    raise Refused("InvalidBatch", f"Invalid batch id: {call['batch']}")


def _file(call: Call, job: Job, batch: Batch) -> Answer:
    path = result_of(call.org.jobs, job, batch.id)
    if not path.exists():
        raise Refused("InvalidBatch", batch.message or "The batch has no results")
    return Answer(files=((path, 0, path.stat().st_size),), media_type=_media_type(job))


def _media_type(job: Job) -> str:
    return MEDIA_TYPES[job.spec["contentType"]]


def _wants_json(call: Call) -> bool:
    headers = (call.headers.get("content-type", ""), call.headers.get("accept", ""))
    return any("application/json" in header for header in headers)


def _fields(call: Call) -> dict[str, str]:
    """The elements of an XML body, or the members of a JSON one, as texts."""
    if "application/json" in call.headers.get("content-type", ""):
        try:
            body = call.json_object()
        except ApiError as error:
            raise Refused("InvalidJob", str(error)) from error
        return {str(name): str(value) for name, value in body.items() if value is not None}
    try:
        root = etree.fromstring(call.body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Refused("InvalidJob", f"Unable to parse the request: {error}") from error
    return {
        etree.QName(element).localname: (element.text or "").strip()
        for element in root
        if isinstance(element.tag, str)
    }


def _job(call: Call, job: Job) -> Values:
    batches = batches_of(call.org.jobs, job)
    failed = sum(batch.state == "Failed" for batch in batches)
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": f"{job.created_at:%Y-%m-%dT%H:%M:%S}.000Z",
        "systemModstamp": f"{job.changed_at:%Y-%m-%dT%H:%M:%S}.000Z",
        "state": job.state,
        "externalIdFieldName": job.spec.get("externalIdFieldName"),
        "concurrencyMode": job.spec["concurrencyMode"],
        "contentType": job.spec["contentType"],
        "numberBatchesQueued": 0,
        "numberBatchesInProgress": 0,
        "numberBatchesCompleted": len(batches) - failed,
        "numberBatchesFailed": failed,
        "numberBatchesTotal": len(batches),
        "numberRecordsProcessed": sum(batch.processed for batch in batches),
        "numberRetries": 0,
        "apiVersion": job.spec["apiVersion"],
        "numberRecordsFailed": sum(batch.failed for batch in batches),
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }


def _batch(batch: Batch) -> Values:
    return {
        "id": batch.id,
        "jobId": batch.job_id,
        "state": batch.state,
        "stateMessage": batch.message or None,
        "createdDate": batch.made_at,
        "systemModstamp": batch.made_at,
        "numberRecordsProcessed": batch.processed,
        "numberRecordsFailed": batch.failed,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }


def _answer(call: Call, name: str, values: Values, status: int = 200) -> Answer:
    """An answer in the language of the request."""
    if _wants_json(call):
        text = json.dumps(values)
        # JSON spells the zone of a moment as REST does.
        return Answer(
            status,
            raw=text.replace('.000Z"', '.000+0000"').encode(),
            media_type=MEDIA_TYPES["JSON"],
        )
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">'
        f"{_tags(values)}</{name}>"
    )
    return Answer(status, raw=text.encode(), media_type="application/xml")


def _tags(values: Values) -> str:
    return "".join(_tag(name, value) for name, value in values.items() if value is not None)


def _tag(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_tag(name, one) for one in value)
    inner = _tags(value) if isinstance(value, dict) else xml_text(value)
    return f"<{name}>{inner}</{name}>"
