"""Shows a run as it goes on: a bar per stage in a terminal, a line per stage elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from pipelines.commands.environment import err

STAGES = ("land", "stage", "validate", "org", "resolve", "match", "map", "plan", "apply")

_PREFIXES = (
    ("raw_", "land"), ("landed", "land"), ("stg_", "stage"),
    ("valid", "validate"), ("rejected_", "validate"),
    ("org_match_", "match"), ("routes", "match"), ("org", "org"),
    ("sf_", "map"), ("plan", "plan"), ("salesforce_", "apply"),
)  # fmt: skip

_DESCRIBES = ("org_schema", "org_place")
"""What tells of the org's fields; people take a count of rows of the org for one of its records."""


def stage_of(relation: str) -> str:
    """The stage of a relation or of a step that makes several, by its name."""
    return next((stage for prefix, stage in _PREFIXES if relation.startswith(prefix)), "resolve")


class Watcher(Protocol):
    """What a run tells: an asset, what happened to it, and its metadata."""

    def __call__(self, asset: str, kind: str, metadata: Mapping[str, Any]) -> None:
        """Take one event."""


@contextmanager
def watch(relations: Iterable[str], title: str) -> Iterator[Watcher]:
    """Show the run of ``relations`` under ``title``, on standard error."""
    totals = Counter(stage_of(relation) for relation in relations)
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


@dataclass
class _Lines:
    """One line for each stage, once all of it is done."""

    totals: Counter[str]
    done: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    started: dict[str, float] = field(default_factory=dict)

    def __call__(self, asset: str, kind: str, metadata: Mapping[str, Any]) -> None:
        stage = stage_of(asset)
        self.started.setdefault(stage, time.monotonic())
        if kind == "failure":
            err.print(f"  {stage:<9} {asset} failed", markup=False)
        if kind != "success":
            return
        self.done[stage] += 1
        self.rows[stage] += 0 if asset in _DESCRIBES else _row_count(metadata)
        if self.done[stage] == self.totals[stage]:
            seconds = time.monotonic() - self.started[stage]
            err.print(f"  {stage:<9} {self.rows[stage]:>9,} rows  {seconds:6.1f} s", markup=False)


class _Bars:
    """One bar for each stage, with the relation that was made last."""

    def __init__(self, progress: Progress, totals: Counter[str]) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {
            stage: progress.add_task(stage, total=totals[stage], now="")
            for stage in STAGES
            if totals[stage]
        }

    def __call__(self, asset: str, kind: str, metadata: Mapping[str, Any]) -> None:
        task = self.tasks.get(stage_of(asset))
        if task is None:
            return
        if kind == "success":
            now = f"{asset} {_row_count(metadata):,} rows"
            self.progress.update(task, advance=1, now=now)
        elif kind == "failure":
            self.progress.update(task, now=f"[red]{asset} failed[/red]")


def _row_count(metadata: Mapping[str, Any]) -> int:
    rows = metadata.get("dagster/row_count", 0)
    return rows if isinstance(rows, int) else 0
