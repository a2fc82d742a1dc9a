"""What every Bulk API 2.0 job has, ingest or query: an id, a state, an end."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.salesforce.errors import AnswerLost, JobUnfinished, RequestRefused

if TYPE_CHECKING:
    from pipelines.salesforce.session import Session

FIRST_POLL, SLOWEST_POLL, GROWTH = 0.1, 30.0, 1.3  # seconds, seconds, factor
PATIENCE = 24 * 3600.0  # seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobInfo:
    """A job as the org describes it; `processed` includes the `failed` rows."""

    state: str
    processed: int
    failed: int
    error_message: str

    @property
    def ended(self) -> bool:
        """Whether the org has done all it will do."""
        return self.state in ("JobComplete", "Failed", "Aborted")


class Job:
    """A job of the org, known by its id; making this object calls nothing."""

    kind: ClassVar[str]

    def __init__(self, session: Session, job_id: str) -> None:
        self.session = session
        self.id = job_id
        self.url = f"jobs/{self.kind}/{job_id}"

    def info(self) -> JobInfo:
        """Ask for the job's state and counts."""
        job: dict[str, Any] = self.session.get(self.url).json()
        return JobInfo(
            state=job["state"],
            processed=job.get("numberRecordsProcessed", 0),
            failed=job.get("numberRecordsFailed", 0),
            error_message=job.get("errorMessage") or "",
        )

    def wait(
        self, *, patience: float | None = None, stop: threading.Event | None = None
    ) -> JobInfo:
        """Poll until the job has ended: soon at first, then less and less often.

        Raises:
            JobUnfinished: after `patience` seconds (a day where none are given), or when `stop` is
                set; the job goes on.
        """
        stop = stop or threading.Event()
        deadline = time.monotonic() + (PATIENCE if patience is None else patience)
        pause = FIRST_POLL
        while not (info := self.info()).ended:
            logger.debug("Bulk job %s: %s, %d rows", self.id, info.state, info.processed)
            if stop.wait(min(pause, max(deadline - time.monotonic(), 0))):
                raise JobUnfinished(self.id, info.state)
            if time.monotonic() >= deadline:
                raise JobUnfinished(self.id, info.state)
            pause = min(pause * GROWTH, SLOWEST_POLL)
        logger.info("Bulk job %s: %s, %d rows", self.id, info.state, info.processed)
        return info

    def abort(self) -> None:
        """Stop the job; rows already loaded stay. A job that has ended is left as it is."""
        self._move("Aborted", leaving=("Open", "UploadComplete", "InProgress"))

    def delete(self) -> None:
        """Remove an ended job and its results from the org."""
        self.session.delete(self.url)

    def _move(self, state: str, *, leaving: tuple[str, ...]) -> None:
        """Move the job to `state`; after a doubtful answer its own state says whether to repeat."""
        try:
            self.session.patch(self.url, json={"state": state})
        except (AnswerLost, RequestRefused):
            if self.info().state in leaving:
                self.session.patch(self.url, json={"state": state})
