"""``causeway mapping``: what the mappings compile to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.environment import OBJECT, Json, current_project, out, print_json
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping

app = typer.Typer(no_args_is_help=True, help="The mappings of mappings/*.yaml.")


@app.callback()
def mapping() -> None:
    """The mappings of mappings/*.yaml."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="MAPPING", help=OBJECT)],
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Field by field: which columns it is made from.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the one select a mapping compiles to, or where each field comes from.

    causeway mapping show contact
    causeway mapping show lead --lineage
    """
    from pipelines.commands.described import described
    from pipelines.sync.mapping.addresses import fit
    from pipelines.sync.mapping.compile import desired_sql
    from pipelines.sync.mapping.folder import named
    from pipelines.sync.mapping.values import mapping_columns

    project = current_project()
    candidates = named(project.object_mappings, name)
    if len(candidates) > 1:
        files = " and ".join(candidate.file.name for candidate in candidates)
        raise ConfigError(
            f"{candidates[0].object} is mapped by {files}; name one without its .yaml"
        )
    [chosen] = candidates
    if lineage:
        columns = mapping_columns(chosen)
        if as_json:
            print_json(columns)
        else:
            _show_lineage(chosen, columns)
            unused = ", ".join(_unused(project, chosen, columns))
            out.print(f"\nColumns of {chosen.from_} that no field reads: {unused}")
        return
    schema = described(project).schema
    mappings = fit(project.object_mappings, schema)
    chosen = mappings[chosen.stem]
    query = desired_sql(chosen, schema[chosen.object], mappings, project.policies)
    if as_json:
        print_json({"object": chosen.object, "file": str(chosen.file), "sql": query})
    else:
        _show_sql(query)


def _show_lineage(chosen: ObjectMapping, columns: dict[str, list[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in (chosen.object, f"from {chosen.from_}", "when", "line"):
        table.add_column(header)
    for field in chosen.enabled():
        line = str(chosen.line("fields", field))
        read = ", ".join(_origin(chosen, column) for column in columns[field])
        table.add_row(field, read or "·", chosen.when(field), line)
    out.print(table)


def _origin(chosen: ObjectMapping, column: str) -> str:
    """A column by its own name, and by that of its relation where that is another one."""
    from pipelines.sync.mapping.golden import origin

    relation, name = origin(chosen.from_, column)
    return name if relation == chosen.from_ else f"{relation}.{name}"


def _unused(project: Project, chosen: ObjectMapping, columns: dict[str, list[str]]) -> list[str]:
    """Columns of the golden relation that the mapping does not read."""
    from pipelines.relations import prepare
    from pipelines.sync.mapping.golden import LINKS, readable

    prepare(project)
    read = {column for listed in columns.values() for column in listed}
    with project.warehouse.connect() as connection:
        kinds = {
            name: project.warehouse.describe(connection, name, None).columns
            for name in (chosen.from_, LINKS)
        }
    return [column for column in readable(chosen.from_, kinds) if column not in read]


def _show_sql(query: str) -> None:
    if not out.is_terminal:
        typer.echo(query)
        return
    from rich.syntax import Syntax

    out.print(Syntax(query, "sql", theme="ansi_dark", background_color="default"))
