"""Stage 3, validate: pandera's verdict on every row, with every reason."""

import dagster as dg

from assets.relation import spec, stage_asset
from pipelines.describe.stages import CONSERVED, check_of
from pipelines.jobs import DAYS
from pipelines.relations import ENTITIES
from pipelines.stages import STAGES
from pipelines.validate.judge_sql import KINDS
from pipelines.validate.rules import REFERENCES


def _checks(entity: str) -> list[dg.AssetCheckSpec]:
    conserved = dg.AssetCheckSpec(
        CONSERVED,
        asset=f"valid_{entity}",
        description="Rows landed = rows valid + rows rejected.",
        partitions_def=DAYS,
    )
    return [
        conserved,
        *(
            dg.AssetCheckSpec(
                check_of(kind),
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


validated = stage_asset(
    [STAGES["validate"]],
    [each for entity in ENTITIES for each in _specs(entity)],
    checks=[each for entity in ENTITIES for each in _checks(entity)],
)
