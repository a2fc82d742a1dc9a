"""``causeway try``: what a file would become, before anything is set up for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.commands import failures
from pipelines.commands.environment import Json, err, out, print_json

if TYPE_CHECKING:
    from pipelines.trial.source import Request

UNREADABLE = 3


def try_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A file of any kind."),
    ],
    list_as: Annotated[
        Literal["lead", "contact"] | None,
        typer.Option("--as", help="What a contact list becomes; by default as policies.yaml says."),
    ] = None,
    entity: Annotated[
        Literal["contacts", "customers", "subscribers", "orders"] | None,
        typer.Option(help="What its rows are; by default as its header says."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Read it as this source of sources.yaml."),
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="How many rows to show.")] = 3,
    *,
    as_json: Json = False,
) -> None:
    """Show what a file would become in Salesforce; nothing is kept, nobody is request.

    Each column with where it goes, the first rows as the records they would become, and whatever
    would be left out, counted by reason; then the lines for sources.yaml. No org, inbox or home is
    needed: what the org says of its fields is read from the home, else from the copy beside the
    mappings, and no record counts as known.

      causeway try fair.csv --as lead
      causeway try customers.xlsx --entity customers --rows 10
      causeway try monday.csv --source newsletter --json

    Ends with 0 where all of it comes in, 1 where something does not, 3 where it cannot be read.
    """
    from pipelines.commands.environment import today
    from pipelines.project import Project
    from pipelines.sources.readers.reader import Unreadable
    from pipelines.trial.run import run_trial
    from pipelines.trial.source import Request

    own = Project.of()
    request = Request(file, source, entity, list_as)
    try:
        trial = run_trial(own, request, today(own), rows)
    except Unreadable as error:
        _refuse(request, error, as_json=as_json)
        raise typer.Exit(UNREADABLE) from None
    if as_json:
        print_json(trial.document())
    else:
        from pipelines.commands.show_trial import trial_text

        out.print(trial_text(trial, file.name, own.mappings / "sources.yaml"))
    raise typer.Exit(failures.OK if trial.is_whole else failures.SOME_ROWS)


def _refuse(request: Request, error: Exception, *, as_json: bool) -> None:
    from pipelines.errors import Problem, spelled

    line = getattr(error, "line", None)
    problem = Problem(spelled(request.path), line, str(error))
    if as_json:
        print_json({"refused": {"file": problem.file, "line": line, "message": problem.message}})
    else:
        err.print(str(problem), style="red", markup=False)
