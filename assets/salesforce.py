"""Stage 9, apply: what others look up first, exactly as the plan says."""

import dagster as dg

from assets.relation import MAPPINGS, spec, stage_asset
from pipelines.describe.stages import ACCEPTED, ANSWERED, FORESEEN, STORED
from pipelines.jobs import DAYS
from pipelines.stages import STAGES
from pipelines.sync.mapping.model import relation

SAYS = """What Salesforce said of each {object} of the plan: one final outcome per row.

- `outcome`: created, updated, unchanged, held or rejected
- `code`, `message`, `fields`: why a row was rejected or held
"""


CHECKS = (ANSWERED, ACCEPTED, STORED, FORESEEN)


def salesforce_asset(stem: str, after: list[str]) -> dg.AssetsDefinition:
    """The final asset of one mapping, a step of its own: parents are written before children."""
    name = relation("salesforce", stem)
    return stage_asset(
        [STAGES["apply"], STAGES["prove"]],
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
        checks=[dg.AssetCheckSpec(check, asset=name, partitions_def=DAYS) for check in CHECKS],
        name=relation("apply", stem),
    )


written = [
    salesforce_asset(stem, [relation("salesforce", before) for before in [*MAPPINGS][:place][-1:]])
    for place, stem in enumerate(MAPPINGS)
]
