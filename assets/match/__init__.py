"""Stage 6, match: which record of the org is whose, and what each person becomes."""

import dagster as dg

from assets.relation import show_sql, sql_spec, stage_asset
from pipelines.project import Project, stage_files
from pipelines.stages import STAGES, match_file
from pipelines.sync.mapping.model import ObjectMapping

SAYS = """Our entities → the {object} of the org that each one is, by the first rule of
`{rules}` that finds one.

- `entity_key`: of the person or account
- `sf_id`: null where the rule is `ambiguous` (two entities reach the record), `deleted` or
  `converted`
- `candidates`: how many records the rule found; the oldest was taken
- `adopt`: the record carries no key of ours yet
"""


PROJECT = Project.of()


def _spec(mapping: ObjectMapping) -> dg.AssetSpec:
    text = SAYS.format(object=mapping.object, rules=", ".join(mapping.match))
    return sql_spec(match_file(PROJECT, mapping), "match", text)


matched = stage_asset(
    STAGES["match"],
    [
        *map(_spec, PROJECT.object_mappings.values()),
        *(sql_spec(file, "match") for file in stage_files("match")),
    ],
    show_sql,
)
