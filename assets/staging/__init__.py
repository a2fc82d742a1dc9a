"""Stage 2, stage: trim, cast and normalise; one row in, one row out."""

from assets.relation import sql_asset
from pipelines.project import stage_files

staged = [sql_asset(file, "stage") for file in stage_files("staging")]
