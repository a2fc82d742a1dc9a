"""``causeway org``: the Salesforce org on this machine that comes with Causeway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.environment import Json, choose_home, err, out, print_json, project

app = typer.Typer(
    no_args_is_help=True,
    help="The local org: a Salesforce org on this machine, to try everything without an account.",
)

Home = Annotated[
    Path | None,
    typer.Option(help="The home it belongs to; one org per home.", show_default=False),
]


@app.command()
def start(
    home: Home = None,
    port: Annotated[
        int | None, typer.Option(help="For https; http takes the next one.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Start it, or say where it already runs.

    Any Salesforce client can use it, with what `--json` prints:

      causeway org start --json
      causeway org start --home /tmp/second --port 8843
    """
    choose_home(home)
    from pipelines.local_org import control

    _show(control.start(project().local_org, port), as_json)


@app.command()
def status(home: Home = None, as_json: Json = False) -> None:
    """Say whether it runs, where, and with which credentials."""
    choose_home(home)
    from pipelines.local_org import control

    _show(control.status(project().local_org), as_json)


@app.command()
def stop(home: Home = None, as_json: Json = False) -> None:
    """Stop it; its records stay."""
    choose_home(home)
    from pipelines.local_org import control

    _show(control.stop(project().local_org), as_json)


@app.command()
def reset(
    home: Home = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete all its records; its address and credentials stay.

    Causeway's own files stay too: the next sync creates everybody again.
    """
    choose_home(home)
    from pipelines.local_org import control

    folder = project().local_org
    if not yes:
        err.print(f"This deletes every record of the local org in {folder}.", markup=False)
        typer.confirm("Go on?", abort=True, err=True)
    _show(control.reset(folder), as_json)


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    if facts["pid"] is None:
        out.print("The local org is not running. Start it with: causeway org start")
        return
    out.print(f"The local org runs as process {facts['pid']}.")
    for key in ("https_url", "http_url", "ca_file", "username", "organization_id"):
        out.print(f"  {key:<16} {facts[key]}", markup=False)
    out.print("Passwords and tokens: causeway org status --json")
