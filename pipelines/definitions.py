"""Everything Dagster sees of Causeway."""

from pathlib import Path

import dagster as dg

import assets
from pipelines.jobs import JOB, inbox, nightly, sync, terminal
from pipelines.record import record
from pipelines.resources import ProjectResource

defs = dg.Definitions(
    assets=dg.load_assets_from_package_module(assets),
    jobs=[sync],
    schedules=[nightly],
    sensors=[inbox, terminal],
    resources={"project": ProjectResource()},
    executor=dg.in_process_executor,
)


def record_runs(home: Path) -> list[str]:
    """Record what was run in a terminal meanwhile; the ids of the runs."""
    with dg.DagsterInstance.get() as instance:
        return record(instance, defs.resolve_job_def(JOB), home)
