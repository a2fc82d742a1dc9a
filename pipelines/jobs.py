"""When things run: daily partitions, the one job, its schedule and sensors, and running it here."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
from sqlalchemy import Engine, event

from pipelines import locks
from pipelines.errors import ConfigError, InternalError
from pipelines.project import Project
from pipelines.run import OnEvent, RunResult, failures, watching
from pipelines.sources.inbox import batches, files

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


_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Whoever runs a batch here shows it by its events; Dagster keeps its log for the UI anyway."""


def run_batch(day: date, *, plan_only: bool = False, on_event: OnEvent | None = None) -> RunResult:
    """Run the job for one day in this process, recorded in ``DAGSTER_HOME`` like any other run.

    Args:
        day: the partition.
        plan_only: stop before the first write to the org.
        on_event: is told how the run goes on.
    """
    from pipelines.definitions import defs

    job = defs.resolve_job_def(JOB)
    before_writes = dg.AssetSelection.all() - dg.AssetSelection.groups("apply")
    chosen = before_writes.resolve(defs.resolve_asset_graph()) if plan_only else None
    run_id = str(uuid.uuid4())
    alive = Project.of().home / "locks" / "runs" / f"{run_id}.lock"
    with dg.DagsterInstance.get() as instance, watching(run_id, on_event):
        reap(instance, alive.parent)
        locks.take(alive, run_id, locks.tell)
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
        failed = failures.get(run_id)
    if failed is not None:
        return RunResult(run_id, False, *failed)
    if result.success:
        return RunResult(run_id, True)
    step = next(event for event in result.all_events if event.is_step_failure)
    return RunResult(run_id, False, step.step_key, InternalError(_reason(step)))


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


@event.listens_for(Engine, "connect")
def _normal(connection: sqlite3.Connection, _record: object) -> None:
    """Let SQLite flush when it folds its log, not at each of a run's thousand commits.

    What a power cut may cost is the last seconds of Dagster's log, never a database.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")


def _reason(failure: dg.DagsterEvent) -> str:
    """What Dagster kept of an error that was raised outside our own part of a step."""
    error = failure.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return "no reason is known" if error is None else error.message.strip()
