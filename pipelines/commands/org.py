"""``causeway org``: the Salesforce org on this machine that comes with Causeway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    faults: Annotated[
        bool, typer.Option("--faults", help="Let `causeway org fault` make things go wrong.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(help="Rules of your own; kept for later starts.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start it, or say where it already runs.

    Any Salesforce client can use it, with what `--json` prints:

      causeway org start --json
      causeway org start --home /tmp/second --port 8843
      causeway org start --rules my_rules.yaml

    Rules are validation rules, duplicate rules, assignment rules and automations, as the README
    shows them. They lie in local_org/rules.yaml of the home, where they can be edited too. With
    --rules or --faults an org that runs is started anew.
    """
    choose_home(home)
    from pipelines.local_org import control
    from pipelines.rights import make_home

    here = project()
    make_home(here)
    folder = here.local_org
    if rules is not None or faults:
        # What is asked for holds from a start on.
        control.stop(folder)
    _show(control.start(folder, port, faults=faults, rules=rules), as_json)


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
def seed(
    home: Home = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A CSV whose header names fields.", exists=True, dir_okay=False
        ),
    ] = None,
    sobject: Annotated[
        str, typer.Option("--object", help="What the rows of the file are.")
    ] = "Contact",
    as_json: Json = False,
) -> None:
    """Give it records to work with: made-up samples, or those of a CSV file.

    The samples are accounts, contacts and leads of the kind that a new org has, with duplicates
    among them. Asked for again they are not made again. A file with a column of an External Id
    (Causeway_Key__c) is upserted; any other is taken once.

      causeway org seed
      causeway org seed --from contacts.csv --object Contact
    """
    choose_home(home)
    from pipelines.local_org import control

    folder = project().local_org
    with _asked_rightly():
        told = control.seed(folder) if file is None else control.seed_file(folder, sobject, file)
    if as_json:
        print_json(told)
    elif file is None:
        made = ", ".join(f"{count} × {name}" for name, count in told.items() if count)
        out.print(f"Made {made}." if made else "The samples were there already; nothing was done.")
    else:
        _show_loaded(told, file)
    if told.get("failed") or told.get("state") == "Failed":
        raise typer.Exit(1)


@app.command()
def fault(
    kind: Annotated[
        str | None, typer.Argument(help="What goes wrong; without it: what still will.")
    ] = None,
    settings: Annotated[list[str] | None, typer.Argument(help="name=value …")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make something go wrong, to see what becomes of it. Needs `causeway org start --faults`.

    What can go wrong, and its settings:
      refuse            status=401|403|500|503: an error instead of the work
      slow              seconds=: the work waits
      reset             during=upload|answer: the connection breaks midway
      lose_answer       the work is done, nobody is told
      die               moment=before_work|after_work: kill -9 at a request
      expire_sessions   every access token ends
      lock_rows         object= share= seed=: UNABLE_TO_LOCK_ROW for some rows of a write
      job               end=Failed|InProgress|die_before_commit|die_after_commit
                        after_chunks= object= operation=: a Bulk job fails, hangs, or kill -9
      clear             forget what still would happen

    The first five take path= (a regular expression) and method= to choose requests. Each takes
    times= (1) and skip= (0), so that the third upload is reset with:

      causeway org fault reset during=upload method=PUT skip=2
      causeway org fault job end=die_after_commit after_chunks=5
      causeway org fault refuse status=503 path=composite times=3
    """
    choose_home(home)
    from pipelines.local_org import control

    folder = project().local_org
    with _asked_rightly():
        if kind is None:
            left = control.armed(folder)
        elif kind == "clear":
            left = control.inject(folder)
        else:
            left = control.inject(folder, {"kind": kind} | _settings(settings or []))
    if as_json:
        print_json(left)
        return
    for told in left:
        said = (f"{name}={value}" for name, value in told.items() if name != "kind")
        out.print(f"{told['kind']} {' '.join(said)}", markup=False)
    if not left:
        out.print("Nothing is left to go wrong.")


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
    from pipelines.org.setup import set_up

    said: list[str] = []
    set_up(project(), said.append)
    for line in said or ["Everything was there already."]:
        out.print(line, markup=False)


@contextmanager
def _asked_rightly() -> Iterator[None]:
    """A request that the org refuses is a mistake of who asked, not a failure to try again."""
    from pipelines.errors import ConfigError
    from pipelines.local_org.control import RequestRefused

    try:
        yield
    except RequestRefused as refused:
        raise ConfigError(str(refused)) from refused


def _settings(given: list[str]) -> dict[str, str]:
    wrong = [text for text in given if "=" not in text]
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r} is no name=value")
    return {name: value for name, _, value in (text.partition("=") for text in given)}


def _show_loaded(told: dict[str, Any], file: Path) -> None:
    if "loaded" in told:
        out.print(
            f"{file} was loaded at {told['loaded']}; nothing was done. Its rows have no External "
            "Id, so loading them again would make them twice.",
            markup=False,
        )
        return
    good = told["rows"] - told["failed"]
    done = "upserted" if told["operation"] == "upsert" else "made"
    out.print(f"{good:,} of {told['rows']:,} rows {done}, by job {told['job']}.")
    for error in [[told["error"]]] if told["error"] else told["errors"]:
        err.print("  " + " | ".join(error), markup=False)


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


app.command()(org_bound.describe)
app.command()(org_bound.switch)
