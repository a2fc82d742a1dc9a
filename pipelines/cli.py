"""The ``causeway`` command. What each subcommand does stands in ``pipelines.commands``."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands import (
    check,
    demo,
    environment,
    explain,
    interrupts,
    mapping,
    org,
    plan,
    prove,
    rejects,
    release,
    retry,
    status,
    sync,
    try_,
    ui,
    undo,
    waiting,
)
from pipelines.commands import (
    home as home_,
)
from pipelines.commands.failures import Reported

app = typer.Typer(
    name="causeway",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def causeway(
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder of all data and state; several pipelines can stand side by side."
            " [dim]Default: $CAUSEWAY_HOME, else data/ in the project.[/dim]",
            show_default=False,
            file_okay=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Bring contact lists, shop customers and newsletter readers into Salesforce.

    [bold]First steps[/bold]

      causeway demo             two days of sample data into a Salesforce org on this machine
      causeway try FILE         what a file of yours would become, before anything is set up
      causeway sync             your own files: inbox/<source>/<day>/*, as mappings/ says
      causeway status           what landed, who was found, what Salesforce holds

    Exit codes: 0 all well, 1 some rows were rejected or held, or a file was refused, 2 usage or
    configuration, 3 the org or the machine failed and a rerun will go on, 4 a guard blocked the
    plan, 130 or 143 it was interrupted and a rerun will go on.
    """
    environment.choose_home(home)
    Reported.debug = debug


app.command("demo")(demo.demo)
app.command("try")(try_.try_)
app.command("sync")(sync.sync)
app.command("plan")(plan.plan)
app.command("status")(status.status)
app.command("prove")(prove.prove)
app.command("undo")(undo.undo)
app.command("release")(release.release)
app.command("retry")(retry.retry)
app.command("explain")(explain.explain)
app.command("check")(check.check)
app.command("ui")(ui.ui)
app.add_typer(rejects.app, name="rejects")
app.add_typer(waiting.app, name="waiting")
app.add_typer(home_.app, name="home")
app.add_typer(mapping.app, name="mapping")
app.add_typer(org.app, name="org")


def main() -> None:
    """Run the command line."""
    # A command allocates modules for the most part, which stay: looking for garbage among them
    # after every 700 objects is a tenth of what a small batch costs.
    gc.set_threshold(50_000, 20, 50)
    with Reported():
        interrupts.heed()
        app()
