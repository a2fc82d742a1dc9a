"""When things run: daily partitions, the one job, its schedule and sensors, and running it here."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from sqlalchemy import Engine, event

from pipelines import locks
from pipelines.errors import ConfigError, InternalError
from pipelines.project import Project
from pipelines.sources.inbox import batches, files

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB = "sync"


def _days() -> dg.DailyPartitionsDefinition:
    batches = Project.of().policies.batches
    return dg.DailyPartitionsDefinition(
        start_date=batches.start.isoformat(), timezone=batches.timezone, end_offset=1
    )


DAYS = _days()
"""One partition a day, today included, the same from raw file to upsert."""

sync = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="One batch, from its files to the records in Salesforce.",
)

nightly = dg.build_schedule_from_partitioned_job(
    sync, hour_of_day=2, default_status=dg.DefaultScheduleStatus.STOPPED
)


SETTLED = 10.0
"""Seconds without a change after which a day's files count as delivered."""


@dg.sensor(job=sync, minimum_interval_seconds=30)
def inbox(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Run a batch whenever files of it arrive or change, once they are whole.

    A day that is no batch, or that cannot be read, is told in the tick's log and holds up no other.
    """
    here = Project.of()
    try:
        days = batches(here.sources, here.inbox)
    except ConfigError as error:
        yield dg.SkipReason(str(error))
        return
    for day in days:
        if not DAYS.has_partition_key(day.isoformat()):
            context.log.warning(f"{day} is no batch: they run from {DAYS.start:%Y-%m-%d} to today")
            continue
        try:
            facts = [
                (file.name, file.path.stat().st_size, file.path.stat().st_mtime)
                for file in files(here.sources, here.inbox, day)
            ]
        except (ConfigError, FileNotFoundError) as error:  # a file may go while we look
            context.log.warning(f"{day}: {error}")
            continue
        if not facts or time.time() - max(changed for *_, changed in facts) < SETTLED:
            continue
        digest = hashlib.sha256(repr(facts).encode()).hexdigest()
        yield dg.RunRequest(run_key=f"{day} {digest[:16]}", partition_key=day.isoformat())


raised: dict[str, BaseException] = {}
"""Run id → what its first failing step raised; Dagster itself keeps only the text."""


@dataclass(frozen=True)
class RunResult:
    """How one run of the job ended.

    Attributes:
        run_id: Dagster's id of it.
        success: whether every step succeeded.
        failed_step: the first step that did not.
        error: what that step raised.
    """

    run_id: str
    success: bool
    failed_step: str | None = None
    error: BaseException | None = None


_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Whoever runs a batch here shows it by its events; Dagster keeps its log for the UI anyway."""

OnEvent = Callable[[str, str, "Mapping[str, Any]"], None]


def run_batch(day: date, *, plan_only: bool = False, on_event: OnEvent | None = None) -> RunResult:
    """Run the job for one day in this process, recorded in ``DAGSTER_HOME`` like any other run.

    Args:
        day: the partition.
        plan_only: stop before the first write to the org.
        on_event: gets (asset, "start" | "success" | "failure", metadata) as the run goes on.
    """
    from pipelines.definitions import defs

    job = defs.resolve_job_def(JOB)
    before_writes = dg.AssetSelection.all() - dg.AssetSelection.groups("apply")
    chosen = before_writes.resolve(defs.resolve_asset_graph()) if plan_only else None
    run_id = str(uuid.uuid4())
    alive = Project.of().home / "locks" / "runs" / f"{run_id}.lock"
    with dg.DagsterInstance.get() as instance, closing(_KeptOpen(run_id)) as kept_open:
        reap(instance, alive.parent)
        locks.take(alive, run_id, locks.tell)
        instance.add_event_listener(run_id, lambda _: kept_open.hold())
        if on_event is not None:
            instance.add_event_listener(run_id, lambda entry: _tell(entry, on_event))
        try:
            result = job.execute_in_process(
                instance=instance,
                partition_key=day.isoformat(),
                asset_selection=None if chosen is None else list(chosen),
                run_config=_SILENT,
                run_id=run_id,
                raise_on_error=False,
            )
        finally:
            alive.unlink(missing_ok=True)
            locks.release(run_id)
    failures = [event for event in result.all_events if event.is_step_failure]
    if not failures:
        return RunResult(run_id, result.success)
    error = raised.pop(run_id, None) or InternalError(_told(failures[0]))
    return RunResult(run_id, False, failures[0].step_key, error)


def reap(instance: dg.DagsterInstance, folder: Path) -> list[str]:
    """Say of runs whose process died that they failed; Dagster would show them running for ever.

    Dagster watches the runs that its daemon has launched, and no other. Each run of ours holds a
    lock as long as it lives, which the kernel frees even after kill -9.

    Args:
        instance: the one that knows the runs.
        folder: with the locks, named by run id.

    Returns:
        the ids of the runs that were reaped.
    """
    reaped = []
    for run_id in locks.dead(folder):
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            told = (
                "The process of this run died. The next run of the batch goes on where it stopped."
            )
            instance.report_run_failed(run, told)
            reaped.append(run_id)
    return reaped


def make_databases() -> None:
    """Let Dagster make the stores of a new ``DAGSTER_HOME``: it does when they are first opened."""
    with dg.DagsterInstance.get():
        pass


class _KeptOpen:
    """Dagster's SQLite files, held open from a run's first event to its end.

    Dagster closes them after each event, and whoever closes a file last folds its log into it:
    that is most of what an event costs. Where its storage is another, there are no such files.
    """

    def __init__(self, run_id: str) -> None:
        history = Path(os.environ.get("DAGSTER_HOME", "")) / "history"
        self._files = [history / "runs" / f"{run_id}.db", history / "runs" / "index.db"]
        self._open: list[sqlite3.Connection] = []

    def hold(self) -> None:
        """Open the files, once they are there."""
        if not self._open and all(path.exists() for path in self._files):
            for path in self._files:
                held = sqlite3.connect(path, check_same_thread=False)
                held.execute("select count(*) from sqlite_master").fetchall()  # joins the log
                self._open.append(held)

    def close(self) -> None:
        """Let go of them."""
        for held in self._open:
            held.close()


@event.listens_for(Engine, "connect")
def _normal(connection: sqlite3.Connection, _record: object) -> None:
    """Let SQLite flush when it folds its log, not at each of a run's thousand commits.

    What a power cut may cost is the last seconds of Dagster's log, never a database.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")


def _told(failure: dg.DagsterEvent) -> str:
    """What Dagster kept of an error that was raised outside our own part of a step."""
    told = failure.step_failure_data.error
    while told is not None and told.cause is not None:
        told = told.cause
    return "no reason is known" if told is None else told.message.strip()


def _tell(entry: dg.EventLogEntry, on_event: OnEvent) -> None:
    told = entry.dagster_event
    if told is None:
        return
    if told.is_step_start or told.is_step_failure:
        on_event(told.step_key or "", "start" if told.is_step_start else "failure", {})
    elif told.is_step_materialization:
        materialization = told.step_materialization_data.materialization
        metadata = {key: value.value for key, value in materialization.metadata.items()}
        on_event(materialization.asset_key.to_user_string(), "success", metadata)
