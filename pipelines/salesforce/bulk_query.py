"""Bulk API 2.0 query: a result of any size, streamed to disk as CSV pages."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipelines.salesforce.errors import JobFailed, TransientError
from pipelines.salesforce.jobs import Job

if TYPE_CHECKING:
    from pipelines.salesforce.session import Session

logger = logging.getLogger(__name__)


class QueryJob(Job):
    """One SOQL query that the org answers in its own time."""

    kind = "query"

    @classmethod
    def create(cls, session: Session, soql: str, *, include_deleted: bool = False) -> Self:
        """Start the query; `include_deleted` adds rows that were deleted or merged away."""
        operation = "queryAll" if include_deleted else "query"
        body = {"operation": operation, "query": soql, "contentType": "CSV", "lineEnding": "LF"}
        return cls(session, session.post(f"jobs/{cls.kind}", json=body).json()["id"])

    def pages(self, folder: Path, *, page_rows: int | None = None) -> list[Path]:
        """Stream the result of an ended job to numbered files, each with the header line."""
        pages: list[Path] = []
        locator: str | None = None
        while locator != "null":
            page = folder / f"{self.id}-{len(pages) + 1:05}.csv"
            parameters = {"locator": locator, "maxRecords": page_rows}
            headers = self.session.download(f"{self.url}/results", page, params=parameters)
            pages.append(page)
            locator = headers.get("Sforce-Locator") or "null"
        return pages


def query(
    session: Session,
    soql: str,
    folder: Path,
    *,
    include_deleted: bool = False,
    page_rows: int | None = None,
) -> list[Path]:
    """Run `soql` as a job, write its pages to `folder` in order, and delete the job.

    Empty text is null; an empty result is one page with only the header. `page_rows` is an upper
    limit, without it the org decides. Aggregates, OFFSET and sub-queries are refused by the org.

    Raises:
        JobFailed: the org gave the query up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    job = QueryJob.create(session, soql, include_deleted=include_deleted)
    info = job.wait()
    if info.state != "JobComplete":
        raise JobFailed(job.id, info.state, info.error_message)
    pages = job.pages(folder, page_rows=page_rows)
    try:
        job.delete()
    except TransientError as error:  # the rows are here, and the org forgets the job by itself
        logger.warning("The query job %s was left in the org. %s", job.id, error)
    return pages
