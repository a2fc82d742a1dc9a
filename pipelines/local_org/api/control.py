"""The control endpoints: what only the owner of the org's home may ask, with its client secret."""

import base64
import datetime as dt
from itertools import islice

from pipelines.local_org.api.jobpages import failed_rows
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.bulk.jobs import TERMINAL
from pipelines.local_org.samples import Unfit, load_file, load_samples

router = Router()
ERRORS_LISTED = 10


@router.route("POST", "/control/seed", login=False)
def seed(call: Call) -> Answer:
    """Write the sample records that the org never got: object → how many."""
    owner_only(call)
    try:
        return Answer(content=load_samples(call.org))
    except Unfit as unfit:
        raise ApiError(400, "UNFIT", str(unfit)) from unfit


@router.route("POST", "/control/seed/{name}", login=False, upload=True)
def seed_file(call: Call) -> Answer:
    """Load a CSV file of one object: the job that does it, or the problems with their lines."""
    owner_only(call)
    sobject = call.org.custom_fields.complete().get(call["name"])
    if sobject is None or "create" not in sobject.verbs or call.body_file is None:
        raise ApiError(404, "NO_OBJECT", f"The org has no object {call['name']} to load")
    try:
        loaded = load_file(call.org, sobject, call.body_file)
    except Unfit as unfit:
        problems = [{"line": p.line, "text": p.text} for p in unfit.problems]
        return Answer(content={"problems": problems})
    if isinstance(loaded, dt.datetime):
        return Answer(content={"loaded": f"{loaded:%Y-%m-%d %H:%M:%S} UTC"})
    return Answer(content={"job": loaded.id, "operation": loaded.operation})


@router.route("GET", "/control/jobs/{id}", login=False)
def job(call: Call) -> Answer:
    """How far a job is, and the first of its errors."""
    owner_only(call)
    bulk_job = call.org.jobs.get(call["id"])
    if bulk_job is None:
        raise ApiError(404, "NO_JOB", f"There is no job {call['id']}")
    errors = [row[1:] for row in islice(failed_rows(call, bulk_job), ERRORS_LISTED)]
    return Answer(
        content={
            "ended": bulk_job.state in TERMINAL,
            "state": bulk_job.state,
            "error": bulk_job.error,
            "rows": bulk_job.rows_done,
            "failed": bulk_job.rows_failed,
            "errors": errors,
        }
    )


def owner_only(call: Call) -> None:
    """Refuse whoever does not know the client secret.

    Raises:
        ApiError: 404, as if there were nothing.
    """
    state = call.org.state
    secret = base64.b64encode(f"{state['client_id']}:{state['client_secret']}".encode()).decode()
    if call.headers.get("authorization") != f"Basic {secret}":
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
