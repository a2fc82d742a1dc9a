"""Stage 1, land: files as text, with where each row stands."""

from assets.relation import spec, stage_asset
from pipelines.sources.relations import RAW
from pipelines.stages import STAGES

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


land = stage_asset(
    [STAGES["land"]],
    [
        spec(name, group="land", description=SAYS[name] + ORIGIN, deps=[], kinds=("csv", "duckdb"))
        for name in RAW
    ],
)
