"""Where columns come from: those of a relation, kept beside it, and those that mappings read."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.files import Damaged, read_json, reading, write
from pipelines.project import stage_files
from pipelines.relations import schemas_stamp
from pipelines.sources.relations import SPEAKING
from pipelines.sql import ALL_DAYS, CONFIG, SqlFile, column_lineage
from pipelines.sync.mapping.golden import OF_ACCOUNT, PEOPLE, origin
from pipelines.sync.mapping.model import GOLDEN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.describe.description import Lineage
    from pipelines.project import Project


def lineage_of(project: Project, file: SqlFile) -> Lineage:
    """Where the columns of a ``.sql`` relation come from, followed once for each text of it."""
    path = project.warehouse.folder(file.relation) / "lineage.json"
    made_from = hashlib.sha256(f"{schemas_stamp(project)} {file.query}".encode()).hexdigest()
    with suppress(FileNotFoundError, Damaged), reading(path):  # a damaged one is made again
        kept = read_json(path)
        if kept["of"] == made_from:
            return {
                column: [(table, name) for table, name in origins]
                for column, origins in kept["lineage"].items()
            }
    lineage = _followed(project, file)
    write(path, json.dumps({"of": made_from, "lineage": lineage}))
    return lineage


def _followed(project: Project, file: SqlFile) -> Lineage:
    with Batch.none_of(project).connect() as connection:
        for table in (*file.tables, file.relation):
            if not table.startswith(CONFIG):
                project.warehouse.bind(connection, table.removesuffix(ALL_DAYS), [], table)
        schema: dict[str, object] = {table: _columns(connection, table) for table in file.tables}
        columns = list(_columns(connection, file.relation))
    return column_lineage(file.query, schema, columns)


def _columns(connection: DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {table}").fetchall()}


def raw_columns(project: Project) -> dict[str, dict[str, list[str]]]:
    """Follow every column that a mapping may read to the raw columns; takes a second or two."""
    files = {file.relation: file for stage in ("staging", "resolve") for file in stage_files(stage)}
    lineages: dict[str, Lineage] = {}
    found: dict[tuple[str, str], set[str]] = {}

    def raw(relation: str, column: str) -> set[str]:
        relation = relation.replace("valid_", "stg_")
        if relation.startswith("raw_"):
            return {f"{relation}.{column}"}
        if relation not in files:
            return set()
        if (relation, column) not in found:
            found[relation, column] = set()  # a column that is made from itself ends there
            if relation not in lineages:
                lineages[relation] = lineage_of(project, files[relation])
            for origin_relation, origin_column in lineages[relation].get(column, ()):
                found[relation, column] |= raw(origin_relation, origin_column)
        return found[relation, column]

    with project.warehouse.connect() as connection:
        columns = {
            name: list(project.warehouse.describe(connection, name, None).columns)
            for name in GOLDEN
        }
    columns[PEOPLE] += OF_ACCOUNT
    # What a person said is kept in the state, by address, where no lineage leads.
    for column in ("opted_out", "do_not_call"):
        found["people", column] = {f"{relation}.{column}" for relation in SPEAKING}
    found["people", "opted_out"].add("raw_subscribers.status")
    return {
        name: {column: _named_alike(column, raw(*origin(name, column))) for column in listed}
        for name, listed in columns.items()
    }


_PARTS = {
    "street": ("street", "street2", "building"),
    "city": ("city",),
    "state": ("state", "region"),
    "postal_code": ("postal_code",),
    "country": ("country",),
    "first_name": ("first_name", "name"),
    "middle_name": ("middle_name", "name"),
    "last_name": ("last_name", "name"),
    "suffix": ("suffix",),
    "salutation": ("prefix",),
}
"""Part of a golden name or address, which survives as one block → the raw columns it is made of."""

_OTHER = "other_"


def _named_alike(column: str, raw: set[str]) -> list[str]:
    """Of the raw columns of a whole block those that are the part of it that a column is.

    Lineage ends at the block. Whatever text gathers more addresses is no place of any one column.
    """
    if column == "further_addresses":
        return []
    part = next((part for part in _PARTS if column == part or column.endswith(f"_{part}")), None)
    if part is not None:
        raw = {one for one in raw if _column(one).removeprefix(_OTHER) in _PARTS[part]}
    elif column.endswith("phone"):
        raw = {one for one in raw if _column(one).endswith("phone")}
    if column.startswith(_OTHER):  # a row's own second address, where it has one
        second = {one for one in raw if _column(one).startswith(_OTHER)}
        relations = {one.partition(".")[0] for one in second}
        raw = second | {one for one in raw if one.partition(".")[0] not in relations}
    return sorted(one for one in raw if not _column(one).startswith("_"))


def _column(raw: str) -> str:
    return raw.partition(".")[2]
