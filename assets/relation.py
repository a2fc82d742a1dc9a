"""How a relation shows itself as an asset, and a stage as a step that makes assets."""

from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import chain

import dagster as dg

from pipelines.describe.description import Description
from pipelines.jobs import DAYS
from pipelines.metadata import check_metadata, metadata, severity
from pipelines.project import Project
from pipelines.resources import ProjectResource
from pipelines.run import Run, Stage, hold, watched
from pipelines.sql import SqlFile
from pipelines.stages import run_part

PROJECT = Project.of()
MAPPINGS = PROJECT.object_mappings
"""By the stem of their files, in the order in which they are written."""


def spec(
    name: str,
    *,
    group: str,
    description: str,
    deps: list[str],
    owner: str = "team:data",
    kinds: tuple[str, ...] = ("duckdb",),
) -> dg.AssetSpec:
    """One relation, as Dagster knows it."""
    return dg.AssetSpec(
        name,
        group_name=group,
        description=description,
        deps=deps,
        owners=[owner],
        kinds={*kinds, "parquet"} if len(kinds) < 3 else set(kinds),
        partitions_def=DAYS,
    )


def sql_spec(file: SqlFile, group: str, description: str = "") -> dg.AssetSpec:
    """A ``.sql`` file, or SQL made from a mapping, as Dagster knows it."""
    return spec(
        file.relation,
        group=group,
        description=f"{description or file.description}\n\n```sql\n{file.query}\n```",
        deps=file.upstream,
        owner=file.owner,
        kinds=("sql", "duckdb"),
    )


Result = dg.MaterializeResult[None] | dg.AssetCheckResult


def stage_asset(
    stages: Sequence[Stage],
    specs: Sequence[dg.AssetSpec],
    *,
    checks: Sequence[dg.AssetCheckSpec] = (),
    name: str = "",
) -> dg.AssetsDefinition:
    """All relations of a stage as one step of Dagster's, of which any may be made alone.

    A relation is recorded as soon as it is made. A stage that writes cannot be run for the sake of
    a check.

    Args:
        stages: what makes them; those after the first only check them.
        specs: of its relations, or of those that get a step of their own.
        checks: of its relations.
        name: of the step, if not the stage's.
    """
    first, *_ = stages

    @dg.multi_asset(
        name=name or first.name, specs=specs, check_specs=checks, can_subset=not first.writes
    )
    def run(context: dg.AssetExecutionContext, project: ProjectResource) -> Iterator[Result]:
        assets, checked = context.selected_asset_keys, context.selected_asset_check_keys
        needed = {key.to_user_string() for key in (*assets, *(key.asset_key for key in checked))}
        wanted = partial(_is_wanted, assets=assets, checks=checked)
        with step(context, project, first) as at_work:
            for part in chain.from_iterable(stage.parts(at_work.project) for stage in stages):
                if not needed.isdisjoint(part.relations):
                    for made in run_part(part, at_work):
                        yield from filter(wanted, _results(made.describe()))

    return run


def _results(description: Description) -> Iterator[Result]:
    """What Dagster keeps of a relation that was just made: itself and the checks of it."""
    name = description.relation
    if description.rows is not None:
        yield dg.MaterializeResult(asset_key=name, metadata=metadata(description))
    for check in description.checks:
        yield dg.AssetCheckResult(
            asset_key=name,
            check_name=check.name,
            passed=check.passed,
            severity=severity(check),
            metadata=check_metadata(check),
        )


def _is_wanted(result: Result, assets: Set[dg.AssetKey], checks: Set[dg.AssetCheckKey]) -> bool:
    """Whether a result is of what was chosen to be made or checked."""
    key = dg.AssetKey.from_coercible(result.asset_key or "")
    if isinstance(result, dg.AssetCheckResult):
        return dg.AssetCheckKey(key, result.check_name or "") in checks
    return key in assets


@contextmanager
def step(
    context: dg.AssetExecutionContext, project: ProjectResource, stage: Stage
) -> Iterator[Run]:
    """A step's part in a run, with the locks its stage needs held to the run's end."""
    day = date.fromisoformat(context.partition_key)
    run = Run(project.project(), day, context.run.run_id, context.log.info)
    with watched(run, stage.name):
        hold(run, stage)
        yield run
