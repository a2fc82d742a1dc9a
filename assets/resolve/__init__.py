"""Stage 5, resolve: who is who, and which account each person belongs to."""

from assets.relation import spec, sql_spec, stage_asset
from pipelines.project import stage_files
from pipelines.stages import STAGES

LINKS = """Every source record of the people in the batch's scope, with the rule that made it
theirs. A batch reaches the people its old and its new rows belong to, who was held or rejected
earlier, and whose record somebody changed in the org; everyone, when mappings, policies or the
org's fields changed. A record of another day stands here with the batch that brought it.
"""

OPEN = """People who share something and are not joined, because their names do not clearly say that
they are one: a proposal for somebody to decide, one row for each of the two.

- `likeness`: `thin` (the names agree in part), `several` (a record fits more than one person) or
  `split` (they were one person until now)
- `waits`: whether the person's record is held until it is decided
- `decide`: the lines to choose from, for `decisions.csv`
"""

clustered = [
    spec(
        name,
        group="resolve",
        description=description,
        deps=["person_records", "org_schema", "org_account", "org_contact", "org_lead"],
        owner="team:crm",
    )
    for name, description in (("person_links", LINKS), ("open_identities", OPEN))
]
resolved = stage_asset(
    [STAGES["resolve"]],
    [*clustered, *(sql_spec(file, "resolve") for file in stage_files("resolve"))],
)
