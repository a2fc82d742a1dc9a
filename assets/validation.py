"""Stage 3, validate: pandera's verdict on every row, with every reason."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import Result, shown, spec, stage_asset
from pipelines.jobs import DAYS
from pipelines.relations import ENTITIES
from pipelines.run import Made, Run
from pipelines.stages import STAGES
from pipelines.validate.judge import Validated
from pipelines.validate.judge_sql import KINDS
from pipelines.validate.rules import REFERENCES


def _checks(entity: str) -> list[dg.AssetCheckSpec]:
    conserved = dg.AssetCheckSpec(
        "every_row_has_a_verdict",
        asset=f"valid_{entity}",
        description="Rows landed = rows valid + rows rejected.",
        partitions_def=DAYS,
    )
    return [
        conserved,
        *(
            dg.AssetCheckSpec(
                kind.lower().replace(" ", "_"),
                asset=f"valid_{entity}",
                description=f"Rows that the validation *{kind}* rejected.",
                partitions_def=DAYS,
            )
            for kind in KINDS
        ),
    ]


def _specs(entity: str) -> list[dg.AssetSpec]:
    """``valid_`` and ``rejected_`` of one kind of row."""
    needs = [f"raw_{entity}", f"stg_{entity}"]
    if entity in REFERENCES and REFERENCES[entity].parent != entity:
        needs.append(f"valid_{REFERENCES[entity].parent}")
    return [
        spec(
            f"{verdict}_{entity}",
            group="validate",
            description=text,
            deps=needs,
            kinds=("pandera", "duckdb"),
        )
        for verdict, text in (
            ("valid", f"The rows of `stg_{entity}` that passed every rule."),
            (
                "rejected",
                f"The rows of `stg_{entity}` that did not, each with all its reasons, its file and "
                "line, and its text as landed, so that it can be repaired and landed again.",
            ),
        )
    ]


def show(run: Run, made: Made) -> Iterator[Result]:
    """The rows that passed, the rows that did not, and the checks of them."""
    verdict: Validated = made.found
    if made.written == verdict.valid:
        rules = {column: "  \n".join(texts) for column, texts in verdict.rules.items()}
        yield shown(run.project, made.written, notes=rules)
        yield from _results(verdict)
    else:
        yield shown(run.project, made.written, extra=_reasons(verdict))


def _results(verdict: Validated) -> Iterator[dg.AssetCheckResult]:
    yield dg.AssetCheckResult(
        asset_key=f"valid_{verdict.entity}",
        check_name="every_row_has_a_verdict",
        passed=verdict.staged == verdict.valid.rows + verdict.rejected.rows,
        metadata={
            "landed": verdict.staged,
            "valid": verdict.valid.rows,
            "rejected": verdict.rejected.rows,
        },
    )
    found = verdict.kinds
    for kind in KINDS:
        broken = {rule.message: rows for rule, rows in verdict.broken.items() if rule.kind == kind}
        yield dg.AssetCheckResult(
            asset_key=f"valid_{verdict.entity}",
            check_name=kind.lower().replace(" ", "_"),
            passed=not found.get(kind),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows": found.get(kind, 0), **broken},
        )


def _reasons(verdict: Validated) -> dict[str, dg.MarkdownMetadataValue]:
    lines = [f"- `{row.file}:{row.row}` {'; '.join(row.reasons)}" for row in verdict.sample]
    return {"why": dg.MetadataValue.md("\n".join(lines) or "_nothing was rejected_")}


validated = stage_asset(
    STAGES["validate"],
    [each for entity in ENTITIES for each in _specs(entity)],
    show,
    checks=[each for entity in ENTITIES for each in _checks(entity)],
)
