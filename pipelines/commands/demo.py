"""``causeway demo``: two days of sample data, from files to records, with nothing to set up."""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipelines.commands import failures
from pipelines.commands.environment import command, current_project, err, out, readable_path, today
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.commands.sync import Synced
    from pipelines.project import Project


EXPLAINED = "amelie.girard@blueheron.example"
"""Somebody whom four sources know."""

RECORDS = "select Name, Account.Name, Email from Contact limit 9"


def demo() -> None:
    """Bring two days of sample data into a Salesforce org on this machine.

    No account, no key, no question. The org, the inputs and all results stay in the home; a
    second run changes nothing. The samples hold a few bad rows on purpose, to show what happens
    to them. It ends with the proof of what was written, and with the undo of it, as a plan only.

      causeway demo
      causeway --home /tmp/second demo
    """
    if os.environ.get("CAUSEWAY_ORG"):
        raise ConfigError("the demo writes to the local org only; unset CAUSEWAY_ORG first")
    from pipelines.commands.show import tables
    from pipelines.commands.sync import run
    from pipelines.demo.inputs import demo_days, write_inputs
    from pipelines.local_org import control
    from pipelines.rights import make_home

    project = current_project()
    make_home(project)
    org = control.start(project.local_org)
    err.print(f"Local Salesforce org on {org['https_url']}", markup=False)
    days = demo_days(project.inbox, today(project))
    written = write_inputs(project.inbox, days)
    if written:
        err.print(f"{len(written)} sample files in {readable_path(project.inbox)}", markup=False)

    done = []
    for day in days:
        synced = run(project, day)
        if synced.stopped is not None:
            raise typer.Exit(synced.exit_code)
        done.append(synced)
        out.print(f"\n[bold]Batch {day}[/bold]")
        out.print(tables(synced.found))

    surprises = _surprises(done)
    _show_bad_rows(done)
    _show_proof(project)
    _show_undo(project)
    _show_next_steps(project, done)
    for surprise in surprises:
        err.print(surprise, style="red", markup=False)
    raise typer.Exit(failures.SOME_ROWS if surprises else failures.OK)


def _surprises(done: list[Synced]) -> list[str]:
    """What differs from what the sample data must give; sources of the user's own may differ."""
    from pipelines.demo.days import HEADERS, planted

    messages = []
    samples = sorted({source for source, _ in HEADERS})
    for number, synced in enumerate(done):
        expected = planted(number)
        rejected = Counter({name: rows.rejected for name, rows in synced.found.sources.items()})
        messages += [
            f"{synced.found.batch}: {name} should have {expected[name]} bad rows,"
            f" not {rejected[name]}"
            for name in samples
            if expected[name] != rejected[name]
        ]
        messages += [
            f"{synced.found.batch}: {counts.rejected} rejected and {counts.held} held as {name}"
            for name, counts in synced.found.objects.items()
            if counts.rejected or counts.held
        ]
    return messages


def _show_bad_rows(done: list[Synced]) -> None:
    from pipelines.demo.days import PLANTED

    bad = sum(rows.rejected for synced in done for rows in synced.found.sources.values())
    out.print(f"\nThe samples hold {len(PLANTED)} bad rows on purpose; {bad} were rejected:")
    for row in PLANTED:
        day: date = done[row.day].found.batch
        out.print(f"  {day}  {row.source:<17} {row.what}", markup=False)


def _show_proof(project: Project) -> None:
    """All that was ever written from this home, read back from the org."""
    from pipelines.apply.proofs import proven
    from pipelines.commands.prove import proof_table

    out.print("\n[bold]Proof[/bold]: what was written, read back")
    out.print(proof_table(proven(project)))


def _show_undo(project: Project) -> None:
    """What the newest plan that wrote anything could take back; nothing of it is done."""
    from pipelines.apply.proofs import newest_proven
    from pipelines.commands.undo import org_lock
    from pipelines.plan.sweep import remove_plans
    from pipelines.undo.make import describe_undos, plan_undo

    with org_lock(project):
        plan = newest_proven(project)
        if plan is None:
            return
        inverse = plan_undo(project, plan.plan_id)
        remove_plans(project, [inverse.plan_id])  # nobody asked for it to be kept
    out.print(
        "\n[bold]Undo[/bold]: the last plan that wrote would be taken back by"
        f" {describe_undos([inverse])}"
    )
    out.print(f"  {_typed(project)} undo {plan.plan_id}", markup=False)


def _typed(project: Project) -> str:
    home_option = f" --home {readable_path(project.home)}" if "CAUSEWAY_HOME" in os.environ else ""
    return f"{command()}{home_option}"


def _show_next_steps(project: Project, done: list[Synced]) -> None:
    if not any(synced.found.written for synced in done):
        out.print("\n[bold green]Nothing changed:[/bold green] everything was there already.")
    typed = _typed(project)
    out.print("\n[bold]Where to look next[/bold]")
    for description, command_line in (
        ("lineage, runs and checks in Dagster", f"{typed} ui"),
        ("the people found, in DuckDB", _people_typed(project)),
        ("the records in the org", f'{typed} org query "{RECORDS}"'),
        ("why a record looks as it does", f"{typed} explain Contact {EXPLAINED}"),
        ("the bad rows, to repair", f"{typed} rejects export --batch {done[0].found.batch}"),
        ("what a Contact is made from", f"{typed} mapping show contact --lineage"),
    ):
        out.print(f"  {description:<37} {command_line}", markup=False)


def _people_typed(project: Project) -> str:
    """A look at a relation with what is installed here, as few have DuckDB's own command."""
    path = readable_path(project.home / "causeway.duckdb")
    look = f"import duckdb; duckdb.connect('{path}', True).sql('from people').show()"
    return f'{readable_path(Path(sys.executable))} -c "{look}"'
