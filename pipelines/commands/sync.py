"""``causeway sync``: batches from the inbox into Salesforce."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands import failures
from pipelines.commands.chosen import OfObject, OfSource, Only, chosen
from pipelines.commands.environment import (
    Json,
    command,
    current_project,
    err,
    out,
    print_json,
    strays,
    today,
)
from pipelines.errors import ConfigError, InputError
from pipelines.files import write

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.summary import Summary

DAY = ["%Y-%m-%d"]


@dataclass(frozen=True)
class Synced:
    """How one batch went.

    Attributes:
        found: its numbers; of a run that was stopped, those of the run before.
        exit_code: 0 all well, 1 some rows rejected or held or a file refused, else what stopped it.
        stopped: the step at which it stopped, and why; none of a run that came to its end.
    """

    run_id: str
    found: Summary
    exit_code: int
    stopped: tuple[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """As plain data for scripts; a stopped run has no numbers."""
        facts: dict[str, Any] = {"run_id": self.run_id, "exit_code": self.exit_code}
        if self.stopped is None:
            return facts | self.found.document()
        step, error = self.stopped
        return facts | {"batch": str(self.found.batch), "failed_step": step, "error": error}


def sync(  # noqa: PLR0913 - one parameter per option
    *,
    batch: Annotated[
        datetime | None,
        typer.Option(formats=DAY, metavar="DAY", help="One batch, such as 2026-11-05."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every batch of the inbox, in order.")
    ] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Stop before the first write to Salesforce.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Send nothing of an object once a record of it changed since the plan."
        ),
    ] = False,
    only: Only = None,
    source: OfSource = None,
    object_name: OfObject = None,
    as_json: Json = False,
) -> None:
    """Bring batches from the inbox into Salesforce; without options, the newest one.

    A batch is what lies in inbox/<source>/<day>/ for all sources. Running it again is always
    safe: what is in Salesforce already is not sent again. What --only, --source and --object leave
    out is not lost: the next sync without them brings it.

      causeway sync --batch 2026-11-05 --plan-only     what would change
      causeway sync --batch 2026-11-05                 change it
      causeway sync --only fair:7 --only ada@acme.org  these two people, and their accounts
      causeway sync --source fair --object Lead        the Leads of one source
      causeway sync --all --json                       for scripts
    """
    if batch is not None and every:
        raise typer.BadParameter("give --batch or --all, not both")
    if only and every:
        raise typer.BadParameter("--only chooses within one batch; give --batch, not --all")
    if strict:
        os.environ["CAUSEWAY_STRICT"] = "1"
    project = current_project()
    choice = chosen(project, only=only, source=source, objects=object_name)
    if choice:
        project = replace(project, choice=choice)
    for stray in strays(project):
        err.print(f"not read: {stray}", style="yellow", markup=False)
    days = [_known(project, batch.date())] if batch else _days(project, every=every)
    done = []
    for day in days:
        synced = run(project, day, plan_only=plan_only)
        done.append(synced)
        if not as_json and synced.stopped is None:
            _show(project, synced, plan_only=plan_only)
        if synced.stopped is not None:
            break
    if as_json:
        documents = [synced.document() for synced in done]
        print_json({"batches": documents} if every else documents[0])
    raise typer.Exit(max(synced.exit_code for synced in done))


def run(project: Project, day: date, *, plan_only: bool = False) -> Synced:
    """Run one batch with progress, tell what stopped it, and count it."""
    from pipelines.commands.progress import watch
    from pipelines.stages import run_batch
    from pipelines.summary import summary

    with watch(project, f"Batch {day}", plan_only=plan_only) as watcher:
        result = run_batch(project, day, plan_only=plan_only, on_event=watcher)
    found = summary(project, day)
    if result.success:
        code = failures.SOME_ROWS if found.incomplete else failures.OK
        synced = Synced(result.run_id, found, code)
    else:
        step = result.failed_step or "the start"
        err.print(f"Batch {day} stopped at {step}:", style="bold red")
        code = failures.report(result.error) if result.error else failures.AGAIN
        synced = Synced(result.run_id, found, code, (step, str(result.error or "")))
    remember(project, synced)
    return synced


def remember(project: Project, synced: Synced) -> None:
    """Keep how the newest run of a batch went, and what stopped it, for ``status``."""
    path = project.home / "runs" / f"{synced.found.batch}.json"
    facts: dict[str, Any] = {"run_id": synced.run_id, "exit_code": synced.exit_code}
    if synced.stopped is not None:
        facts["failed_step"], facts["error"] = synced.stopped
    write(path, json.dumps(facts) + "\n")


def _days(project: Project, *, every: bool) -> list[date]:
    """All batches of the inbox, or the newest."""
    from pipelines.sources.inbox import batches

    first, last = project.policies.batches.start, today(project)
    days = [day for day in batches(project.sources, project.inbox) if first <= day <= last]
    if not days:
        message = "no batch is there; put files into <source>/<YYYY-MM-DD>/ below this folder"
        raise InputError.at(project.inbox, None, message)
    return days if every else days[-1:]


def _known(project: Project, day: date) -> date:
    first, last = project.policies.batches.start, today(project)
    if not first <= day <= last:
        raise ConfigError(
            f"{day} is no batch: they run from {first} to {last}"
            f" (batches in {project.mappings / 'policies.yaml'})"
        )
    from pipelines.sources.inbox import files
    from pipelines.summary import batches

    # A day that has landed may be emptied: so a batch is withdrawn.
    if day not in batches(project.warehouse) and not files(project.sources, project.inbox, day):
        message = (
            f"nothing lies in the inbox for this day, {day};"
            f" put files into <source>/{day}/ below this folder"
        )
        raise InputError.at(project.inbox, None, message)
    return day


def _show(project: Project, synced: Synced, *, plan_only: bool) -> None:
    from pipelines.commands.show import tables
    from pipelines.sync.mapping.folder import of_object
    from pipelines.sync.mapping.model import relation

    out.print(tables(synced.found, plan_only=plan_only))
    rejected = sum(counts.rejected for counts in synced.found.sources.values())
    if rejected:
        out.print(
            f"\n{rejected} {'row was' if rejected == 1 else 'rows were'} rejected."
            f" Why, and to repair: {command()} rejects export --batch {synced.found.batch}"
        )
    if synced.found.waiting:
        out.print(f"\n{_waiting(synced.found)}", markup=False)
    if synced.found.skipped:
        out.print(f"\n{_skipped(synced.found)}", markup=False)
    if synced.found.unselected:
        out.print(f"\n{_unselected(synced.found.unselected)}", markup=False)
    for name, rows in synced.found.left_out.items():
        mappings = of_object(project.object_mappings, name)
        relations = " and ".join(relation("sf", mapping.stem) for mapping in mappings)
        out.print(
            f"\n{rows:,} {name} {'record goes' if rows == 1 else 'records go'} without a country or"
            " state that the org does not list (addresses, in policies.yaml). Which:"
            f" select key, _left_out from {relations} where _left_out is not null"
        )


def _skipped(found: Summary) -> str:
    """What the choice of the run left out, and by which option."""
    rows = sum(sum(reasons.values()) for reasons in found.skipped.values())
    listed = "; ".join(
        f"{count:,} {name} {reason}"
        for name, reasons in found.skipped.items()
        for reason, count in reasons.items()
    )
    head = f"{rows:,} {'record waits' if rows == 1 else 'records wait'}: {listed}."
    return f"{head} The next {command()} sync without such options brings them."


def _unselected(people: int) -> str:
    who = "1 person is" if people == 1 else f"{people:,} people are"
    return (
        f"{who} not selected (select and as: none, in sources.yaml): nothing but an opt-out is"
        " written of them. Who: select * from people where not selected"
    )


def _waiting(found: Summary) -> str:
    """What waits and what lets it go, in one line: a reason says so, or a decision does."""
    rows = sum(sum(reasons.values()) for reasons in found.waiting.values())
    counted = [
        (count, name, reason)
        for name, reasons in found.waiting.items()
        for reason, count in reasons.items()
    ]
    _, name, reason = max(counted, key=lambda one: (one[0], -len(one[2])))
    words = [f"{rows:,} {'record waits' if rows == 1 else 'records wait'}. {name}: {reason}."]
    if len(counted) > 1:
        words.append(f"All reasons: {command()} plan --only holds.")
    if found.undecided:
        words.append(f"{found.undecided:,} to decide: {command()} plan --only reviews.")
    return " ".join(words)
