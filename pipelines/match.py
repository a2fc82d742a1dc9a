"""Stage 6 at work: the SQL that says which record of the org is whose, and who becomes what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pipelines.project import Project, stage_files
from pipelines.sql import SqlFile
from pipelines.sync.mapping.folder import matches_sql
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import ROUTED

DESCRIPTION = """Our entities → the {object} of the org that each one is, by the first rule of
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
        relation=relation("org_match", mapping.stem),
        path=mapping.file,
        query=match_sql(mapping, project.object_mappings, project.policies),
        description=DESCRIPTION.format(object=mapping.object, rules=", ".join(mapping.match)),
        owner="team:salesforce",
        rows_of=(mapping.from_, relation("org", mapping.object)),
    )


def route_files(mappings: Mapping[str, ObjectMapping]) -> list[SqlFile]:
    """The ``.sql`` files of the stage, whose ``org_match_<object>`` is of all its mappings."""
    return [_of_mappings(file, mappings) for file in stage_files("match")]


def _of_mappings(file: SqlFile, mappings: Mapping[str, ObjectMapping]) -> SqlFile:
    query = file.query
    for name in ROUTED:
        matches, table = matches_sql(mappings, name), relation("org_match", name)
        query = re.sub(rf"\b(from|join) {table}\b", rf"\1 {matches}", query)
    return file if query == file.query else replace(file, query=query)
