"""``causeway rejects``: rows that did not pass, to be repaired and landed again."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.environment import (
    OBJECT,
    Json,
    current_project,
    object_of,
    out,
    print_json,
    readable_path,
)
from pipelines.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Rows that did not pass, or that wait.")


@app.callback()
def rejects() -> None:
    """Rows that did not pass validation, and records that Salesforce refused or that wait."""


@app.command("list")
def list_(
    object_name: Annotated[
        str | None,
        typer.Option("--object", metavar="OBJECT", help=f"Only of this. {OBJECT}"),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the records that wait, each with its reason: held, or refused by Salesforce.

    They are part of every batch until it ends well; what was refused goes again when its data or
    its mapping changes, or by `causeway retry`.

      causeway rejects list --object Contact
    """
    from pipelines.plan.waiting import waiting

    project = current_project()
    waiting_rows = waiting(project, object_of(project, object_name))
    if as_json:
        print_json([row.__dict__ for row in waiting_rows])
        return
    for row in waiting_rows:
        code = f"{row.code}: " if row.code else ""
        out.print(f"{row.object:<8} {row.outcome:<9} {row.title}  {row.key}", markup=False)
        out.print(
            f"         {code}{row.message or 'no reason given'}", markup=False, style="yellow"
        )
        if row.lines:
            out.print(f"         from {', '.join(row.lines)}", markup=False, style="dim")
    if not waiting_rows:
        out.print("No record waits.")


@app.command()
def export(
    batch: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="A batch; by default the newest."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="One source; by default all.", show_default=False)
    ] = None,
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

    project = current_project()
    if source is not None and source not in project.sources.sources:
        source_names = ", ".join(project.sources.sources)
        raise ConfigError(f"there is no source {source!r}; known are {source_names}")
    day = (
        batch.date()
        if batch
        else _newest(project.warehouse.home, project.warehouse.days("raw_contacts"))
    )
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


def _newest(home: Path, days: list[date]) -> date:
    if not days:
        raise ConfigError(f"nothing has landed in {home} yet; run `causeway sync` first")
    return days[-1]
