"""Bulk API 1.0 over HTTP, in XML, as CumulusCI and older loaders use it (api-facts 3.9)."""

from collections.abc import Callable
from dataclasses import replace
from xml.sax.saxutils import escape

from lxml import etree

from pipelines.local_org import ids
from pipelines.local_org.api.router import Answer, Call, Handler, Router
from pipelines.local_org.bulk.classic import Batch, batches_of, run_batch
from pipelines.local_org.bulk.jobs import Job

router = Router()
NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll"})
MOST_BATCHES = 10_000
BASE = "/services/async/{version}/job"


class Refused(Exception):
    """A call that is refused, with the API's own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def route(method: str, path: str, *, upload: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler whose refusals are XML, and which looks at `X-SFDC-Session`."""

    def register(handler: Handler) -> Handler:
        def answer(call: Call) -> Answer:
            try:
                return handler(_with_user(call))
            except Refused as refused:
                body = (
                    f"<exceptionCode>{refused.code}</exceptionCode>"
                    f"<exceptionMessage>{escape(str(refused))}</exceptionMessage>"
                )
                return _xml("error", body, 400)

        router.route(method, path, login=False, upload=upload)(answer)
        return handler

    return register


@route("POST", BASE)
def create(call: Call) -> Answer:
    """Make a job."""
    spec = _fields(call.body)
    sobject = call.catalog.get(spec.get("object", ""))
    operation = spec.get("operation", "")
    if sobject is None:
        raise Refused("InvalidJob", f"Unable to find object: {spec.get('object')}")
    if operation not in OPERATIONS:
        raise Refused("InvalidJob", f"Invalid operation: {operation}")
    if spec.get("contentType", "CSV") != "CSV":
        raise Refused("FeatureNotEnabled", "Only CSV is supported by this org")
    settings = {
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
        "apiVersion": float(call.version),
        "concurrencyMode": spec.get("concurrencyMode", "Parallel"),
    }
    if operation == "upsert":
        key = sobject.get(spec.get("externalIdFieldName", ""))
        if key is None or not (key.external_id or key.id_lookup):
            raise Refused("InvalidJob", "externalIdFieldName names no External Id")
        settings["externalIdFieldName"] = key.name
    job = call.org.jobs.create("Classic", sobject.name, operation, settings, call.user)
    return _job(call, job, 201)


@route("GET", BASE + "/{id}")
def info(call: Call) -> Answer:
    """How far a job is."""
    return _job(call, _find(call))


@route("POST", BASE + "/{id}")
def change(call: Call) -> Answer:
    """Close or abort a job."""
    job, state = _find(call), _fields(call.body).get("state")
    if state not in {"Closed", "Aborted"}:
        raise Refused("InvalidJobState", f"Invalid job state: {state}")
    call.org.jobs.change(job.id, state=state)
    return _job(call, _find(call))


@route("POST", BASE + "/{id}/batch", upload=True)
def add_batch(call: Call) -> Answer:
    """Take a batch and work on it."""
    job = _find(call)
    if job.state != "Open" or call.body_file is None:
        raise Refused("InvalidJobState", f"Job is in state {job.state}")
    number = job.n * MOST_BATCHES + len(batches_of(call.org.jobs, job))
    batch_id = ids.record_id("751", call.org.store.pod, number)
    call.org.usage.count("DailyBulkApiBatches")
    batch = run_batch(call.org.jobs, job, batch_id, call.body_file)
    # The work is done, but a client expects to wait for it.
    queued = replace(batch, state="Queued", processed=0, failed=0, message="")
    return _xml("batchInfo", _batch(queued), 201)


@route("GET", BASE + "/{id}/batch")
def list_batches(call: Call) -> Answer:
    """The batches of a job."""
    found = batches_of(call.org.jobs, _find(call))
    return _xml("batchInfoList", "".join(f"<batchInfo>{_batch(b)}</batchInfo>" for b in found))


@route("GET", BASE + "/{id}/batch/{batch}")
def batch_info(call: Call) -> Answer:
    """How far a batch is."""
    return _xml("batchInfo", _batch(_find_batch(call)))


@route("GET", BASE + "/{id}/batch/{batch}/result")
def batch_result(call: Call) -> Answer:
    """What became of each row; for queries, the list of results."""
    job, batch = _find(call), _find_batch(call)
    if batch.state == "Failed":
        raise Refused("InvalidBatch", batch.message)
    if job.operation in {"query", "queryAll"}:
        return _xml("result-list", f"<result>752{batch.id[3:]}</result>")
    return _file(call, job, batch)


@route("GET", BASE + "/{id}/batch/{batch}/result/{result}")
def query_result(call: Call) -> Answer:
    """The rows that a query found."""
    return _file(call, _find(call), _find_batch(call))


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
    path = call.org.jobs.folder(job.id) / f"{batch.id}.csv"
    return Answer(files=((path, 0, path.stat().st_size),), media_type="text/csv")


def _fields(body: bytes) -> dict[str, str]:
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Refused("InvalidJob", f"Unable to parse the request: {error}") from error
    return {
        etree.QName(element).localname: (element.text or "").strip()
        for element in root
        if isinstance(element.tag, str)
    }


def _job(call: Call, job: Job, status: int = 200) -> Answer:
    batches = batches_of(call.org.jobs, job)
    failed = sum(batch.state == "Failed" for batch in batches)
    values = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": f"{job.created_at:%Y-%m-%dT%H:%M:%S}.000Z",
        "systemModstamp": f"{job.changed_at:%Y-%m-%dT%H:%M:%S}.000Z",
        "state": job.state,
        "externalIdFieldName": job.spec.get("externalIdFieldName"),
        "concurrencyMode": job.spec["concurrencyMode"],
        "contentType": "CSV",
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
    return _xml("jobInfo", _tags(values), status)


def _batch(batch: Batch) -> str:
    return _tags(
        {
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
    )


def _tags(values: dict[str, object]) -> str:
    return "".join(
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in values.items()
        if value is not None
    )


def _xml(name: str, body: str, status: int = 200) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">{body}</{name}>'
    return Answer(status, raw=text.encode(), media_type="application/xml")
