"""``causeway retry``: rows that Salesforce refused go again, though nothing of them has changed."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.environment import (
    OBJECT,
    Json,
    command,
    current_project,
    object_of,
    out,
    print_json,
)


def retry(
    object_name: Annotated[
        str | None,
        typer.Option("--object", metavar="OBJECT", help=f"Only of this. {OBJECT}"),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(help="Only rows refused with this code, such as DUPLICATES_DETECTED."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Let rows that Salesforce refused go again with the next batch.

    A refused row is not sent again while its data and its mapping stay as they are: it would be
    refused again. When the org was changed instead (a validation rule, a picklist), say so here.

      causeway retry                                          all of them
      causeway retry --object Contact --code STRING_TOO_LONG
    """
    from pipelines.apply.objects import retry as let_go

    project = current_project()
    counts = let_go(project, object_of(project, object_name), code)
    if as_json:
        print_json({"retried": counts})
        return
    for name, rows in counts.items():
        out.print(f"{name}: {rows:,} {'row goes' if rows == 1 else 'rows go'} again.")
    if counts:
        out.print(f"They are sent with the next batch: {command()} sync")
    else:
        out.print("No refused row is waiting for that.")
