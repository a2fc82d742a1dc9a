"""What the Bulk 2.0 jobs of both kinds, ingest and query, have in common over HTTP."""

from typing import Any

from pipelines.local_org import unconfirmed
from pipelines.local_org.api.router import Answer, ApiError, Call, refusal
from pipelines.local_org.bulk.csvfile import DELIMITERS
from pipelines.local_org.bulk.jobs import TERMINAL, Job

CSV_TYPE = "text/csv"
"""Without a charset, as the real API answers: clients must not rely on one."""


def job_of(call: Call, kind: str) -> Job:
    """The job that the path names.

    Raises:
        ApiError: 404, there is none of this kind.
    """
    job = call.org.jobs.get(call["id"])
    if job is None or job.kind != kind:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return job


def abort(call: Call, job: Job) -> None:
    """Stop a job; rows not yet reached stay unprocessed.

    Raises:
        ApiError: it has ended already.
    """
    if job.state in TERMINAL:
        raise refusal(unconfirmed.NO_TRANSITION, old=job.state, new="Aborted")
    call.org.jobs.change(job.id, state="Aborted")


def delete_job(call: Call, job: Job) -> Answer:
    """Forget a job.

    Raises:
        ApiError: it is still at work.
    """
    if job.state not in TERMINAL | {"UploadComplete"}:
        raise refusal(unconfirmed.CANNOT_BE_DELETED, state=job.state)
    call.org.jobs.delete(job)
    return Answer(204)


def list_jobs(call: Call, kind: str) -> Answer:
    """All jobs of a kind, in one page."""
    records = [job_json(call, job) for job in call.org.jobs.all(kind)]
    return Answer(content={"done": True, "records": records, "nextRecordsUrl": None})


def job_json(call: Call, job: Job, *, full: bool = False) -> dict[str, Any]:
    """A job as clients see it; `full` adds what is known of its progress."""
    spec = job.spec
    content: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": f"{job.created_at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "systemModstamp": f"{job.changed_at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": spec["apiVersion"],
        "lineEnding": spec["lineEnding"],
        "columnDelimiter": spec["columnDelimiter"],
    }
    if spec.get("externalIdFieldName"):
        content["externalIdFieldName"] = spec["externalIdFieldName"]
    if spec.get("assignmentRuleId"):
        content["assignmentRuleId"] = spec["assignmentRuleId"]
    if job.kind == "V2Ingest" and job.state == "Open":
        content["contentUrl"] = f"services/data/v{spec['apiVersion']}/jobs/ingest/{job.id}/batches"
    if full:
        content |= {
            "jobType": job.kind,
            "numberRecordsProcessed": job.rows_done,
            "retries": 0,
            "totalProcessingTime": job.milliseconds,
        }
        if job.kind == "V2Ingest":
            content |= {
                "numberRecordsFailed": job.rows_failed,
                "apiActiveProcessingTime": job.milliseconds,
                "apexProcessingTime": 0,
            }
        else:
            content["isPkChunkingSupported"] = True
        if job.error is not None:
            content["errorMessage"] = job.error
    return content


def check_quota(call: Call, kind: str) -> None:
    """Refuse a job when nothing is left of the day's limit.

    Raises:
        ApiError: `EXCEEDEDQUOTA`.
    """
    if call.org.usage.exhausted(kind):
        raise refusal(unconfirmed.NOTHING_LEFT, kind=kind)


def csv_settings(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """The part of a job's spec that says how its CSV is written.

    Raises:
        ApiError: an unknown content type, delimiter or line ending.
    """
    spec = {
        "contentType": body.get("contentType") or "CSV",
        "columnDelimiter": body.get("columnDelimiter") or "COMMA",
        "lineEnding": body.get("lineEnding") or "LF",
        "apiVersion": float(call.version),
    }
    allowed = {
        "contentType": {"CSV"},
        "columnDelimiter": set(DELIMITERS),
        "lineEnding": {"LF", "CRLF"},
    }
    for name, values in allowed.items():
        if spec[name] not in values:
            raise refusal(unconfirmed.WRONG_SETTING, name=name, value=spec[name])
    return spec
