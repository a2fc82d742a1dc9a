"""Stage 8, plan: everything that is going to be written, before anything is."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import MAPPINGS, shown, spec, step
from pipelines.plan import make as planning
from pipelines.plan.page import page_of
from pipelines.resources import ProjectResource
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


@dg.multi_asset(
    specs=[
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
    ]
)
def plan(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Compare what should be with what is, and save the difference as one immutable plan."""
    with step(context, project, to_org=True) as (here, day):
        saved, relations = planning.plan(here, day)
        for part, written in zip(saved.objects.values(), relations, strict=True):
            page = dg.MetadataValue.url(page_of(saved).absolute().as_uri())
            facts = {"plan": saved.plan_id, "page": page, **part.counts}
            yield shown(here, written, extra=facts)
