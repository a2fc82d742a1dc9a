"""A plan that is too much writes nothing; one that died half-way goes on all the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.apply.objects import apply
from pipelines.batch import Batch
from pipelines.config import PROJECT
from pipelines.errors import Blocked, ConfigError
from pipelines.local_org import control
from pipelines.plan.make import newest
from pipelines.project import Project
from pipelines.run import RunResult
from pipelines.salesforce.errors import TransientError
from pipelines.stages import run_batch

DAY, NEXT = date(2026, 11, 5), date(2026, 11, 6)

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose guard stops every create but those of a first load."""
    project = Project(tmp_path, tmp_path / "inbox", tmp_path / "mappings")
    project.inbox.mkdir()
    project.mappings.mkdir()
    for path in (PROJECT / "mappings").glob("*.yaml"):
        shutil.copy(path, project.mappings)
    (project.mappings / "sources.yaml").write_text(SOURCES)
    limit(project, 0)
    monkeypatch.setenv("CAUSEWAY_HOME", str(project.home))
    monkeypatch.setenv("CAUSEWAY_MAPPINGS", str(project.mappings))
    control.start(project.local_org, faults=True)
    yield project
    control.stop(project.local_org)


def limit(project: Project, above: int) -> None:
    guards = f"guards: {{max_create: {{share: 1%, above: {above}}}}}\n"
    (project.mappings / "policies.yaml").write_text(guards)


def put(project: Project, day: date, rows: int, *, skip: int = 0) -> None:
    """A contact list; every third person has a company."""
    lines = (
        f"{n},First{n},Last{n},p{n}@acme.example,{'' if n % 3 else f'Company {n}'}\n"
        for n in range(skip, rows)
    )
    path = project.inbox / "people" / day.isoformat() / "people.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("ID,First Name,Last Name,Email,Company\n" + "".join(lines))


def run(project: Project, day: date, **how: Any) -> RunResult:
    return run_batch(replace(project), day, **how)  # a project reads its YAML once


def done(project: Project, day: date) -> None:
    result = run(project, day)
    assert result.success, (result.failed_step, result.error)


def contacts(project: Project) -> list[str]:
    with project.org() as org:
        return [row["FirstName"] for row in org.query("select FirstName from Contact")]


def die_half_way(project: Project) -> None:
    """A first load of 300 people that ends when the org has just written the first 200."""
    put(project, DAY, 300)
    path = "composite/sobjects/Contact"
    slow = {"kind": "slow", "seconds": 1.5, "path": path, "times": 2}
    control.inject(project.local_org, slow)
    org = control.status(project.local_org)["pid"]
    watch = threading.Thread(target=_kill_at_the_first_contact, args=[project, org])
    result = run(project, DAY, on_event=lambda *event: _start(watch, event))
    watch.join()
    assert result.failed_step == "salesforce_contact"
    assert isinstance(result.error, TransientError)
    control.start(project.local_org, faults=True)
    assert len(contacts(project)) == 200


def _start(watch: threading.Thread, event: tuple[Any, ...]) -> None:
    if event[:2] == ("salesforce_contact", "start"):
        watch.start()


def _kill_at_the_first_contact(project: Project, org: int) -> None:
    while not contacts(project):
        time.sleep(0.05)
    os.kill(org, signal.SIGKILL)


def test_a_second_load_above_the_guard_writes_nothing_by_any_way(project: Project) -> None:
    put(project, DAY, 3)
    done(project, DAY)
    put(project, NEXT, 9, skip=3)

    command = Path(sys.executable).with_name("causeway")
    ran = subprocess.run(
        [command, "sync", "--batch", str(NEXT)],
        capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert ran.returncode == 4, ran.stderr
    for message in ("is blocked and nothing was sent", "Contact: 6 to create, with 3 of ours"):
        assert message in ran.stderr
    for name in ("account", "contact", "lead"):
        with pytest.raises(Blocked, match="nothing was sent"):
            apply(Batch(project, NEXT), name)
    assert len(contacts(project)) == 3

    limit(project, 6)
    released = replace(project)  # a project reads its YAML once
    apply(Batch(released, NEXT), "account")
    apply(Batch(released, NEXT), "contact")
    assert len(contacts(project)) == 9


def test_children_are_not_sent_before_their_parents(project: Project) -> None:
    put(project, DAY, 3)
    assert run(project, DAY, plan_only=True).success
    with pytest.raises(ConfigError, match="apply salesforce_account of this plan first"):
        apply(Batch(project, DAY), "contact")
    assert contacts(project) == []
    apply(Batch(project, DAY), "account")
    apply(Batch(project, DAY), "contact")
    assert len(contacts(project)) == 3


def test_a_first_load_that_died_goes_on_and_only_what_is_more_is_guarded(project: Project) -> None:
    die_half_way(project)
    put(project, DAY, 310)
    blocked = run(project, DAY)
    assert isinstance(blocked.error, Blocked)
    assert "Contact: 10 to create, with 200 of ours" in str(blocked.error)
    assert len(contacts(project)) == 200

    put(project, DAY, 300)
    done(project, DAY)
    assert len(contacts(project)) == 300


def test_a_plan_of_a_dead_run_may_be_deleted_but_not_edited(project: Project) -> None:
    die_half_way(project)
    plan = newest(Batch(project, DAY))
    payload = plan.payload("contact")
    content = payload.read_bytes()
    payload.unlink()  # the same bytes are a relation, too
    payload.write_bytes(content + b" ")
    edited = run(project, DAY)
    assert isinstance(edited.error, ConfigError)
    assert "changed after it was saved" in str(edited.error)

    shutil.rmtree(plan.folder)
    limit(project, 100)
    done(project, DAY)
    assert len(contacts(project)) == 300
