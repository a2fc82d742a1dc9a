"""What the org says of one object's chunks, kept in the journal and gathered in ``answers``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.salesforce.budget import Budget
from pipelines.salesforce.errors import RequestRefused
from pipelines.sync.apply import outcomes
from pipelines.sync.apply.journal import Chunk, Journal
from pipelines.sync.apply.payload import CREATES
from pipelines.sync.apply.read_back import Reader, SentRow, created_by_us, read_back
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.sync.snapshot import pages_sql
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.bulk import JobResult

FORGOTTEN = 404  # what an org answers of a job after seven days


class Teller(Reader, Protocol):
    """What gathering answers needs of an org; ``pipelines.salesforce.org.Org`` has it."""

    def resume(self, job_id: str, *, results: Path, start: bool) -> JobResult:
        """Wait for a job; one that was never closed is closed now if `start`, else aborted."""


@dataclass(frozen=True)
class Target:
    """What is written, and how.

    Attributes:
        part: one object's part of a plan.
        planned_at: when the plan was made, by our clock.
        budget: says when nothing more may be begun.
        assignment_rule: Id of the rule that creates ask for; without one none runs.
        duplicate_rules: the policy of that name: what becomes of rows that such a rule refuses.
    """

    part: ObjectPlan
    planned_at: str
    budget: Budget
    assignment_rule: str | None = None
    duplicate_rules: str = "reject"


class Answers:
    """The answers to one object's rows; the table ``answers`` holds the last one of each.

    Attributes:
        any: whether the org has said something, so that the table is there.
    """

    def __init__(
        self, target: Target, org: Teller, connection: DuckDBPyConnection, journal: Journal
    ) -> None:
        self.target, self.part = target, target.part
        self.org = org
        self.connection = connection
        self.journal = journal
        self.any = False

    @property
    def results(self) -> Path:
        """Where result files lie until they are read."""
        return self.journal.folder / "results"

    def settle(self, *, go_on: bool) -> None:
        """Find out what became of every chunk in doubt.

        Args:
            go_on: whether a job that was never closed is closed now; else it is aborted.
        """
        for chunk in self.journal.in_doubt():
            if chunk.job_id is None:
                self.add_read_back(chunk)
            else:
                self._resume(chunk, chunk.job_id, go_on=go_on)
        self.gather()

    def gather(self) -> None:
        """Make the table ``answers`` anew."""
        files = self.journal.answered()
        self.any = bool(files)
        if files:
            query = outcomes.answers_sql(files, self.target.duplicate_rules)
            self.connection.execute(f"create or replace temp view answers as {query}")

    def add_rows(self, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep one answer per row of a chunk."""
        import pyarrow as pa

        texts = dict.fromkeys(("key", "outcome", "sf_id", "code", "message"), pa.string())
        schema = pa.schema({**texts, "fields": pa.list_(pa.string())}.items())
        self.connection.register("_rows", pa.Table.from_pylist(list(rows), schema))
        self._keep(chunk, "select * from _rows")
        self.connection.unregister("_rows")

    def add_job(self, chunk: Chunk, job: JobResult) -> None:
        """Keep what a job's result files say."""
        failed = f"Bulk job {job.job_id} {job.state}: {job.error_message or 'no reason given'}"
        readers: dict[Path, Callable[..., str]] = {
            job.successful: outcomes.successes_sql,
            job.failed_rows: outcomes.failures_sql,
            job.unprocessed: partial(outcomes.unprocessed_sql, message=failed),
        }
        queries = [
            answers_sql(self.part, pages_sql([file]), chunk.actions)
            for file, answers_sql in readers.items()
            if has_rows(file)  # the header of an empty result need not name our columns
        ]
        self._keep(chunk, "\nunion all by name\n".join(queries))
        for file in readers:
            file.unlink()

    def add_read_back(self, chunk: Chunk) -> None:
        """No answer came: read back what became of the chunk's rows."""
        if chunk.keys:
            query = "select key, sf_id from payload where list_contains($1, key)"
            sent_rows = self.connection.execute(query, [chunk.keys]).fetchall()
        else:
            sent_rows = self.connection.execute(self._rows_of_file_sql(chunk)).fetchall()
        rows = [SentRow(key, sf_id) for key, sf_id in sent_rows]
        at = {"planned_at": self.target.planned_at, "sent_at": chunk.sent_at}
        self.add_rows(chunk, read_back(self.org, self.part, rows, chunk.actions, **at))

    def _resume(self, chunk: Chunk, job_id: str, *, go_on: bool) -> None:
        try:
            job = self.org.resume(job_id, results=self.results, start=go_on)
        except RequestRefused as error:
            if error.status != FORGOTTEN:
                raise
            self.add_read_back(chunk)
        else:
            self.add_job(chunk, job)

    def _keep(self, chunk: Chunk, query: str) -> None:
        facts = (
            f"{chunk.attempt}::integer as attempt, {chunk.size}::integer as size,"
            f" {literal(chunk.kind)} as kind"
        )
        claimed = self._claimed if chunk.actions == CREATES else None
        query = f"select *, {facts} from ({query})"
        self.journal.answer(self.connection, chunk, query, look=claimed)

    def _claimed(self, answers_of_chunk: str) -> str | None:
        """A create that found a record is a create all the same when the record is our own."""
        updated = self.connection.execute(
            f"select key from {answers_of_chunk} where outcome = 'updated'"
        )
        keys = [key for [key] in updated.fetchall()]
        if not keys:
            return None
        records = created_by_us(self.org, self.part, keys, self.target.planned_at)
        own_keys = (
            ", ".join(literal(key) for key, record in records.items() if record["created_by_us"])
            or "null"
        )
        claimed = f"if(key in ({own_keys}), 'created', outcome) as outcome"
        return f"select * replace ({claimed}) from {answers_of_chunk}"

    def _rows_of_file_sql(self, chunk: Chunk) -> str:
        table = pages_sql([self.journal.csv(chunk.name)])
        if chunk.actions == CREATES:
            return f"select {quoted(self.part.key_field)}, null from {table}"
        return (
            "select payload.key, payload.sf_id from payload semi join "
            f'{table} as sent on sent."Id" = payload.sf_id'
        )


def has_rows(file: Path) -> bool:
    """Whether a CSV file holds more than its header."""
    with file.open("rb") as lines:
        return bool(lines.readline() and lines.read(1))
