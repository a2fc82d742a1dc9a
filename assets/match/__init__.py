"""Stage 6, match: which record of the org is whose, and what each person becomes."""

from assets.relation import MAPPINGS, sql_asset
from pipelines.match import match_file, route_files

matched = [
    *(sql_asset(match_file(one, MAPPINGS), "match", traced=False) for one in MAPPINGS.values()),
    *(sql_asset(file, "match") for file in route_files(MAPPINGS)),
]
