"""Stage 4 at work: what the org holds now, and what it says of its fields."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.errors import ConfigError
from pipelines.project import OBJECTS, Project
from pipelines.sync.addresses import fit
from pipelines.sync.check import check_mappings
from pipelines.sync.fields import OrgSchema, org_schema, schema_table
from pipelines.sync.mapping import GOLDEN, ObjectMapping, relation
from pipelines.sync.places import places_sql, places_table
from pipelines.sync.snapshot import fields_needed, snapshot_soql, snapshot_sql
from pipelines.warehouse import Written


def take(project: Project, day: date) -> list[Written]:
    """Read describes, users and every record of our objects into the ``org_`` relations of a day.

    Raises:
        SalesforceError: the org did not answer; nothing was written but what came before.
        ConfigError: a mapping does not fit the org, with every problem of every mapping.
    """
    spill = project.home / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    with (
        project.org() as org,
        project.connect(day) as connection,
        TemporaryDirectory(dir=spill, prefix="snapshot-") as folder,
    ):
        bind_home(project, org.organization_id)
        describes = [org.describe(name) for name in OBJECTS]
        described = schema_table(describes)
        connection.register("described", described)
        connection.register("spelled_places", places_table(describes))
        written = [
            project.warehouse.write(connection, name, day, query)
            for name, query in (
                ("org_schema", "select * from described"),
                ("org_place", places_sql("spelled_places")),
            )
        ]
        schema = org_schema(described.to_pylist())
        check_against(project, schema)
        for name, fields in fields_needed(fit(project.object_mappings, schema)).items():
            pages = org.bulk_query(
                snapshot_soql(name, fields), Path(folder) / name, include_deleted=name != "User"
            )
            query = snapshot_sql(fields, pages)
            written.append(project.warehouse.write(connection, relation("org", name), day, query))
    return written


def bind_home(project: Project, organization_id: str) -> None:
    """Hold a home to one org: what it remembers of records is true of no other.

    Raises:
        ConfigError: another organization answers than the one this home has written to.
    """
    path = project.home / "organization"
    if not path.exists():
        path.write_text(organization_id, encoding="utf-8")
        return
    bound = path.read_text(encoding="utf-8").strip()
    if bound != organization_id:
        raise ConfigError.at(
            path,
            None,
            f"this home belongs to the org {bound}, but {organization_id} answers: another org, or"
            " a sandbox that was refreshed; give it a home of its own with --home",
        )


def check_against(project: Project, schema: OrgSchema) -> None:
    """Hold every mapping against the golden relations and the org's fields.

    Raises:
        ConfigError: every problem, each with its file and line; nothing was written to the org.
    """
    with project.warehouse.connect() as connection:
        golden = {
            name: project.warehouse.describe(connection, name, None).columns for name in GOLDEN
        }
    check_mappings(fit(project.object_mappings, schema), schema, golden)


def read_schema(project: Project, day: date) -> OrgSchema:
    """The fields of the org's objects as the snapshot of ``day`` saw them."""
    with project.connect(day) as connection:
        project.warehouse.bind(connection, "org_schema", [day])
        rows = connection.sql("select * from org_schema").to_arrow_table().to_pylist()
    return org_schema(rows)


def fitted(project: Project, day: date) -> dict[str, ObjectMapping]:
    """The mappings as the org of the snapshot of ``day`` wants them."""
    return fit(project.object_mappings, read_schema(project, day))
