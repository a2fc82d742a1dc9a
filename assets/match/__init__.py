"""Stage 6, match: which record of the org is whose, and what each person becomes."""

from assets.relation import PROJECT, sql_spec, stage_asset
from pipelines.match import match_file, route_files
from pipelines.stages import STAGES

MATCHES = [match_file(PROJECT, mapping) for mapping in PROJECT.object_mappings.values()]

matched = stage_asset(
    [STAGES["match"]],
    [
        *(sql_spec(file, "match", file.description) for file in MATCHES),
        *(sql_spec(file, "match") for file in route_files(PROJECT.object_mappings)),
    ],
)
