"""Stage 4, org: what Salesforce holds now, and what it says of its fields."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import shown, spec, step
from pipelines import snapshot
from pipelines.resources import ProjectResource

SAYS = {
    "org_schema": "The fields of Account, Contact and Lead as the org describes them to the user "
    "we act as: types, lengths, picklist values, what may be written.",
    "org_place": "The countries and states that the org has picklists of, under every spelling "
    "that is understood. Empty in an org where they are free text.",
    "org_user": "The users of the org, for look-ups of owners.",
    "org_account": "Every Account of the org, also deleted ones: key, mapped and matched fields.",
    "org_contact": "Every Contact of the org, also deleted ones: key, mapped and matched fields.",
    "org_lead": "Every Lead of the org, also converted and deleted ones: key, mapped and matched "
    "fields.",
}


@dg.multi_asset(
    specs=[
        spec(
            name,
            group="org",
            description=text,
            deps=[],
            owner="team:salesforce",
            kinds=("salesforce", "duckdb"),
        )
        for name, text in SAYS.items()
    ]
)
def org(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Read the org by Bulk query jobs."""
    with step(context, project, to_org=True) as (here, day):
        for written in snapshot.take(here, day):
            yield shown(here, written)
