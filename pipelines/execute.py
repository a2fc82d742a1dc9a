"""Running the job here, in this process, as Dagster would: recorded in its instance."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import dagster as dg

from pipelines import locks
from pipelines.definitions import defs
from pipelines.errors import InternalError
from pipelines.jobs import JOB
from pipelines.project import Project
from pipelines.run import OnEvent, RunResult, failures, watching

_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Whoever runs a batch here shows it by its events; Dagster keeps its log for the UI anyway."""


def run_batch(day: date, *, plan_only: bool = False, on_event: OnEvent | None = None) -> RunResult:
    """Run the job for one day in this process, recorded in ``DAGSTER_HOME`` like any other run.

    Args:
        day: the partition.
        plan_only: stop before the first write to the org.
        on_event: is told how the run goes on.
    """
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
            message = (
                "The process of this run died. The next run of the batch goes on where it stopped."
            )
            instance.report_run_failed(run, message)
            reaped.append(run_id)
    return reaped


def _reason(failure: dg.DagsterEvent) -> str:
    """What Dagster kept of an error that was raised outside our own part of a step."""
    error = failure.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return "no reason is known" if error is None else error.message.strip()
