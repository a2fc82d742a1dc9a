"""Stage 7, map: the golden records as Salesforce should hold them."""

from datetime import date

import dagster as dg

from assets.relation import shown, spec, step
from pipelines.org.snapshot import fitted
from pipelines.plan.make import desired, left_out
from pipelines.project import OBJECTS, Project
from pipelines.resources import ProjectResource
from pipelines.sync.mapping.compile import mapping_columns
from pipelines.sync.mapping.model import relation

SAYS = """The {object} records of the batch's scope as `mappings/{file}.yaml` wants them: one column
per field, all text in the form Salesforce takes. `_held` says why a row must wait, `_left_out`
which parts of an address the org has no code for.
"""


def mapping_asset(object_name: str) -> dg.AssetsDefinition:
    """``sf_<object>``, which its mapping compiles to."""
    name = relation("sf", object_name)
    golden = "accounts" if object_name == "Account" else "people"
    needs = [golden, "routes", "org_schema", "org_place", "org_user"]
    needs += [relation("org_match", parent) for parent in OBJECTS]

    @dg.multi_asset(
        name=name,
        specs=[
            spec(
                name,
                group="map",
                description=SAYS.format(object=object_name, file=object_name.lower()),
                deps=needs,
                owner="team:salesforce",
                kinds=("yaml", "duckdb"),
            )
        ],
    )
    def run(
        context: dg.AssetExecutionContext, project: ProjectResource
    ) -> dg.MaterializeResult[None]:
        with step(context, project, to_org=True) as (here, day):
            written = desired(here, day, object_name)
            return shown(
                here,
                written,
                lineage=_lineage(here, day, object_name),
                extra={"left out": left_out(here, written)},
            )

    return run


def _lineage(project: Project, day: date, object_name: str) -> dict[str, list[tuple[str, str]]]:
    mapping = fitted(project, day)[object_name]
    return {
        field: [(mapping.from_, column) for column in columns]
        for field, columns in mapping_columns(mapping).items()
    }


mapped = [mapping_asset(name) for name in OBJECTS]
