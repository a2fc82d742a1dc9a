"""Stage 1, land: files as text, with where each row stands."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import shown, spec, step
from pipelines.resources import ProjectResource
from pipelines.sources.land import land
from pipelines.sources.relations import RAW

SAYS = {
    "raw_contacts": "Rows of contact lists, as their files say them.",
    "raw_customers": "Customers of shops, as their files say them.",
    "raw_customer_addresses": "Addresses of customers, as their files say them.",
    "raw_subscribers": "Newsletter subscribers, as their files say them.",
    "raw_orders": "Orders, as their files say them.",
    "raw_order_addresses": "Billing and shipping addresses of orders, as their files say them.",
}

ORIGIN = """ Every value is text, under the name its preset gives it.

- `_extra`: columns that no preset knows, as JSON
- `_defect`: why a line could not be read, with its byte range; such a line has no values
- `_source`, `_file`, `_row`: where the row stands; the header is line 1
"""


@dg.multi_asset(
    specs=[
        spec(name, group="land", description=SAYS[name] + ORIGIN, deps=[], kinds=("csv", "duckdb"))
        for name in RAW
    ]
)
def landed(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Read the day's files of every source."""
    with step(context, project, to_org=False) as (here, day):
        result = land(here.warehouse, here.sources, here.inbox, day)
        for written in result.written.values():
            yield shown(here, written)
