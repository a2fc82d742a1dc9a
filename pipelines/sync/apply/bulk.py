"""Many rows: files streamed from DuckDB, jobs of Bulk API 2.0, results streamed to DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines.errors import InternalError
from pipelines.salesforce.budget import JOB
from pipelines.salesforce.rows import Load
from pipelines.sync.apply import payload
from pipelines.sync.apply.answers import Answers, Teller, has_rows
from pipelines.sync.apply.journal import Chunk, Journal, name_of
from pipelines.sync.apply.payload import Shape
from pipelines.sync.apply.read_back import org_time
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.bulk import JobResult, OnJob

FILE_AIM, FILE_LIMIT = 60_000_000, 90_000_000  # bytes of one file
PARALLEL_JOBS = 4  # jobs in flight
TRANSACTION = 200  # rows that Salesforce carries out together inside a job


class Loader(Teller, Protocol):
    """What bulk loads need of an org; ``pipelines.salesforce.org.Org`` has it."""

    def ingest(
        self, load: Load, files: Sequence[Path], *, results: Path, on_job: OnJob, in_flight: int
    ) -> list[JobResult]:
        """Load each CSV file by a job of its own and wait for all."""


def send(
    org: Loader, answers: Answers, load: Load, shape: Shape, rows: tuple[str, int], attempt: int
) -> bool:
    """Send rows by Bulk API 2.0; says whether the budget allowed all of them.

    Args:
        org: where the jobs run.
        answers: what the org says goes there; its connection sees the rows.
        load: how they are written.
        shape: what they have in common.
        rows: relation ``payload`` or a part of it, and how many are to be sent.
        attempt: the how-manieth it is for these rows.
    """
    files = _Files(answers.connection, answers.journal, answers.part, shape, rows)
    stream = files.stream()
    allowed = _jobs(org, answers, load, files.parallel(), (shape, attempt, PARALLEL_JOBS))
    return allowed and _jobs(org, answers, load, stream, (shape, attempt, 1))


def _jobs(
    org: Loader, answers: Answers, load: Load, files: Sequence[Path], group: tuple[Shape, int, int]
) -> bool:
    shape, attempt, in_flight = group
    chunks: dict[Path, Chunk] = {}
    for place, file in enumerate(files):
        if not answers.target.budget.allows(JOB * (place + 1)):
            break
        chunk = Chunk(
            name=name_of(file, attempt),
            kind="bulk",
            actions=shape.actions,
            attempt=attempt,
            size=TRANSACTION,
            sent_at=org_time(org),
        )
        chunks[file.replace(answers.journal.csv(chunk.name))] = chunk
    journal = answers.journal
    jobs = org.ingest(
        load,
        list(chunks),
        results=answers.results,
        on_job=lambda job_id, file: journal.note(replace(chunks[file], job_id=job_id)),
        in_flight=in_flight,
    )
    for chunk, job in zip(chunks.values(), jobs, strict=True):
        answers.add_job(chunk, job)
    return len(chunks) == len(files)


class _Files:
    """The rows of one shape as CSV files, each of which a job can take."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        journal: Journal,
        part: ObjectPlan,
        shape: Shape,
        rows: tuple[str, int],
    ) -> None:
        self.connection = connection
        self.journal = journal
        self.part = part
        self.shape = shape
        self.rows, self.count = rows
        self.big = False

    def stream(self) -> list[Path]:
        """The children of parents that have too many for several jobs at once, in order."""
        if self.part.parent_field is None:
            return []
        query = payload.big_parents_sql(self.part, self.shape, self.rows)
        self.connection.execute(f"create or replace temp table big as {query}")
        [(children,)] = self.connection.execute(
            "select coalesce(sum(rows), 0)::bigint from big"
        ).fetchall()
        self.big = children > 0
        places = range(-(-children // payload.STREAM))
        query_of = payload.stream_sql
        return [
            self._write(query_of(self.part, self.shape, self.rows, place), f"stream-{place}")
            for place in places
        ]

    def parallel(self) -> list[Path]:
        """All other rows; more files when some turn out too large."""
        query = payload.size_sql(self.shape, self.rows)
        [(size,)] = self.connection.execute(query).fetchall()
        buckets = max(1, -(-size * self.count // FILE_AIM))
        for _ in range(4):
            files = [self._bucket(bucket, buckets) for bucket in range(buckets)]
            if all(file.stat().st_size < FILE_LIMIT for file in files):
                return [file for file in files if has_rows(file)]
            buckets *= 2
        raise InternalError(f"the children of one parent of {self.part.object} fill a whole file")

    def _bucket(self, bucket: int, buckets: int) -> Path:
        query = payload.file_sql(self.part, self.shape, self.rows, (bucket, buckets), big=self.big)
        return self._write(query, f"part-{bucket}")

    def _write(self, query: str, name: str) -> Path:
        path = self.journal.folder / f".{name}.tmp"
        self.connection.execute(
            f"copy ({query}) to {literal(path)} (format csv, header true, delimiter ',')"
        )
        return path
