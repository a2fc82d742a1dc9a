"""Stage 5, resolve: who is who, and which account each person belongs to."""

from collections.abc import Iterator

import dagster as dg

from assets.relation import lineage_of, shown, spec, sql_asset, step
from pipelines import resolve
from pipelines.project import stage_files
from pipelines.resources import ProjectResource

FILES = {file.relation: file for file in stage_files("resolve")}

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

person_records = sql_asset(FILES["person_records"], "resolve")
account_links = sql_asset(FILES["account_links"], "resolve")
open_references = sql_asset(FILES["open_references"], "resolve")


def _spec(name: str) -> dg.AssetSpec:
    file = FILES[name]
    return spec(
        name,
        group="resolve",
        description=f"{file.description}\n\n```sql\n{file.query}\n```",
        deps=file.upstream,
        owner=file.owner,
        kinds=("sql", "duckdb"),
    )


@dg.multi_asset(
    specs=[
        spec(
            name,
            group="resolve",
            description=description,
            deps=["person_records", "org_schema", "org_account", "org_contact", "org_lead"],
            owner="team:crm",
        )
        for name, description in (("person_links", LINKS), ("open_identities", OPEN))
    ]
)
def person_links(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Cluster the records that the batch reaches, and keep or mint the keys of people."""
    with step(context, project, to_org=True) as (here, day):
        for written in resolve.link(here, day):
            yield shown(here, written)


@dg.multi_asset(specs=[_spec("people")])
def people(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult[None]:
    """Make the golden records of people."""
    with step(context, project, to_org=True) as (here, day):
        file = FILES["people"]
        written = resolve.people(here, file, day)
        return shown(here, written, lineage=lineage_of(here, file), notes=file.columns)


@dg.multi_asset(specs=[_spec("accounts")])
def accounts(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult[None]:
    """Make the golden records of accounts."""
    with step(context, project, to_org=True) as (here, day):
        file = FILES["accounts"]
        written = resolve.accounts(here, file, day)
        return shown(here, written, lineage=lineage_of(here, file), notes=file.columns)
