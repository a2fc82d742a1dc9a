"""Changes of a home in several steps, killed on the way: the next command finds the old or the new.

The home has sent two batches and taken the second back, one of its rows was refused, and some of
its plans nobody needs. It goes over to another org and back, forgets what it had undone, lets the
refused row go again, and clears its plans away.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines.local_org import control
from pipelines.project import Project
from pipelines.sync.plan.saved import HEADER, load_plan
from prove.batch import AFTER, DAY, Size, lay, lay_after, project_at
from prove.steps import kind_of
from prove.worker import Ended, Worker

REFUSED = "ID,First Name,Last Name,Email,Company\nno,Ben,Voss,ben@post.xn--p1ai,Acme\n"

COMMANDS: Mapping[str, Sequence[str]] = {
    "org switch": ("org", "switch", "--yes"),
    "org switch, back": ("org", "switch", "--yes"),
    "release": ("release",),
    "retry": ("retry",),
    "plans swept": (),
}
"""What is killed → how it is typed; nobody types what every plan does at its end."""

SMALL = Size(accounts=3, contacts=6, leads=5)
"""Changes of a home cost the same whatever it holds."""

Look = Mapping[str, Any]
"""What a home holds, as people would find it."""


@dataclass
class Changing(Worker):
    """Changes a home, and is killed.

    Attributes:
        looks: command → the home before it and after it.
        steps_of: command → its steps.
    """

    looks: dict[str, tuple[Look, Look]] = field(default_factory=dict)
    steps_of: dict[str, list[str]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the home, keep it as each command finds it, and see what each does undisturbed."""
        project = self.make_home()
        self._keep("release", "retry")
        self._make_plans_to_sweep(project)
        self._keep("plans swept")
        self.org.rename(self.folder / "first")
        self._restart()
        control.stop(self.org)
        self._keep("org switch")
        for name in COMMANDS:
            self.put_back_before(name)
            before = look(self.home)
            self._must_succeed(name)
            self.steps_of[name] = self.steps_of_run()
            self.looks[name] = (before, look(self.home))
            if name == "org switch":
                control.stop(self.org)
                shutil.rmtree(self.org)
                shutil.copytree(self.folder / "first", self.org)
                self._keep("org switch, back")

    def make_home(self) -> Project:
        """Make a home that has sent two batches, of which the second is undone; its org ends."""
        project = lay(self.home, self.size)
        self._restart()
        bad = project.inbox / "people" / str(DAY) / "bad.csv"
        bad.write_text(REFUSED, encoding="utf-8")
        self.must("all", DAY)
        lay_after(project, self.size)
        self.must("all", AFTER)
        self.must("undo", AFTER)
        control.stop(self.org)
        return project

    def put_back_before(self, name: str) -> None:
        """The home as a command finds it."""
        control.stop(self.org)
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.folder / "before" / name, self.home)
        self._restart()

    def change_killed_at(self, name: str, step: int) -> Ended:
        """Kill a command before a step, look at the home with another, then give it again."""
        self.put_back_before(name)
        self.command(name, {"PROVE_KILL_AT": str(step)})
        kind = kind_of(self.steps_of[name][step - 1])
        case = f"{name}, step {step}, {kind}"
        before, after = self.looks[name]
        wrong = self._looked_at()
        found = look(self.home)
        if not wrong and found not in (before, after):
            wrong = f"neither as before nor as after: {differing(found, before, after)}"
        if code := self.command(name):
            wrong = wrong or f"given again it ended with {code}: {self.output}"
        again = look(self.home)
        if not wrong and again != after:
            wrong = f"given again, not as after: {differing(again, after)}"
        return Ended(case, f"home killed: `causeway {name}`", 0, 0, 0, 1, wrong)

    def command(self, name: str, more: Mapping[str, str] | None = None) -> int:
        """Give a command; returns its exit code."""
        if not COMMANDS[name]:
            return self.run("sweep", AFTER, more)
        return self.causeway(COMMANDS[name], {"PROVE_FROM_START": "1", **(more or {})})

    def _looked_at(self) -> str:
        """What went wrong with a command that only looks."""
        return self.output if self.causeway(["status"]) else ""

    def _must_succeed(self, name: str) -> None:
        if code := self.command(name):
            raise RuntimeError(f"{name} ended with {code}: {self.output}")

    def _restart(self) -> None:
        self.org.mkdir(parents=True, exist_ok=True)
        control.start(self.org)

    def _keep(self, *names: str) -> None:
        for name in names:
            shutil.copytree(self.home, self.folder / "before" / name)

    def _make_plans_to_sweep(self, project: Project) -> None:
        """Let plans be there that newer ones will take the place of."""
        newest = next(iter((project.home / "orgs").glob(f"*/newest/{AFTER}")))
        applied = load_plan(project.home, newest.read_text(encoding="utf-8"))
        for number in range(2):
            copy_unsent(project.home, applied.plan_id, f"{AFTER}-{number:012}")


def copy_unsent(home: Path, plan_id: str, new_id: str) -> None:
    """A plan that was never applied, older than the one it is like."""
    folder = home / "plans" / new_id
    shutil.copytree(home / "plans" / plan_id, folder, ignore=shutil.ignore_patterns("applied"))
    header = json.loads((folder / HEADER).read_bytes())
    header |= {"created_at": "2026-11-06T00:00:00+00:00", "plan_id": new_id}
    (folder / HEADER).write_text(json.dumps(header), encoding="utf-8")


def look(home: Path) -> Look:
    """All that a home holds, as its views, its plans and its notes say."""
    project = project_at(home)
    plans = home / "plans"
    return {
        "org": project.bound_org,
        "rows": _rows(home),
        "plans": {
            path.name: sorted(str(file.relative_to(path)) for file in path.rglob("*"))
            for path in plans.iterdir()
            if path.name != str(AFTER)
        },
        "notes": sorted(str(path) for path in home.glob("**/changes/*.json")),
        "aside": sorted(
            str(path.relative_to(home)) for path in home.glob("orgs/*/stage/**/*.parquet")
        ),
    }


def _rows(home: Path) -> dict[str, Any]:
    """Relation → how many rows people see of it, and a digest of them."""
    files = [*home.glob("orgs/*/undone.parquet"), *home.glob("state/*.parquet")]
    relations = {str(path.relative_to(home)): f"'{path}'" for path in files}
    with duckdb.connect(str(home / "causeway.duckdb"), read_only=True) as connection:
        views = connection.execute("select view_name from duckdb_views() where not internal")
        relations |= {name: f'"{name}"' for (name,) in views.fetchall()}
        return {
            name: connection.execute(_digest_sql(source)).fetchall()
            for name, source in relations.items()
        }


def _digest_sql(source: str) -> str:
    return f"select count(*), coalesce(bit_xor(hash(row)), 0) from (select * from {source}) as row"


def differing(found: Look, *others: Look) -> str:
    """What is unlike, in short."""
    return "; ".join(
        f"{part}: {_unlike(found[part], other[part])}"[:400]
        for other in others
        for part in found
        if found[part] != other[part]
    )


def _unlike(one: Any, other: Any) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
        return ", ".join(f"{name} {one.get(name)} and not {other.get(name)}" for name in names)
    return f"{one} and not {other}"
