"""``causeway rejects``: rows that did not pass the rules, to be repaired and landed again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.environment import (
    Json,
    command,
    current_project,
    out,
    print_json,
    readable_path,
)
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.project import Project

CUT = 40
"""Characters of a value that are shown."""

app = typer.Typer(no_args_is_help=True, help="Rows that the rules rejected, to be repaired.")

Batch = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="A batch; by default the newest."),
]
OfSource = Annotated[
    str | None, typer.Option("--source", help="One source; by default all.", show_default=False)
]


@app.callback()
def rejects() -> None:
    """Rows that the rules rejected, to be repaired and landed again."""


@app.command("list")
def list_(
    batch: Batch = None,
    source: OfSource = None,
    object_name: Annotated[str | None, typer.Option("--object", hidden=True)] = None,
    *,
    lines: Annotated[int, typer.Option(min=1, help="Lines of files to name of each reason.")] = 5,
    as_json: Json = False,
) -> None:
    """List why rows were rejected: each reason with its number of rows, and the first lines.

    Records that wait, because Salesforce refused them or something else is missing, are in
    `causeway waiting list`.

      causeway rejects list --source winmo
    """
    from pipelines.validate.reasons import reasons

    if object_name is not None:
        raise typer.BadParameter(
            f"rows have no object yet: {command()} waiting list --object {object_name} has the"
            " records that wait"
        )
    project, day = _chosen(batch, source)
    found = reasons(project.warehouse, day, source, places=lines)
    if as_json:
        print_json([asdict(reason) for reason in found])
        return
    for reason in found:
        out.print(f"{reason.rows:>7,} {reason.source}  {reason.text}", markup=False)
        value = f", such as {_cut(reason.value)}" if reason.value else ""
        more = reason.rows - len(reason.places)
        rest = f" and {more:,} more" if more > 0 else ""
        out.print(f"        {', '.join(reason.places)}{rest}{value}", markup=False, style="dim")
    if not found:
        out.print(f"Nothing was rejected in batch {day}.")
    else:
        out.print(f"\nTo repair them: {command()} rejects export --batch {day}", markup=False)


@app.command()
def export(
    batch: Batch = None,
    source: OfSource = None,
    to: Annotated[
        Path | None,
        typer.Option(help="Where to write; by default rejects/ in the home.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write rejected rows as CSV, each with its reasons, ready to be repaired.

    Correct the cells, leave the last column as it is, and put the file back into the inbox:

      causeway rejects export --batch 2026-11-05 --source winmo
      cp data/rejects/winmo/2026-11-05/*.csv data/inbox/winmo/2026-11-06/
      causeway sync --batch 2026-11-06
    """
    from pipelines.validate import rejects as rejected

    project, day = _chosen(batch, source)
    folder = (to or project.home / "rejects").expanduser().absolute()
    exported = rejected.export(project, day, folder, source)
    if as_json:
        print_json([export_file.__dict__ for export_file in exported])
        return
    for export_file in exported:
        if export_file.path is not None:
            out.print(f"{export_file.rows:>6,}  {readable_path(export_file.path)}", markup=False)
    for place in rejected.places(exported):
        out.print(f"not readable, repair it in the file itself: {place}", markup=False)
    if not exported:
        out.print(f"Nothing was rejected in batch {day}.")


def _chosen(batch: datetime | None, source: str | None) -> tuple[Project, date]:
    """The project, and the batch that is meant; a source that there is none of is refused."""
    project = current_project()
    if source is not None and source not in project.sources.sources:
        source_names = ", ".join(project.sources.sources)
        raise ConfigError(f"there is no source {source!r}; known are {source_names}")
    if batch is not None:
        return project, batch.date()
    return project, _newest(project.warehouse.home, project.warehouse.days("raw_contacts"))


def _cut(value: str) -> str:
    text = " ".join(value.split())
    return repr(text if len(text) <= CUT else f"{text[: CUT - 1]}…")


def _newest(home: Path, days: list[date]) -> date:
    if not days:
        raise ConfigError(f"nothing has landed in {home} yet; run `causeway sync` first")
    return days[-1]
