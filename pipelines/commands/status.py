"""``causeway status``: what landed, who was found, what Salesforce holds."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.environment import Json, command, out, print_json, project, shown

if TYPE_CHECKING:
    from pipelines.project import Project

REASONS = 6


def status(
    batch: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="A batch; by default the newest."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what became of a batch, and where to look at it; nothing is run or changed.

    causeway status
    causeway status --batch 2026-11-05 --json
    """
    from pipelines.summary import batches, summary

    here = project()
    days = batches(here.warehouse)
    if not days:
        if as_json:
            print_json({"batch": None, "run_id": None, "batches": []})
        else:
            out.print(f"Nothing has landed in {here.home} yet. Try: causeway demo", markup=False)
        return
    day = batch.date() if batch else days[-1]
    found = summary(here, day)
    run = _last_run(here, day)
    if as_json:
        listed = [known.isoformat() for known in days]
        print_json({**run, **found.document(), "batches": listed})
        return
    from pipelines.commands.show import tables

    out.print(f"[bold]Batch {day}[/bold], one of {len(days)} in {shown(here.home)}")
    out.print(tables(found))
    _waiting(here)
    if "failed_step" in run:
        out.print(f"\n[bold red]Its newest run stopped at {run['failed_step']}:[/bold red]")
        out.print(run["error"], markup=False)
    out.print(f"\nAll of it in DuckDB: {shown(here.home / 'causeway.duckdb')}", markup=False)


def _waiting(here: Project) -> None:
    """Why records wait, whichever batch brought them; a reason often names a record."""
    from pipelines.plan.waiting import counted

    reasons = counted(here)
    for place, (name, outcome, code, message, rows) in enumerate(reasons[:REASONS]):
        said = ": ".join(filter(None, (code, message)))
        head = "\n" if place == 0 else ""
        out.print(f"{head}{rows:>7,} {name:<8} {outcome}: {said}", markup=False)
    if len(reasons) > REASONS:
        more = len(reasons) - REASONS
        out.print(f"        … and {more} other reasons: {command()} rejects list", markup=False)


def _last_run(here: Project, day: date) -> dict[str, Any]:
    path = here.home / "runs" / f"{day}.json"
    if not path.exists():
        return {"run_id": None}
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts
