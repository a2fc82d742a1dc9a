"""Bulk API 2.0 query jobs over HTTP (api-facts 3.7)."""

import binascii

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
from pipelines.local_org.api.query import compiled_query
from pipelines.local_org.api.router import Answer, ApiError, Call, Router, refusal
from pipelines.local_org.bulk.query import PAGE, page_bounds, result_file
from pipelines.local_org.soql.run import copy_csv_sql
from pipelines.local_org.soql.tree import QueryError

router = Router()


@router.route("POST", "/services/data/v{version}/jobs/query")
def create(call: Call) -> Answer:
    """Make a query job; it starts at once."""
    body = call.json_object()
    operation, soql = body.get("operation"), body.get("query")
    if operation not in {"query", "queryAll"} or not isinstance(soql, str):
        raise refusal(unconfirmed.NO_QUERY)
    spec = csv_settings(call, body) | {"query": soql}
    compiled = compiled_query(call, soql, deleted=operation == "queryAll")
    try:
        copy_csv_sql(compiled, call.org.home.jobs, delimiter=",", line_ending="LF")
    except QueryError as error:
        raise ApiError(400, error.code, error.message) from error
    check_quota(call, "DailyBulkV2QueryJobs")
    call.org.usage.count("DailyBulkV2QueryJobs")
    job = call.org.jobs.create("V2Query", compiled.sobject.name, operation, spec, call.user)
    return Answer(content=job_json(call, job))


@router.route("GET", "/services/data/v{version}/jobs/query")
def listing(call: Call) -> Answer:
    """The query jobs, newest first."""
    return list_jobs(call, "V2Query")


@router.route("GET", "/services/data/v{version}/jobs/query/{id}")
def info(call: Call) -> Answer:
    """How far a query job is."""
    return Answer(content=job_json(call, job_of(call, "V2Query"), full=True))


@router.route("PATCH", "/services/data/v{version}/jobs/query/{id}")
def change(call: Call) -> Answer:
    """Abort a query job."""
    if call.json_object().get("state") != "Aborted":
        raise refusal(unconfirmed.ONLY_ABORT)
    abort(call, job_of(call, "V2Query"))
    return Answer(content=job_json(call, job_of(call, "V2Query")))


@router.route("DELETE", "/services/data/v{version}/jobs/query/{id}")
def delete(call: Call) -> Answer:
    """Forget a query job."""
    return delete_job(call, job_of(call, "V2Query"))


@router.route("GET", "/services/data/v{version}/jobs/query/{id}/results")
def results(call: Call) -> Answer:
    """One page of the result; `Sforce-Locator` leads to the next, and is `null` on the last."""
    job = job_of(call, "V2Query")
    if float(call.version) != job.spec["apiVersion"]:
        raise refusal(unconfirmed.OTHER_VERSION, 409)
    if job.state != "JobComplete":
        raise refusal(unconfirmed.NO_RESULTS, state=job.state)
    limit = call.query.get("maxRecords", "")
    most = max(1, int(limit)) if limit.isdigit() else PAGE
    file = result_file(call.org.jobs, job)
    try:
        start, length, count, following = page_bounds(file, call.query.get("locator"), most)
    except (ValueError, binascii.Error) as error:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from error
    with file.open("rb") as lines:
        header = len(lines.readline())
    headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(count)}
    parts = ((file, 0, header), (file, start, length))
    return Answer(200, files=parts, headers=headers, media_type=CSV_TYPE)
