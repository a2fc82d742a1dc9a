"""``causeway status``: what landed, who was found, what Salesforce holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.environment import (
    Json,
    command,
    current_project,
    out,
    print_json,
    readable_path,
)
from pipelines.files import read_json, reading

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.summary import Summary

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

    project = current_project()
    days = batches(project.warehouse)
    if not days:
        if as_json:
            print_json({"batch": None, "run_id": None, "batches": []})
        else:
            out.print(f"Nothing has landed in {project.home} yet. Try: causeway demo", markup=False)
        return
    day = batch.date() if batch else days[-1]
    batch_summary = summary(project, day)
    run = _last_run(project, day)
    if as_json:
        listed = [known_day.isoformat() for known_day in days]
        print_json({**run, **batch_summary.document(), "batches": listed})
        return
    from pipelines.commands.show import tables

    out.print(f"[bold]Batch {day}[/bold], one of {len(days)} in {readable_path(project.home)}")
    out.print(tables(batch_summary))
    _rejections(batch_summary)
    _waiting(project)
    if "failed_step" in run:
        out.print(f"\n[bold red]Its newest run stopped at {run['failed_step']}:[/bold red]")
        out.print(run["error"], markup=False)
    out.print(
        f"\nAll of it in DuckDB: {readable_path(project.home / 'causeway.duckdb')}", markup=False
    )


def _rejections(found: Summary) -> None:
    """Why rows of the batch were rejected, the most frequent reason first."""
    counts = [
        (rows, source, reason)
        for source, reasons in found.rejections.items()
        for reason, rows in reasons.items()
    ]
    counts.sort(key=lambda one: (-one[0], one[1:]))
    for place, (rows, source, reason) in enumerate(counts[:REASONS]):
        head = "\n" if place == 0 else ""
        out.print(f"{head}{rows:>7,} {source} rejected: {reason}", markup=False)
    if len(counts) > REASONS:
        more = len(counts) - REASONS
        out.print(f"        … and {more} other reasons: {command()} rejects list", markup=False)


def _waiting(project: Project) -> None:
    """Why records wait, whichever batch brought them; a reason often names a record."""
    from pipelines.plan.waiting import counted

    reasons = counted(project)
    for place, (name, outcome, code, message, rows) in enumerate(reasons[:REASONS]):
        refusal = ": ".join(filter(None, (code, message)))
        head = "\n" if place == 0 else ""
        out.print(f"{head}{rows:>7,} {name:<8} {outcome}: {refusal}", markup=False)
    if len(reasons) > REASONS:
        more = len(reasons) - REASONS
        out.print(f"        … and {more} other reasons: {command()} waiting list", markup=False)


def _last_run(project: Project, day: date) -> dict[str, Any]:
    path = project.home / "runs" / f"{day}.json"
    if not path.exists():
        return {"run_id": None}
    facts = read_json(path)
    with reading(path):
        if "failed_step" in facts:
            str(facts["error"])
        return {"run_id": facts.pop("run_id"), "exit_code": int(facts.pop("exit_code")), **facts}
