"""Stage 6, match: which record of the org is whose, and what each person becomes."""

from assets.relation import sql_asset
from pipelines.project import Project, stage_files
from pipelines.sql import SqlFile
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import ObjectMapping, relation

SAYS = """Our entities → the {object} of the org that each one is, by the first rule of
`{rules}` that finds one.

- `entity_key`: of the person or account
- `sf_id`: null where the rule is `ambiguous` (two entities reach the record), `deleted` or
  `converted`
- `candidates`: how many records the rule found; the oldest was taken
- `adopt`: the record carries no key of ours yet
"""


def match_file(project: Project, mapping: ObjectMapping) -> SqlFile:
    """The ``match:`` of a mapping as the SQL relation it compiles to."""
    return SqlFile(
        relation=relation("org_match", mapping.object),
        path=mapping.file,
        query=match_sql(mapping, project.object_mappings, project.policies),
        description=SAYS.format(object=mapping.object, rules=", ".join(mapping.match)),
        owner="team:salesforce",
        rows_of=(mapping.from_, relation("org", mapping.object)),
    )


PROJECT = Project.of()

matched = [
    *(
        sql_asset(match_file(PROJECT, mapping), "match", traced=False)
        for mapping in PROJECT.object_mappings.values()
    ),
    *(sql_asset(file, "match") for file in stage_files("match")),
]
