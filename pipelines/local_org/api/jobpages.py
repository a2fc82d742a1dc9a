"""The web pages of Bulk jobs, with their rows and errors, and of API usage."""

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pipelines.local_org.api.discovery import record_counts
from pipelines.local_org.api.router import Answer, Call, Router
from pipelines.local_org.api.visitors import view
from pipelines.local_org.api.web import (
    PAGE,
    Names,
    cell,
    limits_used,
    missing,
    moment,
    page,
    place_of,
)
from pipelines.local_org.bulk.csvfile import DELIMITERS, BadFile
from pipelines.local_org.bulk.ingest import FAILED, SUCCESSFUL, result_header, write_request
from pipelines.local_org.bulk.jobs import Job

router = Router()
COUNTED = 100_000
"""Failed rows of a job whose reasons are counted."""
REASONS = 12


@view(router, "/lightning/usage")
def usage(call: Call) -> Answer:
    """Every limit of the org and what is used of it."""
    records = sum(record_counts(call).values())
    return page(call, "usage", "API usage", used=limits_used(call, records))


@view(router, "/lightning/jobs")
def jobs(call: Call) -> Answer:
    """The Bulk jobs, newest first."""
    all_jobs = [
        job for kind in ("V2Ingest", "V2Query", "Classic") for job in call.org.jobs.all(kind)
    ]
    all_jobs.sort(key=lambda job: -job.n)
    first, place = place_of(call, len(all_jobs), "job")
    lines = [
        {
            "id": job.id,
            "does": f"{job.operation} {job.object}",
            "state": job.state,
            "rows": f"{job.rows_done:,}",
            "failed": f"{job.rows_failed:,}" if job.rows_failed else "–",
            "seconds": f"{job.milliseconds / 1000:.1f}",
            "made": moment(job.created_at),
        }
        for job in all_jobs[first : first + PAGE]
    ]
    return page(call, "jobs", "Bulk jobs", jobs=lines, place=place)


@view(router, "/lightning/jobs/{id}")
def job_page(call: Call) -> Answer:
    """One job, with its rows and the reasons why some failed."""
    job = call.org.jobs.get(call["id"])
    if job is None:
        return missing(call)
    kinds = [FAILED, SUCCESSFUL] if job.kind == "V2Ingest" and job.rows_done else []
    kind = call.query.get("show", "")
    show = kind if kind in kinds else (FAILED if job.rows_failed else SUCCESSFUL)
    total = job.rows_failed if show == FAILED else job.rows_done - job.rows_failed
    first, place = place_of(call, total, "row")
    lines = list(islice(_rows(call, job, show), first, first + PAGE)) if kinds else []
    ids = [line[0] for line in lines]
    names = Names(call, [])
    user = Names(call, [job.created_by]).link(job.created_by)
    about = {
        "Operation": f"{job.operation} {job.object}",
        "Rows": f"{job.rows_done:,}, of which {job.rows_failed:,} failed",
        "Worked for": f"{job.milliseconds / 1000:.1f} seconds",
        "Made": f"{moment(job.created_at)} by {user.text}",
        **{name: str(value) for name, value in job.spec.items() if value is not None},
    }
    reasons = Counter(row[1] for row in islice(failed_rows(call, job), COUNTED))
    return page(
        call,
        "job",
        f"Job {job.id}",
        does=f"{job.operation.capitalize()} {job.object}",
        id=job.id,
        job_state=job.state,
        error=job.error,
        about=about.items(),
        kinds=kinds,
        show=show,
        columns=_header(call, job, show) if kinds else [],
        lines=[
            [names.link(record_id) if record_id else None, *(cell(None, text) for text in line[1:])]
            for record_id, line in zip(ids, lines, strict=True)
        ],
        place=place,
        reasons=[{"text": t, "count": f"{n:,}"} for t, n in reasons.most_common(REASONS)],
    )


def _header(call: Call, job: Job, kind: str) -> list[str]:
    try:
        return result_header(write_request(call.org.jobs, job), kind)
    except BadFile:
        return []


def failed_rows(call: Call, job: Job) -> Iterator[list[Any]]:
    """The rows of a job that failed: id, error, what was sent."""
    return _rows(call, job, FAILED)


def _rows(call: Call, job: Job, kind: str) -> Iterator[list[Any]]:
    """The rows of a job as its result files have them, in the order of the upload's steps."""
    delimiter = DELIMITERS.get(job.spec.get("columnDelimiter", ""), ",")
    for part in sorted(call.org.jobs.folder(job.id).glob(f"{kind}-[0-9]*.csv")):
        with part.open(newline="", encoding="utf-8") as lines:
            yield from csv.reader(lines, delimiter=delimiter)
