"""Bulk API 2.0 ingest: files stream from disk to the org, results stream from the org to disk.

A job writes nothing before it is closed. So until then every doubt is settled by a new job, and
after it only by asking the same one: no file is ever sent twice.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import tenacity

from pipelines.salesforce.errors import AnswerLost, SalesforceError
from pipelines.salesforce.jobs import Job
from pipelines.salesforce.rows import Load

if TYPE_CHECKING:
    from pipelines.salesforce.session import Session

IN_FLIGHT = 4  # jobs at a time
LARGEST_FILE = 100_000_000  # bytes; Salesforce's 150 MB are counted after base64
ResultKind = Literal["successful", "failed", "unprocessed"]
OnJob = Callable[[str, Path], None]

_RESULTS: dict[ResultKind, str] = {
    "successful": "successfulResults",
    "failed": "failedResults",
    "unprocessed": "unprocessedrecords",
}


@dataclass(frozen=True)
class JobResult:
    """How one job ended, as CSV files in UTF-8 exactly as the org sent them.

    Attributes:
        state: ``JobComplete``, ``Failed`` or ``Aborted``; rows may be loaded in any of them.
        processed: rows the org has tried, the `failed` ones included.
        error_message: why the whole job failed; empty otherwise.
        successful: ``sf__Id, sf__Created``, then the columns sent.
        failed_rows: ``sf__Id, sf__Error``, then the columns sent.
        unprocessed: the columns sent, of rows the org never tried.
    """

    job_id: str
    state: str
    processed: int
    failed: int
    error_message: str
    successful: Path
    failed_rows: Path
    unprocessed: Path


class IngestJob(Job):
    """One file of rows for one object."""

    kind = "ingest"

    @classmethod
    def create(cls, session: Session, load: Load) -> Self:
        """Open a job that expects comma-separated CSV with line feeds."""
        settings = {
            "object": load.object,
            "operation": load.operation,
            "externalIdFieldName": load.external_id,
            "assignmentRuleId": load.assignment_rule,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        body = {key: value for key, value in settings.items() if value is not None}
        return cls(session, session.post(f"jobs/{cls.kind}", json=body).json()["id"])

    def upload(self, file: Path) -> None:
        """Send the file as it is, with its length; a job takes exactly one."""
        with file.open("rb") as content:
            self.session.put(
                f"{self.url}/batches", data=content, headers={"Content-Type": "text/csv"}
            )

    def close(self) -> None:
        """Let the org begin; does nothing to a job that has begun already."""
        self._move("UploadComplete", leaving=("Open",))

    def results(self, kind: ResultKind, dest: Path) -> Path:
        """Stream one of an ended job's result files to `dest`."""
        self.session.download(f"{self.url}/{_RESULTS[kind]}", dest)
        return dest


def ingest(
    session: Session,
    load: Load,
    files: Sequence[Path],
    *,
    results: Path,
    on_job: OnJob | None = None,
    in_flight: int = IN_FLIGHT,
) -> list[JobResult]:
    """Load each CSV file by a job of its own, up to `in_flight` at a time, and wait for all.

    `on_job` gets a job's id and file when the file has arrived and before the job is closed, one
    call at a time, from worker threads: whoever stores it can `resume` after a crash. Result files
    go to the folder `results`. A job that fails is a result, not an error.

    Raises:
        ValueError: a file is empty or above 100 MB; nothing has been sent then.
        SalesforceError: the first failure to talk to the org; no further job is begun, those
            that were go on in the org and can be resumed.
    """
    for file in files:
        if not 0 < file.stat().st_size <= LARGEST_FILE:
            raise ValueError(f"{file} has {file.stat().st_size} bytes: send 1 to {LARGEST_FILE}.")
    if not files:
        return []
    failures: list[BaseException] = []
    stop, one_by_one = threading.Event(), threading.Lock()

    def announce(job_id: str, file: Path) -> None:
        if on_job is not None:
            with one_by_one:
                on_job(job_id, file)

    def run(file: Path) -> JobResult:
        if stop.is_set():
            raise CancelledError
        try:
            job = _begun(session, load, file, announce)
            return _ended(job, results, stop)
        except BaseException as error:
            failures.append(error)
            stop.set()
            raise

    with ThreadPoolExecutor(min(in_flight, len(files))) as pool:
        futures = [pool.submit(run, file) for file in files]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()  # those that wait for a job stop waiting, also when we are interrupted
    if failures:
        raise failures[0]
    return [future.result() for future in futures]


def resume(session: Session, job_id: str, *, results: Path, start: bool = True) -> JobResult:
    """Go on with a job that `ingest` announced, from wherever it stands.

    Args:
        session: to the org.
        job_id: as announced.
        results: folder for the result files.
        start: whether a job that was never closed is closed now; else it is aborted, so that it
            never does anything.

    Raises:
        RequestRefused: with status 404 when the org has forgotten the job, after seven days.
    """
    job = IngestJob(session, job_id)
    if job.info().state == "Open":
        if start:
            job.close()
        else:
            job.abort()
    return _ended(job, results, threading.Event())


def _begun(session: Session, load: Load, file: Path, announce: OnJob) -> IngestJob:
    """Bring a file into a job, make the job known, and only then close it."""
    job = session.repeated(tenacity.retry_if_exception_type(AnswerLost))(
        _uploaded, session, load, file
    )
    with _aborted_on_error(job):
        announce(job.id, file)
    job.close()
    return job


def _uploaded(session: Session, load: Load, file: Path) -> IngestJob:
    job = IngestJob.create(session, load)
    with _aborted_on_error(job):
        job.upload(file)
    return job


@contextlib.contextmanager
def _aborted_on_error(job: IngestJob) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # An open job writes nothing and vanishes after a week: aborting it only tidies up.
        with contextlib.suppress(SalesforceError):
            job.abort()
        raise


def _ended(job: IngestJob, results: Path, stop: threading.Event) -> JobResult:
    info = job.wait(stop=stop)
    results.mkdir(parents=True, exist_ok=True)
    return JobResult(
        job_id=job.id,
        state=info.state,
        processed=info.processed,
        failed=info.failed,
        error_message=info.error_message,
        successful=job.results("successful", results / f"{job.id}.successful.csv"),
        failed_rows=job.results("failed", results / f"{job.id}.failed.csv"),
        unprocessed=job.results("unprocessed", results / f"{job.id}.unprocessed.csv"),
    )
