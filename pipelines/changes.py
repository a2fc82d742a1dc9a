"""Changes of a home in several steps: noted whole before the first, so that none is left half-way.

    <home>/changes/<kind>.json                       what a change needs to know, until it is made
    <home>/orgs/<organization>/changes/<kind>.json   the same of one that the org makes

Whoever dies on the way leaves the note, and the next command finishes the change or takes it back
(``pipelines.recover``; an undo, of which only the org can tell, when the org is asked next). So
each step does nothing where it was done before. Applying a plan and upgrading a home have notes of
their own: the plan's folder, and the version of the home.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import files, locks

if TYPE_CHECKING:
    from pipelines.project import Project

FOLDER = "changes"
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One kind of change.

    Attributes:
        kind: what it is called, in its note and by people.
        finish: does all of it, or the rest, or takes it back; doing it twice changes nothing.
        asks_org: whether the org makes it, under its lock, and has to be asked how far it got.
    """

    kind: str
    finish: Callable[[Project, Facts], None]
    asks_org: bool = False

    def carry_out(self, project: Project, facts: Facts) -> None:
        """Make such a change."""
        with self.noted(project, facts):
            self.finish(project, facts)

    @contextmanager
    def noted(self, project: Project, facts: Facts) -> Iterator[None]:
        """Have a note of the change while its steps are made; it stays where they fail.

        Args:
            project: whose home.
            facts: all that finishing it needs to know, as JSON can say it.
        """
        with nullcontext() if self.asks_org else _turn(project.home):
            note = self._note(project)
            files.write(note, json.dumps(facts, ensure_ascii=False) + "\n")
            yield
            note.unlink()

    def finish_pending(self, project: Project) -> None:
        """Finish what a process that died, or failed, has left of such a change."""
        if not self.is_pending(project):
            return
        with nullcontext() if self.asks_org else _turn(project.home):
            if self.is_pending(project):  # nobody else did while we waited
                note = self._note(project)
                locks.tell(f"finishing what was interrupted: {self.kind}")
                self.finish(project, files.read_json(note))
                note.unlink()

    def is_pending(self, project: Project) -> bool:
        """Whether a note of such a change is there; perhaps somebody is making it."""
        return self._note(project).exists()

    def _note(self, project: Project) -> Path:
        bound = project.bound_org if self.asks_org else None
        home = project.home if bound is None else project.org_home(bound)
        return home / FOLDER / f"{self.kind}.json"


def any_noted(home: Path) -> bool:
    """Whether there are notes of changes at all."""
    return any((home / FOLDER).glob("*.json"))


@contextmanager
def _turn(home: Path) -> Iterator[None]:
    """Changes are made one at a time; who waits for this lock finds each made or left for good."""
    run = f"change-{uuid.uuid4()}"
    locks.take(home / "locks" / "changes.lock", run, locks.tell)
    try:
        yield
    finally:
        locks.release(run)
