"""What a run of a batch is: its parts one after the other, watched, under the locks.

Knows nothing of the orchestrator. What the parts are stands in ``pipelines.stages``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines import locks
from pipelines.batch import Batch
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.upgrade import upgrade
from pipelines.warehouse import Written

OnEvent = Callable[[str, str, int], None]
"""Gets a relation, part or stage, what became of it ("start", "success" or "failure"), and rows."""


def _ignored(_text: str) -> None:
    """Nobody reads it."""


@dataclass(frozen=True)
class Run:
    """One run of one batch, as every part of it is given.

    Attributes:
        project: whose data and org.
        day: the batch.
        run_id: who holds the locks, and what an undo may name; empty where nobody asks for it.
        note: gets a line of what goes on.
    """

    project: Project
    day: date
    run_id: str = ""
    note: Callable[[str], None] = _ignored

    @property
    def batch(self) -> Batch:
        """What one step works with; the step before may have changed what it says."""
        return Batch(self.project, self.day)


@dataclass(frozen=True)
class Made:
    """One relation that was just made, and what its maker found besides, a type per stage."""

    written: Written
    found: Any = None


@dataclass(frozen=True)
class Part:
    """Relations that are made at once.

    Attributes:
        name: what people are told of while it goes on, and where it fails.
        relations: what it makes; none of what only looks.
        make: makes them; each counts as made once the next is asked for.
    """

    name: str
    relations: tuple[str, ...]
    make: Callable[[Run], Iterable[Made]]


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: also of its group of assets.
        parts: what it makes of a project, in an order in which each finds what it reads.
        to_org: whether it takes turns on one org; the stages before may run side by side.
        writes: whether it comes after the first write to the org.
    """

    name: str
    parts: Callable[[Project], list[Part]]
    to_org: bool = True
    writes: bool = False


@dataclass(frozen=True)
class RunResult:
    """How one run of a batch ended.

    Attributes:
        run_id: of it; of a run of Dagster's, Dagster's.
        success: whether every stage succeeded.
        failed_step: the first relation, part or stage that did not.
        error: what it raised.
    """

    run_id: str
    success: bool
    failed_step: str | None = None
    error: BaseException | None = None


watchers: dict[str, OnEvent] = {}
"""Run id → who is told how it goes on."""

failures: dict[str, tuple[str, BaseException]] = {}
"""Run id → what failed first, and what it raised; Dagster itself keeps only the text."""


@contextmanager
def watching(run_id: str, on_event: OnEvent | None) -> Iterator[None]:
    """Tell how a run of this process goes on, and free what it holds at its end."""
    if on_event is not None:
        watchers[run_id] = on_event
    try:
        yield
    finally:
        locks.release(run_id)
        watchers.pop(run_id, None)
        failures.pop(run_id, None)


@contextmanager
def watched(run: Run, name: str) -> Iterator[None]:
    """Tell of the start of a stage or part, and of the failure that stopped the run."""
    _tell(run, name, "start")
    try:
        yield
    except GeneratorExit:  # who asked for what was made has failed, not who made it
        raise
    except BaseException as error:
        if run.run_id not in failures:
            failures[run.run_id] = name, error
            _tell(run, name, "failure")
        raise


def done(run: Run, made: Made) -> None:
    """Tell of a relation that was made."""
    _tell(run, made.written.relation, "success", made.written.rows)


def _tell(run: Run, name: str, kind: str, rows: int = 0) -> None:
    if run.run_id in watchers:
        watchers[run.run_id](name, kind, rows)


def hold(run: Run, stage: Stage) -> None:
    """Take the locks that a stage needs, which stay the run's to its end; make sure of a home."""

    def wait(text: str) -> None:
        run.note(text)
        locks.tell(text)

    upgrade(run.project)
    names = [f"{run.day}.lock"]
    if stage.to_org:
        names.append(f"org-{run.project.org_name or 'local'}.lock")
    for name in names:
        locks.take(run.project.home / "locks" / name, run.run_id, wait)
    prepare(run.project)
