"""``causeway org``: the Salesforce org on this machine that comes with Causeway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands import org_bound
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
    """Say whether it runs, where, with which credentials, and which org the home is bound to."""
    choose_home(home)
    from pipelines.local_org import control

    here = project()
    bound = org_bound.bound(here)
    _show(control.status(here.local_org) | {"bound": bound}, as_json)
    if not as_json and bound["organization_id"]:
        newest = max(bound["read_at"].values(), default="never")
        out.print(f"This home is bound to the org {bound['organization_id']}, read {newest}.")


@app.command()
def stop(home: Home = None, as_json: Json = False) -> None:
    """Stop it; its records stay."""
    choose_home(home)
    from pipelines.local_org import control

    folder = project().local_org
    ran = control.status(folder)["running"]
    facts = control.stop(folder)
    if as_json:
        print_json(facts)
    else:
        out.print("Stopped." if ran else "It was not running.")


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
    facts = control.reset(folder)
    if not as_json:
        out.print("All its records are deleted.")
    _show(facts, as_json)


@app.command()
def query(
    soql: Annotated[str, typer.Argument(help="One SOQL select.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Look at records: of the local org, or of the one that CAUSEWAY_ORG names.

    causeway org query "select Id, Name, Account.Name, Email from Contact limit 5"
    """
    choose_home(home)
    with project().org() as org:
        rows = [_flat(row) for row in org.query(soql)]
    if as_json:
        print_json(rows)
    else:
        _show_rows(rows)


@app.command()
def setup(home: Home = None) -> None:
    """Make the key fields and a permission set for them, or say what an admin must do.

    Works on the org that CAUSEWAY_ORG names, else on the local one; what is there stays.

      CAUSEWAY_ORG=uat causeway org setup
    """
    choose_home(home)
    from pipelines.setup import set_up

    said: list[str] = []
    set_up(project(), said.append)
    for line in said or ["Everything was there already."]:
        out.print(line, markup=False)


app.command()(org_bound.describe)
app.command()(org_bound.switch)


def _flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record without its attributes; a parent's fields as ``Account.Name``."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        elif not f"{prefix}{name}".endswith(("attributes.type", "attributes.url")):
            flat[f"{prefix}{name}"] = value
    return flat


def _show_rows(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        table.add_column(name)
    for row in rows:
        cells = ("" if row.get(name) is None else str(row[name]) for name in names)
        table.add_row(*(Text(cell) for cell in cells))
    out.print(table)
    out.print(f"{len(rows):,} {'record' if len(rows) == 1 else 'records'}")


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
