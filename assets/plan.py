"""Stage 8, plan: everything that is going to be written, before anything is."""

from assets.relation import MAPPINGS, spec, stage_asset
from pipelines.stages import STAGES
from pipelines.sync.mapping.model import relation

SAYS = """What is going to happen to each {object} of the batch's scope.

- `action`: create, adopt (a record that was there before us), undelete, update, move (to another
  parent), reassign (to another owner), unchanged or hold
- `reason`: of a hold, and whatever else is to be known of the record
- `scope`: why the row is in the plan
- `changed`: the fields that are sent
- `before`: what the org holds in them now
- `fields`: every field of which there is something to say, with the decision and why
- `forecast`: certain or likely, where Salesforce is going to refuse the row
"""


plan = stage_asset(
    [STAGES["plan"]],
    [
        spec(
            relation("plan", stem),
            group="plan",
            description=SAYS.format(object=mapping.object),
            deps=[
                relation("sf", stem),
                relation("org_match", stem),
                relation("org", mapping.object),
            ],
            owner="team:salesforce",
        )
        for stem, mapping in MAPPINGS.items()
    ],
)
