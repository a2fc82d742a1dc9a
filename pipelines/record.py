"""Runs without Dagster, recorded in it afterwards as if it had run them.

Each becomes a run of the job with its steps, materializations and checks, at the times at which
they happened, so that lineage, partitions and re-execution from failure know it like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.dependency import NodeHandle
from dagster._core.events import (
    DagsterEvent,
    DagsterEventType,
    EventSpecificData,
    JobFailureData,
    StepMaterializationData,
)
from dagster._core.execution.plan.handle import StepHandle
from dagster._core.execution.plan.objects import StepFailureData, StepSuccessData
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster_shared.error import SerializableErrorInfo

from pipelines import locks
from pipelines.describe.description import Check, Description
from pipelines.metadata import check_metadata, metadata, severity
from pipelines.run_log import DIED, PastRun, alive, folder, read


def record(instance: dg.DagsterInstance, job: dg.JobDefinition, home: Path) -> list[str]:
    """Record every run of a home that has ended and is not recorded yet, the oldest first.

    A log goes once its run is recorded; what a process has recorded half that died, the next one
    finishes. Runs of Dagster's own that this program started and that died are ended, too.

    Args:
        instance: where they are recorded.
        job: whose runs they are.
        home: whose runs.

    Returns:
        the ids of the runs.
    """
    owner = "recording runs"
    locks.take(home / "locks" / "record.lock", owner, locks.tell)
    try:
        died = locks.dead(alive(home))
        return [*_logged(instance, job, home), *_reaped(instance, died)]
    finally:
        locks.release(owner)


def _logged(instance: dg.DagsterInstance, job: dg.JobDefinition, home: Path) -> Iterator[str]:
    going_on = {path.stem for path in alive(home).glob("*.lock")}
    logs = (path for path in folder(home).glob("*.jsonl") if path.stem not in going_on)
    runs = [(path, read(path, _steps(job))) for path in logs]
    for path, run in sorted(runs, key=lambda pair: 0.0 if pair[1] is None else pair[1].started):
        if run is not None:
            _record(instance, job, run)
            yield run.run_id
        path.unlink()


def _reaped(instance: dg.DagsterInstance, died: list[str]) -> Iterator[str]:
    """Say of runs in Dagster whose process died that they failed; it would show them for ever."""
    for run_id in died:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, DIED)
            yield run_id


def _steps(job: dg.JobDefinition) -> dict[str, str]:
    """Relation → the step of the job that makes it."""
    graph = job.asset_layer.asset_graph
    return {
        key.to_user_string(): graph.get(key).assets_def.node_def.name
        for key in graph.executable_asset_keys
    }


@dataclass(frozen=True)
class _Event:
    """Something that happened in a run: when, in which step, and Dagster's data of it."""

    kind: DagsterEventType
    at: float
    message: str
    data: EventSpecificData | None = None
    step: str | None = None

    def of_job(self, job: str) -> DagsterEvent:
        return DagsterEvent(
            event_type_value=self.kind.value,
            job_name=job,
            message=self.message,
            event_specific_data=self.data,
            step_handle=None if self.step is None else StepHandle(NodeHandle(self.step, None)),
            step_key=self.step,
        )


KINDS = DagsterEventType
RECORDED = {
    KINDS.RUN_START,
    KINDS.RUN_SUCCESS,
    KINDS.RUN_FAILURE,
    KINDS.STEP_START,
    KINDS.STEP_SUCCESS,
    KINDS.STEP_FAILURE,
    KINDS.STEP_OUTPUT,
    KINDS.ASSET_MATERIALIZATION,
    KINDS.ASSET_CHECK_EVALUATION,
}


def _record(instance: dg.DagsterInstance, job: dg.JobDefinition, run: PastRun) -> None:
    """Record one run, or what is missing of it: its events always have the same order."""
    if instance.get_run_by_id(run.run_id) is None:
        instance.create_run_for_job(
            job_def=job,
            run_id=run.run_id,
            tags={PARTITION_NAME_TAG: run.batch},
            asset_selection=_before_writes(job) if run.plan_only else None,
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
    recorded = len(instance.all_logs(run.run_id, of_type=RECORDED))
    for event in islice(_events(instance, run), recorded, None):
        instance.report_dagster_event(event.of_job(job.name), run.run_id, timestamp=event.at)


def _before_writes(job: dg.JobDefinition) -> set[dg.AssetKey]:
    graph = job.asset_layer.asset_graph
    return {key for key in graph.executable_asset_keys if graph.get(key).group_name != "apply"}


def _events(instance: dg.DagsterInstance, run: PastRun) -> Iterator[_Event]:
    yield _Event(KINDS.RUN_START, run.started, "Started in a terminal.")
    for name, step in run.steps.items():
        yield _Event(KINDS.STEP_START, step.started, f"Started {name}.", step=name)
        for at, description in step.made:
            yield from _made(instance, run, name, at, description)
        if name == run.failed:
            failure = StepFailureData(_error(run), None)  # type: ignore[no-untyped-call]
            yield _Event(KINDS.STEP_FAILURE, step.ended, f"{name} failed.", failure, name)
        else:
            milliseconds = (step.ended - step.started) * 1000
            success = StepSuccessData(milliseconds)  # type: ignore[no-untyped-call]
            yield _Event(KINDS.STEP_SUCCESS, step.ended, f"Finished {name}.", success, name)
    if run.error is None:
        yield _Event(KINDS.RUN_SUCCESS, run.ended, "Finished.")
    else:
        yield _Event(KINDS.RUN_FAILURE, run.ended, run.error, JobFailureData(_error(run)))


def _made(
    instance: dg.DagsterInstance, run: PastRun, step: str, at: float, description: Description
) -> Iterator[_Event]:
    relation = description.relation
    if description.rows is not None:
        made = dg.AssetMaterialization(
            relation, metadata=metadata(description), partition=run.batch
        )
        data = StepMaterializationData(made)
        yield _Event(KINDS.ASSET_MATERIALIZATION, at, f"Made {relation}.", data, step)
        output = StepOutputData(StepOutputHandle(step, relation))
        yield _Event(KINDS.STEP_OUTPUT, at, f"Yielded {relation}.", output, step)
    for check in description.checks:
        evaluation = _evaluation(instance, run, relation, check)
        text = f"{relation}: {check.name} {'passed' if check.passed else 'failed'}."
        yield _Event(KINDS.ASSET_CHECK_EVALUATION, at, text, evaluation, step)


def _evaluation(
    instance: dg.DagsterInstance, run: PastRun, relation: str, check: Check
) -> AssetCheckEvaluation:
    """A check of what was just made, which is to be recorded by now."""
    made = dg.AssetRecordsFilter(dg.AssetKey(relation), asset_partitions=[run.batch])
    [latest] = instance.fetch_materializations(made, limit=1).records
    return AssetCheckEvaluation(
        asset_key=dg.AssetKey(relation),
        check_name=check.name,
        passed=check.passed,
        metadata=check_metadata(check),
        severity=severity(check),
        partition=run.batch,
        target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
            storage_id=latest.storage_id, run_id=latest.run_id, timestamp=latest.timestamp
        ),
    )


def _error(run: PastRun) -> SerializableErrorInfo:
    return SerializableErrorInfo(str(run.error), [], None)
