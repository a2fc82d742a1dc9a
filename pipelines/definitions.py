"""Everything Dagster sees of Causeway."""

import dagster as dg

import assets
from pipelines.jobs import inbox, nightly, sync
from pipelines.resources import ProjectResource

defs = dg.Definitions(
    assets=dg.load_assets_from_package_module(assets),
    jobs=[sync],
    schedules=[nightly],
    sensors=[inbox],
    resources={"project": ProjectResource()},
    executor=dg.in_process_executor,
)
