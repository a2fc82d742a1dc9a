"""Stage 5, resolve: who is who, and which account each person belongs to."""

from assets.relation import show_sql, spec, sql_spec, stage_asset
from pipelines.project import stage_files
from pipelines.stages import STAGES

LINKS = """Every source record of the people in the batch's scope, with the rule that made it
theirs. A batch reaches the people its old and its new rows belong to, who was held or rejected
earlier, and whose record somebody changed in the org; everyone, when mappings, policies or the
org's fields changed. A record of another day stands here with the batch that brought it.
"""

links = spec(
    "person_links",
    group="resolve",
    description=LINKS,
    deps=["person_records", "org_schema", "org_account", "org_contact", "org_lead"],
    owner="team:crm",
)
resolved = stage_asset(
    STAGES["resolve"],
    [links, *(sql_spec(file, "resolve") for file in stage_files("resolve"))],
    show_sql,
)
