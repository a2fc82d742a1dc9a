"""Bulk jobs: kept in the store, worked on by two threads of their own, resumed after a crash."""

import datetime as dt
import json
import logging
import queue
import shutil
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.dml.contention import meet
from pipelines.local_org.dml.write import Writer
from pipelines.local_org.files import Home
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import doing
from pipelines.local_org.store.store import Store, rows
from pipelines.local_org.usage import Usage

log = logging.getLogger(__name__)
TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
_COLUMNS = (
    "n, id, kind, object, operation, state, spec, created_by, created_at, changed_at, uploaded, "
    "rows_done, rows_failed, milliseconds, error"
)


@dataclass(frozen=True)
class Job:
    """One job as it stands in the store."""

    n: int
    id: str
    kind: str
    object: str
    operation: str
    state: str
    spec: dict[str, Any]
    created_by: str
    created_at: dt.datetime
    changed_at: dt.datetime
    uploaded: bool
    rows_done: int
    rows_failed: int
    milliseconds: int
    error: str | None


class Jobs:
    """Creates, changes, lists and runs jobs."""

    def __init__(
        self,
        home: Home,
        store: Store,
        writer_for: Callable[[str], Writer],
        usage: Usage,
        runners: "Mapping[str, Runner]",
    ) -> None:
        self.home, self.store, self.usage = home, store, usage
        self.writer_for = writer_for
        self._stopping = threading.Event()
        self._waiting: dict[str, queue.Queue[str | None]] = {}
        self._threads = []
        for kind, run in runners.items():
            waiting: queue.Queue[str | None] = queue.Queue()
            thread = threading.Thread(
                target=self._work, args=(waiting, run), name=kind, daemon=True
            )
            self._waiting[kind] = waiting
            self._threads.append(thread)
            thread.start()
        self._resume()

    def close(self) -> None:
        """Let the running steps end; what is left goes on at the next start."""
        self._stopping.set()
        for waiting in self._waiting.values():
            waiting.put(None)
        for thread in self._threads:
            thread.join()

    @property
    def stopping(self) -> bool:
        """Whether the process is about to end, so that no new step should start."""
        return self._stopping.is_set()

    def ended_by_fault(self, job: Job) -> bool:
        """Whether a fault ends the job here; one that hangs it waits until the process ends."""
        faults = self.writer_for(job.created_by).faults
        if faults is None:
            return False
        end = faults.job(job.object, job.operation, job.rows_done, "between")
        if end == "Failed":
            self.change(
                job.id, state="Failed", error="InternalServerError : Retried more than 20 times"
            )
            return True
        if end == "InProgress":
            self._wait_for_end(job)
            return True
        return False

    def _wait_for_end(self, job: Job) -> None:
        """Hold a job as it is until it is aborted or the process is to end."""
        while not self._stopping.wait(0.1):
            current = self.get(job.id)
            if current is None or current.state in TERMINAL:
                return

    def folder(self, job_id: str) -> Path:
        """Where a job's files lie."""
        return self.home.jobs / job_id

    def create(
        self, kind: str, sobject: str, operation: str, spec: dict[str, Any], user: str
    ) -> Job:
        """A new job; query jobs start at once."""
        number = self.store.numbers("750")
        moment = now()
        job = Job(
            n=number,
            id=ids.record_id("750", self.store.pod, number),
            kind=kind,
            object=sobject,
            operation=operation,
            state="Open" if kind != "V2Query" else "UploadComplete",
            spec=spec,
            created_by=user,
            created_at=moment,
            changed_at=moment,
            uploaded=False,
            rows_done=0,
            rows_failed=0,
            milliseconds=0,
            error=None,
        )
        self.folder(job.id).mkdir(parents=True)
        values = {**vars(job), "spec": json.dumps(spec)}
        with self.store.write() as connection:
            connection.execute(_insert_sql(values), list(values.values()))
        if kind == "V2Query":
            self._waiting[kind].put(job.id)
        return job

    def get(self, job_id: str) -> Job | None:
        """The job with this id (15 or 18 characters)."""
        if not ids.is_id(job_id):
            return None
        with self.store.read() as connection:
            jobs = rows(
                connection, f"select {_COLUMNS} from org.job where id = ?", ids.to18(job_id)
            )
        return _job(jobs[0]) if jobs else None

    def all(self, kind: str) -> list[Job]:
        """Every job of a kind, newest first."""
        with self.store.read() as connection:
            jobs = rows(
                connection, f"select {_COLUMNS} from org.job where kind = ? order by n desc", kind
            )
        return [_job(row) for row in jobs]

    def attach(self, job: Job, upload: Path) -> None:
        """Keep the uploaded file of a job."""
        upload.replace(self.folder(job.id) / "upload.csv")
        self.change(job.id, uploaded=True)

    def start(self, job: Job) -> None:
        """Queue a job whose data is complete."""
        with self.store.write() as connection:
            meet(connection, job.id)
            self.change(job.id, state="UploadComplete")
        self._waiting[job.kind].put(job.id)

    def change(self, job_id: str, **values: Any) -> None:
        """Change columns of a job; inside a write transaction they go with it."""
        with self.store.write() as connection:
            connection.execute(_update_sql(values), [*values.values(), now(), job_id])

    def delete(self, job: Job) -> None:
        """Forget a job and its files."""
        with self.store.write() as connection:
            connection.execute("delete from org.job where id = ?", [job.id])
        shutil.rmtree(self.folder(job.id), ignore_errors=True)

    def _resume(self) -> None:
        for kind, waiting in self._waiting.items():
            for job in reversed(self.all(kind)):
                if job.state in {"UploadComplete", "InProgress"}:
                    waiting.put(job.id)

    def _work(self, waiting: "queue.Queue[str | None]", run: "Runner") -> None:
        while not self.stopping:
            job_id = waiting.get()
            job = self.get(job_id) if job_id is not None else None
            if job is None or job.state in TERMINAL:
                continue
            try:
                with doing(f"Bulk job {job.id}"):
                    run(self, job)
            except BaseException:
                # The thread must outlive one bad job; the job tells its client that it failed.
                log.exception("job %s failed", job.id)
                self.change(job.id, state="Failed", error="InternalServerError : unexpected error")


Runner = Callable[[Jobs, Job], None]
"""Works on one job until it is complete, failed or aborted, or the process is to end."""


def _insert_sql(names: Collection[str]) -> str:
    return f"insert into org.job ({', '.join(names)}) values ({', '.join('?' for _ in names)})"


def _update_sql(names: Collection[str]) -> str:
    changes = ", ".join(f"{name} = ?" for name in names)
    return f"update org.job set {changes}, changed_at = ? where id = ?"


def _job(row: dict[str, Any]) -> Job:
    return Job(**{**row, "spec": json.loads(row["spec"])})
