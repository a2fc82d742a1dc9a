"""Stage 9, apply: Accounts, then Contacts, then Leads, exactly as the plan says."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import Result, shown, spec, stage_asset
from pipelines.apply.prove import prove
from pipelines.jobs import DAYS
from pipelines.plan.make import scored
from pipelines.project import Project
from pipelines.run import Made, Run
from pipelines.stages import STAGES, Applied, mapped
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.forecast import Score
from pipelines.sync.prove import Proof

SAYS = """What Salesforce said of each {object} of the plan: one final outcome per row.

- `outcome`: created, updated, unchanged, held or rejected
- `code`, `message`, `fields`: why a row was rejected or held
"""


CHECKS = ("every_planned_row_has_an_outcome", "nothing_rejected", "stored_as_sent", "forecast")


def salesforce_asset(object_name: str, after: list[str]) -> dg.AssetsDefinition:
    """The final asset of one object, a step of its own: parents are written before children."""
    name = relation("salesforce", object_name)
    return stage_asset(
        STAGES["apply"],
        [
            spec(
                name,
                group="apply",
                description=SAYS.format(object=object_name),
                deps=[relation("plan", object_name), *after],
                owner="team:salesforce",
                kinds=("salesforce", "duckdb"),
            )
        ],
        show,
        checks=[dg.AssetCheckSpec(check, asset=name, partitions_def=DAYS) for check in CHECKS],
        name=relation("apply", object_name),
    )


def show(run: Run, made: Made) -> Iterator[Result]:
    """The final outcome of each row, and what the org holds of it."""
    applied: Applied = made.found
    name, counts = made.written.relation, applied.outcomes.counts
    planned = sum(applied.saved.objects[applied.object].counts.values())
    yield shown(run.project, made.written, extra=dict(counts))
    yield dg.AssetCheckResult(
        asset_key=name,
        check_name="every_planned_row_has_an_outcome",
        passed=planned == sum(counts.values()),
        metadata={"planned": planned, **counts},
    )
    yield dg.AssetCheckResult(
        asset_key=name,
        check_name="nothing_rejected",
        passed=counts["rejected"] == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rejected": counts["rejected"]},
    )
    yield _stored_as_sent(name, prove(run.project, applied.object, applied.saved))
    yield _forecast(name, scored(run.project, applied.saved, applied.object))


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


objects = mapped(Project.of())
written = [
    salesforce_asset(name, [relation("salesforce", before) for before in objects[:place][-1:]])
    for place, name in enumerate(objects)
]
