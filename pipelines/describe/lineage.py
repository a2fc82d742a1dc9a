"""Where the columns of a relation come from, kept beside it."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.files import Damaged, read_json, reading, write
from pipelines.relations import schemas_stamp
from pipelines.sql import ALL_DAYS, CONFIG, SqlFile, column_lineage

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
