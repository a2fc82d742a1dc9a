"""Stage 2, stage: trim, cast and normalise; one row in, one row out."""

from assets.relation import sql_spec, stage_asset
from pipelines.project import stage_files
from pipelines.stages import STAGES

staged = stage_asset(
    [STAGES["stage"]], [sql_spec(file, "stage") for file in stage_files("staging")]
)
