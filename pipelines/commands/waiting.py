"""``causeway waiting``: what waits in the org for somebody, held or refused."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.environment import (
    OBJECT,
    Json,
    current_project,
    object_of,
    out,
    print_json,
)

app = typer.Typer(no_args_is_help=True, help="Records that wait: held, or refused by Salesforce.")


@app.callback()
def waiting() -> None:
    """Records that wait: held, or refused by Salesforce."""


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
    its mapping changes, or by `causeway retry`. Rows that never became a record, because the rules
    rejected them, are in `causeway rejects list`.

      causeway waiting list --object Contact
    """
    from pipelines.plan.waiting import waiting as waiting_rows_of

    project = current_project()
    rows = waiting_rows_of(project, object_of(project, object_name))
    if as_json:
        print_json([row.__dict__ for row in rows])
        return
    for row in rows:
        code = f"{row.code}: " if row.code else ""
        out.print(f"{row.object:<8} {row.outcome:<9} {row.title}  {row.key}", markup=False)
        out.print(
            f"         {code}{row.message or 'no reason given'}", markup=False, style="yellow"
        )
        if row.lines:
            out.print(f"         from {', '.join(row.lines)}", markup=False, style="dim")
    if not rows:
        out.print("No record waits.")
