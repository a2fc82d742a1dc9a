"""What a run without the orchestrator leaves behind, line by line, for the orchestrator to record.

    <home>/runs/log/<run_id>.jsonl   until it is recorded
    <home>/locks/runs/<run_id>.lock  held while the run lives, and freed even by kill -9

To import the orchestrator and to store hundreds of events would cost a small batch more than all of
its stages. So a run keeps its facts in a file that costs nothing, and whoever opens the
orchestrator has them recorded there, with the times at which they happened.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipelines import locks
from pipelines.describe.description import Description
from pipelines.files import NOT_OURS
from pipelines.run import Part, Run

KEPT = 90 * 24 * 3600.0
"""Seconds after which a log goes that nobody has recorded: no Dagster is in use there."""


def folder(home: Path) -> Path:
    """Where the logs of runs wait to be recorded."""
    return home / "runs" / "log"


def alive(home: Path) -> Path:
    """Where the locks of runs lie that go on."""
    return home / "locks" / "runs"


def waiting(home: Path) -> bool:
    """Whether runs may have to be recorded."""
    return any(any(place.glob("*")) for place in (folder(home), alive(home)))


@dataclass(frozen=True)
class RunLog:
    """The log of a run that goes on."""

    file: IO[str]

    @classmethod
    @contextmanager
    def begun(cls, run: Run, *, plan_only: bool) -> Iterator[RunLog]:
        """Write the log of a run from its start to its end, however it ends."""
        lock = alive(run.project.home) / f"{run.run_id}.lock"
        locks.take(lock, run.run_id, locks.tell)
        path = folder(run.project.home) / f"{run.run_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob("*.jsonl"):
            if time.time() - old.stat().st_mtime > KEPT:
                old.unlink(missing_ok=True)
        with path.open("w", encoding="utf-8") as file:
            log = cls(file)
            log._note("begun", run_id=run.run_id, batch=str(run.day), plan_only=plan_only)
            try:
                yield log
            except BaseException as error:  # also one that somebody has interrupted
                log._note("ended", error=str(error) or type(error).__name__)
                raise
            else:
                log._note("ended", error=None)
            finally:
                lock.unlink(missing_ok=True)

    def started(self, part: Part) -> None:
        """Note that a part has started, or its stage, which cannot make it without locks."""
        self._note("started", relation=part.relations[0])

    def made(self, description: Description) -> None:
        """Note what is known of a relation that was just made."""
        self._note("made", description=description.document())

    def _note(self, event: str, **facts: Any) -> None:
        # Flushed, for whoever looks after a kill; a torn last line counts for nothing.
        self.file.write(json.dumps({"at": time.time(), "event": event, **facts}) + "\n")
        self.file.flush()


@dataclass
class PastStep:
    """The part of a past run that makes some relations.

    Attributes:
        started: seconds since the epoch; so is ``ended``.
        made: when each was made, and what is known of it.
    """

    started: float
    ended: float
    made: list[tuple[float, Description]] = field(default_factory=list)


@dataclass(frozen=True)
class PastRun:
    """A run that has ended, or whose process has.

    Attributes:
        started: seconds since the epoch; so is ``ended``.
        plan_only: whether it was to stop before the first write.
        steps: by name, in the order in which they started.
        failed: the step that did not succeed.
        error: what stopped the run.
    """

    run_id: str
    batch: str
    started: float
    ended: float
    plan_only: bool
    steps: Mapping[str, PastStep]
    failed: str | None
    error: str | None


FACTS = {
    "begun": ("run_id", "batch", "plan_only"),
    "started": ("relation",),
    "made": ("description",),
    "ended": ("error",),
}
"""Event → what its line says besides, and when."""

DIED = "The process of this run died. The next run of the batch goes on where it stopped."


def read(path: Path, steps: Mapping[str, str]) -> PastRun | None:
    """The run of a log; none where it died before it had written who it is.

    Args:
        path: of the log.
        steps: relation → the step that makes it.
    """
    lines = list(_lines(path))
    if not lines:
        return None
    begun, *_ = lines
    found: dict[str, PastStep] = {}
    last, error = None, DIED
    for line in lines:
        at = line["at"]
        if line["event"] == "started":
            last = steps.get(line["relation"])
            if last is not None:
                found.setdefault(last, PastStep(at, at)).ended = at
        elif line["event"] == "made":
            description = Description.of_document(line["description"])
            step = steps.get(description.relation)  # a mapping may have gone since
            if step is not None:
                found[step].ended = at
                found[step].made.append((at, description))
        elif line["event"] == "ended":
            error = line["error"]
    failed = None if error is None else last
    if failed is not None:
        found[failed].ended = lines[-1]["at"]
    return PastRun(
        begun["run_id"],
        begun["batch"],
        begun["at"],
        lines[-1]["at"],
        begun["plan_only"],
        found,
        failed,
        error,
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for number, line in enumerate(text.splitlines()):
        try:
            facts = dict(json.loads(line))
            needed = ("at", "event", *FACTS[facts["event"]])
            yield {name: facts[name] for name in needed}
        except NOT_OURS:  # the process died in the middle of it
            return
        if number == 0 and facts["event"] != "begun":
            return
