"""How a relation shows itself as an asset: what it holds, where columns come from, a sample."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

import dagster as dg
from duckdb import DuckDBPyConnection

from pipelines.batch import Batch
from pipelines.jobs import DAYS
from pipelines.project import Project
from pipelines.relations import schemas_stamp
from pipelines.resources import ProjectResource
from pipelines.run import Made, Run, Stage, done, hold, watched
from pipelines.sql import ALL_DAYS, CONFIG, SqlFile, column_lineage
from pipelines.warehouse import Warehouse, Written, literal, publish

PROJECT = Project.of()
MAPPINGS = PROJECT.object_mappings
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


def sql_spec(file: SqlFile, group: str, description: str = "") -> dg.AssetSpec:
    """A ``.sql`` file, or SQL made from a mapping, as Dagster knows it."""
    return spec(
        file.relation,
        group=group,
        description=f"{description or file.description}\n\n```sql\n{file.query}\n```",
        deps=file.upstream,
        owner=file.owner,
        kinds=("sql", "duckdb"),
    )


Result = dg.MaterializeResult[None] | dg.AssetCheckResult
Show = Callable[[Run, Made], Iterable[Result]]
"""What Dagster shows of one relation that was just made: itself and the checks of it."""


def stage_asset(
    stage: Stage,
    specs: Sequence[dg.AssetSpec],
    show: Show,
    *,
    checks: Sequence[dg.AssetCheckSpec] = (),
    name: str = "",
) -> dg.AssetsDefinition:
    """All relations of a stage as one step of Dagster's, of which any may be made alone.

    A relation is recorded as soon as it is made. A stage that writes cannot be run for the sake of
    a check.

    Args:
        stage: what makes them.
        specs: of its relations, or of those that get a step of their own.
        show: what of a relation.
        checks: what ``show`` checks.
        name: of the step, if not the stage's.
    """

    @dg.multi_asset(
        name=name or stage.name, specs=specs, check_specs=checks, can_subset=not stage.writes
    )
    def run(context: dg.AssetExecutionContext, project: ProjectResource) -> Iterator[Result]:
        assets, checked = context.selected_asset_keys, context.selected_asset_check_keys
        needed = {key.to_user_string() for key in (*assets, *(key.asset_key for key in checked))}
        wanted = partial(_is_wanted, assets=assets, checks=checked)
        with step(context, project, stage) as at_work:
            for part in stage.parts(at_work.project):
                if needed.isdisjoint(part.relations):
                    continue
                with watched(at_work, part.name):
                    for made in part.make(at_work):
                        yield from filter(wanted, show(at_work, made))
                        done(at_work, made)

    return run


def _is_wanted(result: Result, assets: Set[dg.AssetKey], checks: Set[dg.AssetCheckKey]) -> bool:
    """Whether a result is of what was chosen to be made or checked."""
    key = dg.AssetKey.from_coercible(result.asset_key or "")
    if isinstance(result, dg.AssetCheckResult):
        return dg.AssetCheckKey(key, result.check_name or "") in checks
    return key in assets


@contextmanager
def step(
    context: dg.AssetExecutionContext, project: ProjectResource, stage: Stage
) -> Iterator[Run]:
    """A step's part in a run, with the locks its stage needs held to the run's end."""
    day = date.fromisoformat(context.partition_key)
    run = Run(project.project(), day, context.run.run_id, context.log.info)
    with watched(run, stage.name):
        hold(run, stage)
        yield run


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


def show_sql(run: Run, made: Made) -> Iterator[Result]:
    """A relation of a ``.sql`` file: what its columns hold and where they come from."""
    file: SqlFile | None = made.found
    if file is None or file.path.suffix != ".sql":  # made from a mapping, which says it better
        yield shown(run.project, made.written)
    else:
        lineage = lineage_of(run.project, file)
        yield shown(run.project, made.written, lineage=lineage, notes=file.columns)


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
    with Batch.none_of(project).connect() as connection:
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
