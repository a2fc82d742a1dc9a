"""Stage 7, map: the golden records as Salesforce should hold them."""

import dagster as dg

from assets.relation import MAPPINGS, spec, stage_asset
from pipelines.stages import STAGES
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.golden import origin
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.values import golden_columns

SAYS = """The {object} records of the batch's scope as `mappings/{file}.yaml` wants them: one column
per field, all text in the form Salesforce takes. `_held` says why a row must wait, `_left_out`
which parts of an address the org has no code for.
"""


def _spec(mapping: ObjectMapping) -> dg.AssetSpec:
    """``sf_<mapping>``, which the mapping compiles to."""
    parents = [one for other in mapping.lookups().values() for one in of_object(MAPPINGS, other)]
    needs = sorted(
        {origin(one.from_, name)[0] for one in (mapping, *parents) for name in golden_columns(one)}
    )
    needs += ["routes", "org_schema", "org_place", "org_user", "org_queue"]
    needs += [relation("org_match", stem) for stem in MAPPINGS]
    return spec(
        relation("sf", mapping.stem),
        group="map",
        description=SAYS.format(object=mapping.object, file=mapping.stem),
        deps=needs,
        owner="team:salesforce",
        kinds=("yaml", "duckdb"),
    )


records = stage_asset([STAGES["map"]], [_spec(mapping) for mapping in MAPPINGS.values()])
