"""Carry out a saved plan: send its rows, keep what the org says of each. Nothing is decided here.

Creates are upserts by External Id, so that a repeat can never make a second record; everything
else goes by Id. A few rows travel through sObject Collections, many through Bulk API 2.0.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.errors import ConfigError, InternalError
from pipelines.salesforce.rows import Load, RowResult
from pipelines.sync import outcomes
from pipelines.sync.fields import INTEGERS, NUMBERS
from pipelines.sync.saved_plan import ObjectPlan, Plan
from pipelines.sync.snapshot import pages_sql
from pipelines.warehouse import literal, publish

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.bulk import JobResult, OnJob

COLLECTIONS_UP_TO = 2_000  # rows; Salesforce recommends Bulk API 2.0 above
FILE_AIM, FILE_LIMIT = 60_000_000, 90_000_000  # bytes of one Bulk file

Progress = Callable[[str, int, int], None]
"""Told object, rows done, and rows to send."""


class OrgPort(Protocol):
    """What applying needs of an org; ``pipelines.salesforce.org.Org`` has it."""

    @property
    def organization_id(self) -> str:
        """Id of the organization, 18 characters."""

    def collections(
        self,
        load: Load,
        records: Sequence[Mapping[str, Any]],
        *,
        on_chunk: Callable[[Sequence[RowResult]], None] | None = None,
    ) -> list[RowResult]:
        """Write records by sObject Collections, one result each, in their order."""

    def ingest(
        self,
        load: Load,
        files: Sequence[Path],
        *,
        results: Path,
        on_job: OnJob | None = None,
    ) -> list[JobResult]:
        """Load CSV files by Bulk API 2.0 and wait for all."""


@dataclass(frozen=True)
class Outcomes:
    """What became of one object's rows.

    Attributes:
        path: Parquet with the relation ``salesforce_<object>``.
        counts: rows by outcome: created, updated, unchanged, held, rejected.
    """

    object: str
    path: Path
    counts: Mapping[str, int]


OUTCOMES = ("created", "updated", "unchanged", "held", "rejected")
_WAYS: tuple[tuple[str, ...], ...] = (("create",), ("adopt", "update"))


def check_ready(
    plan: Plan,
    object_name: str,
    org: OrgPort,
    connection: DuckDBPyConnection,
    parents: Mapping[str, Path],
) -> None:
    """Refuse what could only be sent to the wrong org or with look-ups that lead nowhere.

    Raises:
        ConfigError: the plan was made for another org, or an object that rows wait for was not
            applied yet.
    """
    if org.organization_id != plan.organization_id:
        message = f"made for the org {plan.organization_id}, not for {org.organization_id}"
        raise ConfigError.at(plan.folder, None, f"{message}; plan again for this org")
    query = outcomes.unanswered_sql(plan.objects[object_name], plan.payload(object_name), parents)
    missing = [f"salesforce_{name.lower()}" for [name] in connection.execute(query).fetchall()]
    if missing:
        message = f"nothing of {object_name} was sent: apply {' and '.join(missing)} of this plan"
        raise ConfigError.at(plan.folder, None, f"{message} first")


def apply_object(
    plan: Plan,
    object_name: str,
    org: OrgPort,
    connection: DuckDBPyConnection,
    *,
    parents: Mapping[str, Path],
    progress: Progress | None = None,
) -> Outcomes:
    """Send one object's rows and write their outcomes beside the plan.

    Args:
        plan: from ``load_plan``.
        object_name: one of the plan's objects; parents come before their children.
        org: the org the plan was made for.
        connection: a DuckDB of the caller's, for its tables ``payload`` and ``answers``.
        parents: object → outcomes of the phases before, for look-ups that wait for them.
        progress: called after every call or job.

    Raises:
        ConfigError: as ``check_ready`` says; nothing was sent.
        SalesforceError: the org could not be talked to; rows that were sent before may be written.
    """
    check_ready(plan, object_name, org, connection, parents)
    part = plan.objects[object_name]
    folder = plan.folder / "applied" / object_name.lower()
    folder.mkdir(parents=True, exist_ok=True)
    payload = outcomes.payload_sql(part, plan.payload(object_name), parents)
    columns = ", ".join(f"{name} {kind}" for name, kind in outcomes.ANSWERS.items())
    connection.execute(f"create or replace temp table payload as {payload}")
    connection.execute(f"create or replace temp table answers ({columns})")
    phase = _Phase(part, org, connection, folder, progress)
    phase.send()
    path = folder / "outcomes.parquet"
    temporary = path.with_suffix(".tmp")
    query = outcomes.outcomes_sql(plan.plan_id)
    connection.execute(f"copy ({query}) to {literal(temporary)} (format parquet)")
    publish(temporary, path)
    counted = connection.execute(
        "select outcome, count(*) from read_parquet($1) group by outcome", [str(path)]
    ).fetchall()
    return Outcomes(object_name, path, dict.fromkeys(OUTCOMES, 0) | dict(counted))


class _Phase:
    """The rows of one object on their way to the org."""

    def __init__(
        self,
        part: ObjectPlan,
        org: OrgPort,
        connection: DuckDBPyConnection,
        folder: Path,
        progress: Progress | None,
    ) -> None:
        self.part = part
        self.org = org
        self.connection = connection
        self.folder = folder
        self.progress = progress
        self.done = self.total = 0

    def send(self) -> None:
        """Creates first, then changes; each by the API that its number of rows asks for."""
        sizes = [
            self.connection.execute(outcomes.size_sql(self.part, actions)).fetchall()[0]
            for actions in _WAYS
        ]
        self.total = sum(rows for rows, _ in sizes)
        self._tell(0)
        for actions, (rows, size) in zip(_WAYS, sizes, strict=True):
            if 0 < rows <= COLLECTIONS_UP_TO:
                self._by_collections(actions)
            elif rows:
                self._by_bulk(actions, rows, size)

    def _load(self, actions: Sequence[str]) -> Load:
        if "create" in actions:
            return Load(self.part.object, "upsert", self.part.key_field)
        return Load(self.part.object, "update")

    def _by_collections(self, actions: Sequence[str]) -> None:
        rows = self.connection.execute(outcomes.rows_sql(self.part, actions)).fetchall()
        records = [self._record(row) for row in rows]
        results = self.org.collections(
            self._load(actions), records, on_chunk=lambda chunk: self._tell(len(chunk))
        )
        answers = [
            _answer(key, sf_id, result)
            for (key, _, sf_id, *_), result in zip(rows, results, strict=True)
        ]
        self._keep(answers)

    def _record(self, row: Sequence[Any]) -> dict[str, Any]:
        key, action, sf_id, changed, *values = row
        record = {} if action == "create" else {"Id": sf_id}
        if action != "update":  # an adopted record gets our key
            record[self.part.key_field] = key
        for (name, kind), value in zip(self.part.types.items(), values, strict=True):
            if name in changed:
                record[name] = _json(kind, value)
        return record

    def _keep(self, answers: Sequence[Mapping[str, Any]]) -> None:
        import pyarrow as pa

        texts = {name: pa.string() for name in outcomes.ANSWERS} | {"fields": pa.list_(pa.string())}
        self.connection.register("_said", pa.Table.from_pylist(answers, pa.schema(texts.items())))
        self.connection.execute("insert into answers by name select * from _said")
        self.connection.unregister("_said")

    def _by_bulk(self, actions: Sequence[str], rows: int, size: int) -> None:
        files = self._files(actions, size)
        results = self.folder / "results"
        shutil.rmtree(results, ignore_errors=True)
        for job in self.org.ingest(self._load(actions), files, results=results):
            self._read_job(job, by_key="create" in actions)
        for file in files:
            file.unlink()
        self._tell(rows)

    def _files(self, actions: Sequence[str], size: int) -> list[Path]:
        """CSV files that a job can take; more of them when some turn out too large."""
        buckets = max(1, -(-size // FILE_AIM))
        for _ in range(4):
            files = [self._file(actions, bucket, buckets) for bucket in range(buckets)]
            if all(file.stat().st_size < FILE_LIMIT for file in files):
                return [file for file in files if _has_rows(file)]
            buckets *= 2
        raise InternalError(f"the children of one parent of {self.part.object} fill a whole file")

    def _file(self, actions: Sequence[str], bucket: int, buckets: int) -> Path:
        path = self.folder / f"{actions[-1]}-{bucket + 1:03}.csv"
        query = outcomes.file_sql(self.part, actions, bucket, buckets)
        self.connection.execute(
            f"copy ({query}) to {literal(path)} (format csv, header true, delimiter ',')"
        )
        return path

    def _read_job(self, job: JobResult, *, by_key: bool) -> None:
        failed = f"Bulk job {job.job_id} {job.state}: {job.error_message or 'no reason given'}"
        readers: dict[Path, Callable[..., str]] = {
            job.successful: outcomes.successes_sql,
            job.failed_rows: outcomes.failures_sql,
            job.unprocessed: partial(outcomes.unprocessed_sql, message=failed),
        }
        for file, answers_sql in readers.items():
            if _has_rows(file):  # the header of an empty result need not name our columns
                query = answers_sql(self.part, pages_sql([file]), by_key=by_key)
                self.connection.execute(f"insert into answers by name {query}")

    def _tell(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(self.part.object, self.done, self.total)


def _answer(key: str, sf_id: str | None, result: RowResult) -> dict[str, Any]:
    if result.success:
        outcome = "created" if result.created else "updated"
        return {"key": key, "outcome": outcome, "sf_id": result.id or sf_id, "fields": []}
    error = result.errors[0]
    return {
        "key": key,
        "outcome": "rejected",
        "sf_id": sf_id,
        "code": error.code,
        "message": "; ".join(error.message for error in result.errors),
        "fields": [name for error in result.errors for name in error.fields],
    }


def _json(kind: str, value: str | None) -> Any:
    """A wire value as JSON writes it; null clears the field."""
    if value is None:
        return None
    if kind == "boolean":
        return value == "true"
    if kind in INTEGERS:
        return int(value)
    return float(value) if kind in NUMBERS else value


def _has_rows(file: Path) -> bool:
    with file.open("rb") as lines:
        return bool(lines.readline() and lines.read(1))
