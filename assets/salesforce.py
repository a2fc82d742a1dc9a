"""Stage 9, apply: what others look up first, exactly as the plan says."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import MAPPINGS, Result, shown, spec, stage_asset
from pipelines.apply.prove import prove
from pipelines.jobs import DAYS
from pipelines.plan.make import scored
from pipelines.run import Made, Run
from pipelines.stages import STAGES, Applied
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.forecast import Score
from pipelines.sync.prove import Proof

SAYS = """What Salesforce said of each {object} of the plan: one final outcome per row.

- `outcome`: created, updated, unchanged, held or rejected
- `code`, `message`, `fields`: why a row was rejected or held
"""


CHECKS = ("every_planned_row_has_an_outcome", "nothing_rejected", "stored_as_sent", "forecast")


def salesforce_asset(stem: str, after: list[str]) -> dg.AssetsDefinition:
    """The final asset of one mapping, a step of its own: parents are written before children."""
    name = relation("salesforce", stem)
    return stage_asset(
        STAGES["apply"],
        [
            spec(
                name,
                group="apply",
                description=SAYS.format(object=MAPPINGS[stem].object),
                deps=[relation("plan", stem), *after],
                owner="team:salesforce",
                kinds=("salesforce", "duckdb"),
            )
        ],
        show,
        checks=[dg.AssetCheckSpec(check, asset=name, partitions_def=DAYS) for check in CHECKS],
        name=relation("apply", stem),
    )


def show(run: Run, made: Made) -> Iterator[Result]:
    """The final outcome of each row, and what the org holds of it."""
    applied: Applied = made.found
    name, counts = made.written.relation, applied.outcomes.counts
    planned = sum(applied.saved.objects[applied.stem].counts.values())
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
    yield _stored_as_sent(name, prove(run.project, applied.stem, applied.saved))
    yield _forecast(name, scored(run.project, applied.saved, applied.stem))


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


written = [
    salesforce_asset(stem, [relation("salesforce", before) for before in [*MAPPINGS][:place][-1:]])
    for place, stem in enumerate(MAPPINGS)
]
