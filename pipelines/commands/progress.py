"""Shows a run as it goes on: a bar per stage in a terminal, a line per stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from pipelines.commands.environment import err

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.run import OnEvent

_DESCRIBES = ("org_schema", "org_place")
"""What tells of the org's fields; people take a count of rows of the org for one of its records."""


@contextmanager
def watch(project: Project, title: str, *, plan_only: bool = False) -> Iterator[OnEvent]:
    """Show a run of all stages, or of all before the first write, on standard error."""
    totals = _totals(project, plan_only=plan_only)
    if not err.is_terminal:
        err.print(title, markup=False)
        yield _Lines(totals)
        return
    columns = (
        TextColumn("  {task.description:<9}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[now]}[/dim]"),
    )
    err.print(f"[bold]{title}[/bold]")
    with Progress(*columns, console=err, transient=True) as progress:
        yield _Bars(progress, totals)


def _totals(project: Project, *, plan_only: bool) -> dict[str, int]:
    """Stage → how many relations it makes or proves, in order."""
    from pipelines.stages import STAGES

    return {
        stage.name: sum(len(part.relations) for part in stage.parts(project))
        for stage in STAGES.values()
        if not (plan_only and stage.writes)
    }


@dataclass
class _Lines:
    """One line for each stage, once all of it is done."""

    totals: Mapping[str, int]
    stage: str = ""
    done: int = 0
    rows: int = 0
    started: float = 0.0

    def __call__(self, name: str, kind: str, rows: int) -> None:
        if kind == "start" and name in self.totals and name != self.stage:
            self.stage, self.done, self.rows, self.started = name, 0, 0, time.monotonic()
        elif kind == "failure":
            err.print(f"  {self.stage:<9} {name} failed", markup=False)
        elif kind == "success":
            self.done += 1
            self.rows += 0 if name in _DESCRIBES else rows
            if self.done == self.totals[self.stage]:
                counted = f"{self.rows:>9,} {'fields' if self.stage == 'prove' else 'rows  '}"
                seconds = time.monotonic() - self.started
                err.print(f"  {self.stage:<9} {counted} {seconds:6.1f} s", markup=False)


class _Bars:
    """One bar for each stage, with the relation that was made last."""

    def __init__(self, progress: Progress, totals: Mapping[str, int]) -> None:
        self.progress = progress
        self.stage = ""
        self.tasks: dict[str, TaskID] = {
            stage: progress.add_task(stage, total=total, now="") for stage, total in totals.items()
        }

    def __call__(self, name: str, kind: str, rows: int) -> None:
        if kind == "start" and name in self.tasks:
            self.stage = name
        task = self.tasks[self.stage]
        if kind == "start":
            self.progress.update(task, now=name)
        elif kind == "success":
            self.progress.update(task, advance=1, now=f"{name} {rows:,} rows")
        elif kind == "failure":
            self.progress.update(task, now=f"[red]{name} failed[/red]")
