"""Stage 7, map: the golden records as Salesforce should hold them."""

from datetime import date

import dagster as dg

from assets.relation import MAPPINGS, shown, spec, step
from pipelines.org.snapshot import fitted
from pipelines.plan.make import desired, left_out
from pipelines.project import Project
from pipelines.resources import ProjectResource
from pipelines.sync.mapping.compile import mapping_columns
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import ObjectMapping, relation

SAYS = """The {object} records of the batch's scope as `mappings/{file}.yaml` wants them: one column
per field, all text in the form Salesforce takes. `_held` says why a row must wait, `_left_out`
which parts of an address the org has no code for.
"""


def mapping_asset(mapping: ObjectMapping) -> dg.AssetsDefinition:
    """``sf_<mapping>``, which the mapping compiles to."""
    stem, name = mapping.stem, relation("sf", mapping.stem)
    parents = [one for other in mapping.lookups().values() for one in of_object(MAPPINGS, other)]
    needs = ["routes", "org_schema", "org_place", "org_user"]
    needs += sorted({one.from_ for one in (mapping, *parents)})
    needs += [relation("org_match", parent) for parent in MAPPINGS]

    @dg.multi_asset(
        name=name,
        specs=[
            spec(
                name,
                group="map",
                description=SAYS.format(object=mapping.object, file=mapping.stem),
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
            written = desired(here, day, stem)
            return shown(
                here,
                written,
                lineage=_lineage(here, day, stem),
                extra={"left out": left_out(here, written)},
            )

    return run


def _lineage(project: Project, day: date, stem: str) -> dict[str, list[tuple[str, str]]]:
    mapping = fitted(project, day)[stem]
    return {
        field: [(mapping.from_, column) for column in columns]
        for field, columns in mapping_columns(mapping).items()
    }


mapped = [mapping_asset(mapping) for mapping in MAPPINGS.values()]
