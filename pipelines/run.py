"""What a run of a batch is: its parts one after the other, watched, under the locks.

Knows nothing of the orchestrator. What the parts are stands in ``pipelines.stages``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from pipelines import locks
from pipelines.batch import Batch
from pipelines.describe.description import Description
from pipelines.project import Project
from pipelines.recover import recover
from pipelines.relations import prepare
from pipelines.upgrade import upgrade

OnEvent = Callable[[str, str, int], None]
"""Gets a relation, part or stage, what became of it ("start", "success" or "failure"), and rows."""


def ignore(*_: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Failure:
    """A relation, part or stage that could not be made, and what it raised."""

    name: str
    error: BaseException


@dataclass(frozen=True)
class Run:
    """One run of one batch, as every part of it is given.

    Attributes:
        project: whose data and org.
        day: the batch.
        run_id: who holds the locks, and what an undo may name; empty where nobody asks for it.
        note: gets a line of what goes on.
        on_event: is told how the run goes on.
        failures: what failed, the innermost first.
    """

    project: Project
    day: date
    run_id: str = ""
    note: Callable[[str], None] = ignore
    on_event: OnEvent = ignore
    failures: list[Failure] = field(default_factory=list)

    @property
    def batch(self) -> Batch:
        """What one step works with; the step before may have changed what it says."""
        return Batch(self.project, self.day)


@dataclass(frozen=True)
class Made:
    """A relation that was just made, or proven.

    Attributes:
        relation: its name.
        rows: how many it has; fields that were proven.
        describe: what is to be known of it, for whoever keeps it.
    """

    relation: str
    rows: int
    describe: Callable[[], Description]


@dataclass(frozen=True)
class Part:
    """Relations that are made at once.

    Attributes:
        name: what people are told of while it goes on, and where it fails.
        relations: what it makes, or proves.
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
        success: whether every stage succeeded.
        failed_step: the first relation, part or stage that did not.
        error: what it raised.
    """

    run_id: str
    success: bool
    failed_step: str | None = None
    error: BaseException | None = None


@contextmanager
def watched(run: Run, name: str) -> Iterator[None]:
    """Tell of the start of a stage or part, and of the failure that stopped the run."""
    run.on_event(name, "start", 0)
    try:
        yield
    except GeneratorExit:  # who asked for what was made has failed, not who made it
        raise
    except BaseException as error:
        if not run.failures:
            run.on_event(name, "failure", 0)
        run.failures.append(Failure(name, error))
        raise


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
    recover(run.project)
    prepare(run.project)
