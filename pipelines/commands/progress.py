"""Shows a run as it goes on: a bar per stage in a terminal, a line per stage elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
    stages = _Stages.of(project, plan_only=plan_only)
    if not err.is_terminal:
        err.print(title, markup=False)
        yield _Lines(stages)
        return
    columns = (
        TextColumn("  {task.description:<9}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[now]}[/dim]"),
    )
    err.print(f"[bold]{title}[/bold]")
    with Progress(*columns, console=err, transient=True) as progress:
        yield _Bars(progress, stages)


@dataclass(frozen=True)
class _Stages:
    """What a run is going to make.

    Attributes:
        totals: stage → how many relations it makes, in order.
        names: relation, part or stage → its stage.
    """

    totals: dict[str, int]
    names: dict[str, str]

    @classmethod
    def of(cls, project: Project, *, plan_only: bool) -> _Stages:
        from pipelines.stages import STAGES

        totals: dict[str, int] = {}
        names: dict[str, str] = {}
        for stage in STAGES.values():
            parts = stage.parts(project)
            relations = [made for part in parts for made in part.relations]
            if relations and not (plan_only and stage.writes):
                totals[stage.name] = len(relations)
                parted = (part.name for part in parts)
                names |= dict.fromkeys((stage.name, *parted, *relations), stage.name)
        return cls(totals, names)


@dataclass
class _Lines:
    """One line for each stage, once all of it is done."""

    stages: _Stages
    done: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    started: dict[str, float] = field(default_factory=dict)

    def __call__(self, name: str, kind: str, rows: int) -> None:
        stage = self.stages.names[name]
        self.started.setdefault(stage, time.monotonic())
        if kind == "failure":
            err.print(f"  {stage:<9} {name} failed", markup=False)
        if kind != "success":
            return
        self.done[stage] += 1
        self.rows[stage] += 0 if name in _DESCRIBES else rows
        if self.done[stage] == self.stages.totals[stage]:
            seconds = time.monotonic() - self.started[stage]
            err.print(f"  {stage:<9} {self.rows[stage]:>9,} rows  {seconds:6.1f} s", markup=False)


class _Bars:
    """One bar for each stage, with the relation that was made last."""

    def __init__(self, progress: Progress, stages: _Stages) -> None:
        self.progress = progress
        self.stages = stages
        self.tasks: dict[str, TaskID] = {
            stage: progress.add_task(stage, total=total, now="")
            for stage, total in stages.totals.items()
        }

    def __call__(self, name: str, kind: str, rows: int) -> None:
        task = self.tasks[self.stages.names[name]]
        if kind == "start":
            self.progress.update(task, now=name)
        elif kind == "success":
            self.progress.update(task, advance=1, now=f"{name} {rows:,} rows")
        elif kind == "failure":
            self.progress.update(task, now=f"[red]{name} failed[/red]")
