"""A home and an org of their own, put back to the moment before the first write for each case."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.config import PROJECT
from pipelines.errors import InternalError
from pipelines.local_org import control
from prove.batch import DAY, NOTHING, Contents, Size, contents_of, lay, project_at
from prove.steps import kind_of

HOOK = Path(__file__).parent / "hook"
RUNS = 12
"""After so many runs a batch that does not come to its end counts as stuck."""

PATIENCE = "4"  # seconds until a job that hangs is left to the next run

REFUSED = 2
NOTHING_TO_UNDO = ("was undone already", "was never applied", "wrote nothing that could")
"""What an undo says that has nothing left to do, and its exit code."""


@dataclass(frozen=True)
class Ended:
    """How one case ended.

    Attributes:
        case: what was done to it.
        group: the line of the table it belongs to.
        lost: records that an uninterrupted run makes and that are not there.
        doubled: records that are there and that an uninterrupted run does not make.
        again: records that were written more than once.
        runs: how many runs it took; the last one succeeded unless ``stuck``.
        stuck: what stopped the last run; empty when it came to its end.
    """

    case: str
    group: str
    lost: int
    doubled: int
    again: int
    runs: int
    stuck: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled or sent twice, and the batch was finished."""
        return not (self.lost or self.doubled or self.again or self.stuck)


@dataclass
class Worker:
    """Runs cases one after the other.

    Attributes:
        folder: for everything.
        size: of the batch.
        steps: the steps of an uninterrupted apply.
        expected: what it makes.
        output: what the last process wrote to standard error.
    """

    folder: Path
    size: Size
    steps: list[str] = field(default_factory=list)
    expected: Contents | None = None
    output: str = ""

    @property
    def home(self) -> Path:
        """Where the cases run."""
        return self.folder / "home"

    @property
    def org(self) -> Path:
        """The folder of the org, which is none of what is put back."""
        return self.home / "local_org"

    def prepare(self) -> None:
        """Plan the batch, keep that moment, and see what an uninterrupted run does from there."""
        project = lay(self.home, self.size)
        control.start(self.org, faults=True)
        self.must("plan")
        shutil.copytree(self.home, self.folder / "planned", ignore=_no_org)
        self.must("apply")
        self.steps = self.steps_of_run()
        self.expected = contents_of(project)

    def close(self) -> None:
        """End the org."""
        control.stop(self.org)

    def put_back(self) -> None:
        """An empty org, and a home in which the batch was just planned."""
        control.stop(self.org)
        for path in self.home.iterdir():
            if path != self.org:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.folder / "planned", self.home, dirs_exist_ok=True)
        control.reset(self.org)
        (self.org / "faults.json").unlink(missing_ok=True)
        control.start(self.org, faults=True)
        control.inject(self.org)

    def killed_at(self, step: int) -> Ended:
        """Kill the apply before a step, then finish: every other time by the same plan."""
        self.put_back()
        name = self.kill("apply", DAY, step)
        return self.finished(f"step {step}", f"killed: {name}", ["apply", "all"][step % 2])

    def undone_half_way(self, step: int) -> Ended:
        """Kill the apply before a step, then undo what it has written: nothing is left."""
        self.put_back()
        self.kill("apply", DAY, step)
        case = f"step {step}, then undone"
        return self.finished(case, "killed: and undone instead", "undo", "undo", expected=NOTHING)

    def killed_after(self, seconds: float) -> Ended:
        """Kill the apply at an instant that has nothing to do with its steps."""
        self.put_back()
        ended = self.run("apply", DAY, kill_after=seconds)
        case = f"after {seconds:.2f} s" + ("" if ended else ", too late")
        return self.finished(case, "killed: at random instants", "all")

    def faulty(self, name: str, group: str, faults: Sequence[Mapping[str, object]]) -> Ended:
        """Arm faults, then run until the batch is finished."""
        self.put_back()
        control.inject(self.org, *map(dict, faults))
        return self.finished(name, group, "apply")

    def command_steps(self) -> int:
        """How many steps ``causeway sync`` takes from its start to its end."""
        self.put_back()
        self._sync({"PROVE_FROM_START": "1"})
        return len(self.steps_of_run())

    def command_killed_at(self, step: int) -> Ended:
        """Kill ``causeway sync`` itself, then give the command again."""
        self.put_back()
        self._sync({"PROVE_KILL_AT": str(step), "PROVE_FROM_START": "1"})
        code, runs = -1, 0
        while runs < RUNS and code:
            code, runs = self._sync({}), runs + 1
        stuck = self.output if code else ""
        group = "killed: `causeway sync` as people run it"
        return self._judged(f"step {step}", group, runs, stuck, self.expected)

    def _sync(self, more: Mapping[str, str]) -> int:
        return self.causeway(["sync", "--batch", str(DAY)], more)

    def causeway(self, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> int:
        """Give a command; returns its exit code, and keeps its ``output``."""
        command = [Path(sys.executable).with_name("causeway"), *arguments]
        return self._process(command, more or {})

    def kill(self, what: str, day: date, step: int) -> str:
        """Kill before a step what runs; what kind of step that is."""
        code = self.run(what, day, {"PROVE_KILL_AT": str(step)})
        if code == 0 and (last := len(self.steps_of_run())) < step:
            # A slow machine asks more often than a fast one; then the last step is the one.
            self.put_back()
            return self.kill(what, day, last)
        if code != -signal.SIGKILL:
            raise RuntimeError(f"step {step} was never reached: exit {code}: {self.output}")
        return kind_of(self.steps_of_run()[step - 1])

    def must(self, what: str, day: date = DAY) -> None:
        """Run what has to succeed."""
        if code := self.run(what, day, {"PROVE_PATIENCE": "300"}):
            raise RuntimeError(f"an uninterrupted run ended with {code}: {self.output}")

    def steps_of_run(self) -> list[str]:
        """The steps of the last run."""
        return self._steps_file.read_text().splitlines()

    def contents(self) -> Contents:
        """What the org holds."""
        return contents_of(project_at(self.home))

    def run(
        self, what: str, day: date, more: Mapping[str, str] | None = None,
        kill_after: float | None = None,
    ) -> int:  # fmt: skip
        """Run stages in a process of its own; returns its exit code, and keeps its ``output``."""
        command = [sys.executable, "-m", "prove.chain", str(self.home), what, str(day)]
        return self._process(command, more or {}, kill_after)

    def _process(
        self, command: Sequence[str | Path], more: Mapping[str, str],
        kill_after: float | None = None,
    ) -> int:  # fmt: skip
        self._steps_file.unlink(missing_ok=True)
        environ = {
            **os.environ,
            "PYTHONPATH": f"{HOOK}{os.pathsep}{PROJECT}",
            "CAUSEWAY_HOME": str(self.home),
            "CAUSEWAY_MAPPINGS": str(self.home / "mappings"),
            "PROVE_HOME": str(self.home),
            "PROVE_STEPS": str(self._steps_file),
            "PROVE_PATIENCE": PATIENCE,
            **more,
        }
        environ.pop("DAGSTER_HOME", None)
        with subprocess.Popen(  # noqa: S603 - our own command
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            if kill_after is not None:
                timer = threading.Timer(kill_after, process.kill)
                timer.start()
            _, self.output = process.communicate(timeout=300)
            if kill_after is not None:
                timer.cancel()
        if "Traceback" in self.output:
            raise RuntimeError(self.output)
        return process.returncode

    @property
    def _steps_file(self) -> Path:
        return self.folder / "steps"

    def finished(
        self, case: str, group: str, first: str, then: str = "all", day: date = DAY,
        expected: Contents | None = None,
    ) -> Ended:  # fmt: skip
        """Run again until nothing is left to do; the first time perhaps something else."""
        what, runs = first, 0
        code = -1
        while code and runs < RUNS:
            if control.status(self.org)["pid"] is None or "still InProgress" in self.output:
                control.stop(self.org)
                control.start(self.org, faults=True)
            code = self.run(what, day)
            if code == REFUSED and any(words in self.output for words in NOTHING_TO_UNDO):
                code = 0
            what, runs = then, runs + 1
        return self._judged(
            case, group, runs, self.output if code else "", expected or self.expected
        )

    def _judged(
        self, case: str, group: str, runs: int, stuck: str, expected: Contents | None
    ) -> Ended:
        if not control.status(self.org)["running"]:
            control.start(self.org, faults=True)
        control.inject(self.org)  # what is left of the faults must not hit who counts
        contents = self.contents()
        if expected is None:
            raise InternalError("a case was run before the worker was prepared")
        return Ended(
            case=case,
            group=group,
            lost=expected.lost(contents),
            doubled=contents.lost(expected),
            again=contents.again,
            runs=runs,
            stuck=stuck.strip(),
        )


def _no_org(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "local_org"]
