"""``causeway org``: the Salesforce org on this machine that comes with Causeway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands import org_bound
from pipelines.commands.environment import Json, choose_home, current_project, err, out, print_json

app = typer.Typer(
    no_args_is_help=True,
    help="The local org: a Salesforce org on this machine, to try everything without an account.",
)

_COUNT = re.compile(r"\s*select\s+count\s*\(\s*\)\s", re.IGNORECASE)
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
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Let it be asked by another name than this machine's own; its pages then need a "
            "login.",
            show_default=False,
        ),
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
    --rules, --faults or --allow-host an org that runs is started anew.

    It listens on this machine alone, and is asked as localhost, 127.0.0.1 or ::1; any other name is
    refused, since a web page could have made it up. --allow-host org.test lets clients ask for that
    name too, whose address is made known to them elsewhere, such as in /etc/hosts or by a tunnel.
    """
    choose_home(home)
    from pipelines.local_org import control
    from pipelines.rights import make_home

    project = current_project()
    make_home(project)
    folder = project.local_org
    if rules is not None or faults or allow_host:
        # What is asked for holds from a start on.
        control.stop(folder)
    _show(control.start(folder, port, faults=faults, rules=rules, hosts=allow_host or ()), as_json)


@app.command()
def status(home: Home = None, as_json: Json = False) -> None:
    """Say whether it runs, where, with which credentials, and which org the home is bound to."""
    choose_home(home)
    from pipelines.local_org import control

    project = current_project()
    bound = org_bound.bound(project)
    _show(control.status(project.local_org) | {"bound": bound}, as_json)
    if not as_json and bound["organization_id"]:
        newest = max(bound["read_at"].values(), default="never")
        out.print(f"This home is bound to the org {bound['organization_id']}, read {newest}.")


@app.command()
def stop(home: Home = None, as_json: Json = False) -> None:
    """Stop it; its records stay."""
    choose_home(home)
    from pipelines.local_org import control

    folder = current_project().local_org
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

    folder = current_project().local_org
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

    folder = current_project().local_org
    with _refusals_as_config_errors():
        result = control.seed(folder) if file is None else control.seed_file(folder, sobject, file)
    if as_json:
        print_json(result)
    elif file is None:
        created = ", ".join(f"{count} × {name}" for name, count in result.items() if count)
        out.print(
            f"Made {created}." if created else "The samples were there already; nothing was done."
        )
    else:
        _show_loaded(result, file)
    if result.get("failed") or result.get("state") == "Failed":
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
      lock_contention   until it is cleared, writers of one account at once lock each other out
      job               end=Failed|InProgress|die_before_commit|die_after_commit
                        after_chunks= object= operation=: a Bulk job fails, hangs, or kill -9
      clear             forget what still would happen

    The first five take path= (a regular expression) and method= to choose requests. All but
    lock_contention take times= (1) and skip= (0), so that the third upload is reset with:

      causeway org fault reset during=upload method=PUT skip=2
      causeway org fault job end=die_after_commit after_chunks=5
      causeway org fault refuse status=503 path=composite times=3
    """
    choose_home(home)
    from pipelines.local_org import control

    folder = current_project().local_org
    with _refusals_as_config_errors():
        if kind is None:
            armed = control.armed(folder)
        elif kind == "clear":
            armed = control.inject(folder)
        else:
            armed = control.inject(folder, {"kind": kind} | _settings(settings or []))
    if as_json:
        print_json(armed)
        return
    for armed_fault in armed:
        settings_text = (f"{name}={value}" for name, value in armed_fault.items() if name != "kind")
        out.print(f"{armed_fault['kind']} {' '.join(settings_text)}", markup=False)
    if not armed:
        out.print("Nothing is left to go wrong.")


@app.command()
def query(
    soql: Annotated[str, typer.Argument(help="One SOQL select.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Look at records: of the local org, or of the one that CAUSEWAY_ORG names.

    causeway org query "select Id, Name, Account.Name, Email from Contact limit 5"
    causeway org query "select count() from Contact"
    """
    choose_home(home)
    with current_project().org() as org:
        # The answer to a bare count() has no records, only their number.
        count = org.count(soql) if _COUNT.match(soql) else None
        rows = [_flat(row) for row in org.query(soql)] if count is None else [{"count()": count}]
    if as_json:
        print_json(rows)
    elif count is not None:
        out.print(_records(count))
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

    changes: list[str] = []
    set_up(current_project(), changes.append)
    for line in changes or ["Everything was there already."]:
        out.print(line, markup=False)


@contextmanager
def _refusals_as_config_errors() -> Iterator[None]:
    """A request that the org refuses is a mistake of who asked, not a failure to try again."""
    from pipelines.errors import ConfigError
    from pipelines.local_org.control import RequestRefused

    try:
        yield
    except RequestRefused as refused:
        raise ConfigError(str(refused)) from refused


def _settings(assignments: list[str]) -> dict[str, str]:
    wrong = [text for text in assignments if "=" not in text]
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r} is no name=value")
    return {name: value for name, _, value in (text.partition("=") for text in assignments)}


def _show_loaded(result: dict[str, Any], file: Path) -> None:
    if "loaded" in result:
        out.print(
            f"{file} was loaded at {result['loaded']}; nothing was done. Its rows have no External "
            "Id, so loading them again would make them twice.",
            markup=False,
        )
        return
    good = result["rows"] - result["failed"]
    done = "upserted" if result["operation"] == "upsert" else "made"
    out.print(f"{good:,} of {result['rows']:,} rows {done}, by job {result['job']}.")
    for error in [[result["error"]]] if result["error"] else result["errors"]:
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
    out.print(_records(len(rows)))


def _records(number: int) -> str:
    return f"{number:,} {'record' if number == 1 else 'records'}"


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
