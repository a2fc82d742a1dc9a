"""Stage 9, apply: what others look up first, exactly as the plan says."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import MAPPINGS, shown, spec, step
from pipelines.apply.objects import apply
from pipelines.apply.prove import prove
from pipelines.jobs import DAYS
from pipelines.plan.make import newest, scored
from pipelines.resources import ProjectResource
from pipelines.sync.apply.send import Progress
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.forecast import Score
from pipelines.sync.plan.runs import note_run
from pipelines.sync.prove import Proof

SAYS = """What Salesforce said of each {object} of the plan: one final outcome per row.

- `outcome`: created, updated, unchanged, held or rejected
- `code`, `message`, `fields`: why a row was rejected or held
"""


def salesforce_asset(stem: str, after: list[str]) -> dg.AssetsDefinition:
    """The final asset of one mapping; parents are written before their children."""
    name = relation("salesforce", stem)

    @dg.multi_asset(
        name=name,
        specs=[
            spec(
                name,
                group="apply",
                description=SAYS.format(object=MAPPINGS[stem].object),
                deps=[relation("plan", stem), *after],
                owner="team:salesforce",
                kinds=("salesforce", "duckdb"),
            )
        ],
        check_specs=[
            dg.AssetCheckSpec("every_planned_row_has_an_outcome", asset=name, partitions_def=DAYS),
            dg.AssetCheckSpec("nothing_rejected", asset=name, partitions_def=DAYS),
            dg.AssetCheckSpec("stored_as_sent", asset=name, partitions_def=DAYS),
            dg.AssetCheckSpec("forecast", asset=name, partitions_def=DAYS),
        ],
    )
    def run(
        context: dg.AssetExecutionContext, project: ProjectResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with step(context, project, to_org=True) as (here, day):
            saved = newest(here, day)
            note_run(saved.folder, context.run.run_id)
            planned = sum(saved.objects[stem].counts.values())
            outcomes, written = apply(here, day, stem, _tell(context))
            yield shown(here, written, extra=dict(outcomes.counts))
            yield dg.AssetCheckResult(
                asset_key=name,
                check_name="every_planned_row_has_an_outcome",
                passed=planned == sum(outcomes.counts.values()),
                metadata={"planned": planned, **outcomes.counts},
            )
            yield dg.AssetCheckResult(
                asset_key=name,
                check_name="nothing_rejected",
                passed=outcomes.counts["rejected"] == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rejected": outcomes.counts["rejected"]},
            )
            yield _stored_as_sent(name, prove(here, stem, saved))
            yield _forecast(name, scored(here, saved, stem))

    return run


def _stored_as_sent(name: str, proof: Proof) -> dg.AssetCheckResult:
    """What the org holds of what was written; what its automation changed is told, too."""
    told = "\n".join(f"- {sentence}" for sentence in proof.sentences())
    return dg.AssetCheckResult(
        asset_key=name,
        check_name="stored_as_sent",
        passed=proof.not_stored == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "fields written": proof.written,
            "stored as sent": proof.as_sent,
            "not stored": proof.not_stored,
            "not as sent": dg.MetadataValue.md(told or "_nothing_"),
        },
    )


def _forecast(name: str, score: Score) -> dg.AssetCheckResult:
    """Whether what the plan called certain came true, and how much of the rest it saw coming."""
    return dg.AssetCheckResult(
        asset_key=name,
        check_name="forecast",
        passed=score.wrong == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "foretold": score.foretold,
            "rejected": score.rejected,
            "foretold and rejected": score.both,
            "precision": score.precision,
            "recall": score.recall,
            "not foretold": dict(score.missed),
        },
    )


def _tell(context: dg.AssetExecutionContext) -> Progress:
    def tell(object_name: str, done: int, total: int) -> None:
        context.log.info(f"{object_name}: {done:,} of {total:,} rows sent")

    return tell


written = [
    salesforce_asset(stem, [relation("salesforce", before) for before in [*MAPPINGS][:place][-1:]])
    for place, stem in enumerate(MAPPINGS)
]
