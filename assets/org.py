"""Stage 4, org: what Salesforce holds now, and what it says of its fields."""

import dagster as dg

from assets.relation import MAPPINGS, spec, stage_asset
from pipelines.describe.stages import DRIFT
from pipelines.jobs import DAYS
from pipelines.stages import STAGES
from pipelines.sync.mapping.folder import objects_of
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.named_objects import converts

OBJECTS = objects_of(MAPPINGS)
RECORDS = """Every {object} of the org, also {gone} ones: key, mapped and matched fields.
A batch's file holds what it read: all the first time, then what changed."""

SAYS = {
    "org_schema": f"The fields of {', '.join(OBJECTS)} as the org describes them to the user "
    "we act as: types, lengths, picklist values, what may be written.",
    "org_place": "The countries and states that the org has picklists of, under every spelling "
    "that is understood. Empty in an org where they are free text.",
    "org_user": "The users of the org, for look-ups of owners.",
} | {
    relation("org", name): RECORDS.format(
        object=name, gone="converted and deleted" if converts(name) else "deleted"
    )
    for name in OBJECTS
}


org = stage_asset(
    [STAGES["org"]],
    [
        spec(
            name,
            group="org",
            description=text,
            deps=[],
            owner="team:salesforce",
            kinds=("salesforce", "duckdb"),
        )
        for name, text in SAYS.items()
    ],
    checks=[dg.AssetCheckSpec(DRIFT, asset="org_schema", partitions_def=DAYS)],
)
