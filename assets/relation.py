"""How a relation shows itself as an asset: what it holds, where columns come from, a sample."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import dagster as dg
from duckdb import DuckDBPyConnection

from pipelines import locks
from pipelines.jobs import DAYS, raised
from pipelines.project import Project
from pipelines.relations import prepare, schemas_stamp
from pipelines.resources import ProjectResource
from pipelines.sql import ALL_DAYS, CONFIG, SqlFile, column_lineage
from pipelines.warehouse import Warehouse, Written, literal, publish

MAPPINGS = Project.of().object_mappings
"""By the stem of their files, in the order in which they are written."""

SAMPLE = 5
Lineage = Mapping[str, list[tuple[str, str]]]


def spec(
    name: str,
    *,
    group: str,
    description: str,
    deps: list[str],
    owner: str = "team:data",
    kinds: tuple[str, ...] = ("duckdb",),
) -> dg.AssetSpec:
    """One relation, as Dagster knows it."""
    return dg.AssetSpec(
        name,
        group_name=group,
        description=description,
        deps=deps,
        owners=[owner],
        kinds={*kinds, "parquet"} if len(kinds) < 3 else set(kinds),
        partitions_def=DAYS,
    )


def sql_asset(file: SqlFile, group: str, *, traced: bool = True) -> dg.AssetsDefinition:
    """A ``.sql`` file as an asset that runs it for one day.

    Args:
        file: the file, or SQL made from a mapping.
        group: the stage.
        traced: whether the SQL is such that where its columns come from can be read from it.
    """

    @dg.asset(
        name=file.relation,
        group_name=group,
        description=f"{file.description}\n\n```sql\n{file.query}\n```",
        deps=file.upstream,
        owners=[file.owner],
        kinds={"sql", "duckdb"},
        partitions_def=DAYS,
    )
    def run(
        context: dg.AssetExecutionContext, project: ProjectResource
    ) -> dg.MaterializeResult[None]:
        with step(context, project, to_org=group in AFTER_ORG) as (here, day):
            written = here.run_sql(file, day)
            lineage = lineage_of(here, file) if traced else {}
            return shown(here, written, lineage=lineage, notes=file.columns)

    return run


AFTER_ORG = frozenset({"org", "resolve", "match", "map", "plan", "apply"})
"""The stages that take turns on one org; the ones before may run side by side."""


@contextmanager
def step(
    context: dg.AssetExecutionContext, project: ProjectResource, *, to_org: bool
) -> Iterator[tuple[Project, date]]:
    """The project and day of a step, with the locks its stage needs held to the run's end."""
    here = project.project()
    day = date.fromisoformat(context.partition_key)
    names = [f"{day}.lock"] + ([f"org-{here.org_name or 'local'}.lock"] if to_org else [])
    try:
        for name in names:
            locks.take(here.home / "locks" / name, context.run.run_id, _teller(context))
        prepare(here)
        yield here, day
    except BaseException as error:
        raised.setdefault(context.run.run_id, error)
        raise


def _teller(context: dg.AssetExecutionContext) -> Callable[[str], None]:
    """Who waits says so in Dagster, and to whoever started the run in a terminal."""

    def tell(text: str) -> None:
        context.log.info(text)
        locks.tell(text)

    return tell


def shown(
    project: Project,
    written: Written,
    *,
    lineage: Lineage | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dg.MaterializeResult[None]:
    """What Dagster's UI shows of a relation that was just written."""
    lineage = lineage or {}
    metadata: dict[str, Any] = {
        "dagster/row_count": written.rows,
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name, kind, description=_described(name, lineage, notes or {}) or None
                )
                for name, kind in written.columns.items()
            ]
        ),
        "dagster/table_name": written.relation,
        "sample": dg.MetadataValue.md(sample(project.warehouse, written)),
        "file": dg.MetadataValue.path(str(written.path)),
    }
    if any(lineage.values()):
        metadata["dagster/column_lineage"] = dg.TableColumnLineage(
            {
                column: [dg.TableColumnDep(dg.AssetKey(table), name) for table, name in origins]
                for column, origins in lineage.items()
                if origins
            }
        )
        metadata["where columns come from"] = dg.MetadataValue.md(_lineage_table(lineage))
    return dg.MaterializeResult(asset_key=written.relation, metadata={**metadata, **(extra or {})})


def lineage_of(project: Project, file: SqlFile) -> Lineage:
    """Where the columns of a ``.sql`` relation come from, followed once for each text of it."""
    known = project.warehouse.folder(file.relation) / "lineage.json"
    asked = hashlib.sha256(f"{schemas_stamp(project)} {file.query}".encode()).hexdigest()
    if known.exists():
        told = json.loads(known.read_text(encoding="utf-8"))
        if told["of"] == asked:
            return {
                column: [(table, name) for table, name in told["lineage"][column]]
                for column in told["lineage"]
            }
    lineage = _followed(project, file)
    temporary = known.with_suffix(".tmp")
    temporary.write_text(json.dumps({"of": asked, "lineage": lineage}), encoding="utf-8")
    publish(temporary, known)
    return lineage


def _followed(project: Project, file: SqlFile) -> Lineage:
    with project.connect(date.today()) as connection:  # noqa: DTZ011 - no row is read
        for table in (*file.tables, file.relation):
            if not table.startswith(CONFIG):
                project.warehouse.bind(connection, table.removesuffix(ALL_DAYS), [], table)
        schema: dict[str, object] = {table: _columns(connection, table) for table in file.tables}
        columns = list(_columns(connection, file.relation))
    return column_lineage(file.query, schema, columns)


def _columns(connection: DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {table}").fetchall()}


def sample(warehouse: Warehouse, written: Written) -> str:
    """The first rows as a Markdown table, long values cut."""
    with warehouse.connect() as connection:
        rows = connection.execute(
            f"select * from read_parquet({literal(written.path)}) limit {SAMPLE}"
        ).fetchall()
    if not rows:
        return "_no rows_"
    used = [i for i in range(len(written.columns)) if any(row[i] is not None for row in rows)]
    names = list(written.columns)
    lines = [[names[i] for i in used], ["---"] * len(used)]
    lines += [[_cell(row[i]) for i in used] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value).replace("|", "\\|").replace("\n", "⏎")
    return text if len(text) <= 60 else f"{text[:59]}…"


def _described(column: str, lineage: Lineage, notes: Mapping[str, str]) -> str:
    arrows = ", ".join(f"{table}.{name}" for table, name in lineage.get(column, []))
    return "  \n".join(
        part for part in (notes.get(column), f"← {arrows}" if arrows else "") if part
    )


def _lineage_table(lineage: Lineage) -> str:
    lines = ["| column | comes from |", "| --- | --- |"]
    for column, origins in lineage.items():
        links = ", ".join(f"[{table}](/assets/{table}).{name}" for table, name in origins)
        lines.append(f"| {column} | {links or '—'} |")
    return "\n".join(lines)
