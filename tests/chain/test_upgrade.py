"""A home of commit d30ce69 becomes one of this program: nobody is made, renamed or sent again.

``tests/homes/d30ce69.py`` says what is in it. Whoever adds a migration adds below what its step
does to that home, and to ``EXPLAINED`` whom a rule that has changed moves, and which rule it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import locks
from pipelines.config import PROJECT
from pipelines.errors import Busy, ConfigError
from pipelines.project import Project
from pipelines.sync.state import TABLES, migrations
from pipelines.upgrade import upgrade
from prove.worker import HOOK

OLD = Path(__file__).parents[1] / "homes" / "d30ce69.tar.xz"
DAYS = (date(2026, 11, 3), date(2026, 11, 4))
OBJECTS = ("account", "contact", "lead")

EXPLAINED: dict[tuple[str, str], str] = {}
"""(Object, key) → the rule that has changed since d30ce69 and plans something for it."""

UPGRADE = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from pipelines import upgrade
from pipelines.project import Project
from pipelines.sync.state import transaction

home, instant = Path(sys.argv[1]), sys.argv[2]

@contextmanager
def killed(connection):
    with transaction(connection):
        yield
        if instant == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    if instant == "after":
        os.kill(os.getpid(), signal.SIGKILL)

upgrade.transaction = killed
upgrade.upgrade(Project(home, home / "inbox", home / "mappings"))
"""
"""An upgrade in a process of its own, killed before its commit, after it, or not by this text."""


def unpack(home: Path) -> Project:
    """The old home, with the mappings of today but for its sources."""
    shutil.copytree(PROJECT / "mappings", home / "mappings", dirs_exist_ok=True)
    with tarfile.open(OLD) as packed:
        packed.extractall(home, filter="data")
    return Project(home, home / "inbox", home / "mappings")


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        yield connection


def holds(project: Project) -> dict[str, Any]:
    """All that an upgrade makes: the state, what is published of it, and what people open."""
    contents: dict[str, Any] = {"shown": project.state.published_version}
    with reading(project.state.path) as state:
        names = state.sql("select table_name from duckdb_tables()").fetchall()
        contents |= {name: state.sql(f'from "{name}" order by all').fetchall() for (name,) in names}
    with reading(project.home / "causeway.duckdb") as opened:
        for name in TABLES:
            query = f"from read_parquet('{project.state.published(name)}') order by all"
            contents[f"published {name}"] = opened.sql(query).fetchall()
        query = "select person_key, first_name, last_name from people order by all"
        contents["people"] = opened.sql(query).fetchall()
    return contents


def version(project: Project) -> int | None:
    """Of which version the state on disk is."""
    with project.warehouse.connect() as connection, project.state.opened(connection, report=print):
        return migrations.version_of(connection)


def killed(project: Project, instant: str, at: int | None = None) -> list[str]:
    """Upgrade in a process that is killed at an instant, or before a step; the steps it took."""
    steps = project.home.with_name("steps")
    steps.unlink(missing_ok=True)
    environ = {
        **os.environ,
        "PYTHONPATH": f"{HOOK}{os.pathsep}{PROJECT}",
        "PROVE_HOME": str(project.home),
        "PROVE_STEPS": str(steps),
        "PROVE_FROM_START": "1",
        "PROVE_KILL_AT": str(at or 0),
    }
    command = [sys.executable, "-c", UPGRADE, project.home, instant]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    expected = 0 if instant == "never" and at is None else -signal.SIGKILL
    assert ended.returncode == expected, ended.stderr
    return steps.read_text().splitlines()


@pytest.fixture
def old(tmp_path: Path) -> Project:
    return unpack(tmp_path / "home")


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the old home holds after an upgrade that nothing disturbed."""
    project = unpack(tmp_path_factory.mktemp("upgraded") / "home")
    upgrade(project)
    assert version(project) == migrations.newest()
    return holds(project)


def before(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of the old state."""
    with reading(project.state.path) as state:
        return {name: state.sql(f'from "{name}" order by all').fetchall() for name in TABLES}


# What each step does to the old home.


def test_version_2_changes_nothing_in_a_home_of_d30ce69(
    old: Project, upgraded: dict[str, Any]
) -> None:
    contents_before = before(old)
    assert {name: contents_before[name] for name in ("outcome", "sent")} == {
        name: upgraded[name] for name in ("outcome", "sent")
    }
    assert len(upgraded["outcome"]) == 2  # who waits, and whom the org refused


def test_version_3_spells_every_key_as_it_was_and_knows_names_and_shared_values(
    old: Project, upgraded: dict[str, Any]
) -> None:
    contents_before = before(old)
    assert [row[:4] for row in upgraded["published member"]] == contents_before["member"]
    assert [row[:5] for row in upgraded["published person"]] == contents_before["person"]
    for name in ("account", "account_member"):
        # Who took an account over stands behind the columns that there were.
        assert [
            row[: len(contents_before[name][0])] for row in upgraded[f"published {name}"]
        ] == contents_before[name]
    # A row of state.record: record, source, source_id, …; its e-mail and customer key come last.
    hashes = [
        (row[0], row[4], key)
        for row in contents_before["record"]
        for key in row[8:]
        if key is not None
    ]
    assert sorted((row[0], row[1], row[3]) for row in upgraded["record_key"]) == sorted(hashes)
    names = {row[2]: row[8:10] for row in upgraded["record"] if row[1] == "fair"}
    assert names["F1"] == ("Anna", "Miller")
    assert names["F2"] == ("Bob", "Miller")
    assert {row[4] for row in upgraded["member"]} <= {row[0] for row in upgraded["record"]}


def test_version_5_remembers_what_each_record_said_of_the_newsletter(
    old: Project, upgraded: dict[str, Any]
) -> None:
    paths = [str(old.warehouse.path("person_records", day)) for day in DAYS]
    query = "select record, batch, newsletter from read_parquet($1) where newsletter is not null"
    says = {"subscribed": "in", "unsubscribed": "out"}
    with closing(duckdb.connect()) as connection:
        said = connection.execute(query, [[path for path in paths if Path(path).exists()]])
        expected = {
            (record, batch): says.get(newsletter, "open")
            for record, batch, newsletter in said.fetchall()
        }
    assert expected
    assert {(row[0], row[1]): row[6] for row in upgraded["statement"]} == expected


# What is true of all of them together.


def test_what_is_made_from_the_state_is_of_its_version(upgraded: dict[str, Any]) -> None:
    assert upgraded["shown"] == migrations.newest()
    assert upgraded["version"] == [(migrations.newest(),)]
    for name in TABLES:
        assert len(upgraded[f"published {name}"]) == len(upgraded[name])
    assert len(upgraded["people"]) == len(upgraded["person"]) == 13


@pytest.mark.parametrize(("instant", "left"), [("before", 1), ("after", migrations.newest())])
def test_a_kill_on_either_side_of_the_commit(
    old: Project, upgraded: dict[str, Any], instant: str, left: int
) -> None:
    killed(old, instant)
    assert version(old) == left
    assert old.state.published_version is None  # so that nobody reads what was made from another
    upgrade(old)
    assert holds(old) == upgraded


def test_a_kill_at_any_step(tmp_path: Path, upgraded: dict[str, Any]) -> None:
    steps = killed(unpack(tmp_path / "whole"), "never")
    schemas = [at for at, step in enumerate(steps, start=1) if "/stage/" in step]
    others = sorted({*range(1, len(steps) + 1)} - {*schemas})
    for at in sorted({*others[::4], others[-1], *schemas[::60], len(steps)}):
        project = unpack(tmp_path / str(at))
        killed(project, "never", at)
        upgrade(project)
        assert holds(project) == upgraded, steps[at - 1]


def test_a_home_is_left_alone_while_an_older_program_works_on_it(
    old: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(locks.take.__kwdefaults__, "patience", 0.2)
    for name in (f"{DAYS[0]}.lock", "org-local.lock", "org-uat.lock"):
        locks.take(old.home / "locks" / name, "another", print)
        with pytest.raises(Busy, match=f"{name} is held by .*another"):
            upgrade(old)
        locks.release("another")
        assert version(old) == 1
    upgrade(old)
    assert version(old) == migrations.newest()


def test_a_home_of_a_newer_program_is_refused(old: Project) -> None:
    newer = migrations.newest() + 1
    with old.warehouse.connect() as connection, old.state.opened(connection, report=print):
        migrations.write_version(connection, newer)
    with pytest.raises(ConfigError, match=f"newer Causeway.* version {newer}"):
        upgrade(old)
    (old.home / "state" / "version").write_text(f"{newer}")
    with pytest.raises(ConfigError, match=f"newer Causeway.* version {newer}"):
        upgrade(old)
    assert version(old) == newer


def names(chain: Any) -> dict[str, tuple[str | None, str]]:
    """Key → first and last name of everybody."""
    rows = chain.read("people")
    return {row["person_key"]: (row["first_name"], row["last_name"]) for row in rows}


@pytest.fixture(scope="module")
def again(make_chain: Any) -> Any:
    """The old home with its org, looked at and then both of its days run again."""
    chain = make_chain(org=False)
    unpack(chain.home)
    chain.start_org()
    chain.stamped = chain.stamps()
    looked = chain.causeway("status", "--batch", str(DAYS[1]), "--json")
    assert looked.returncode == 0, looked.stderr
    assert f"becomes one of version {migrations.newest()}" in looked.stderr
    chain.names = names(chain)
    for day in DAYS:
        chain.done(day)
    return chain


def test_every_old_day_again_touches_no_record(again: Any) -> None:
    assert again.stamps() == again.stamped


def test_every_old_day_again_renames_nobody(again: Any) -> None:
    renamed = names(again)
    assert {key: renamed.get(key) for key in again.names} == again.names


def test_every_old_day_again_plans_nothing_that_no_rule_explains(again: Any) -> None:
    waits = {row["key"] for row in again.read("salesforce_contact") if row["outcome"] == "rejected"}
    planned = {
        (name.title(), row["key"]): (row["action"], row["reason"])
        for day in DAYS
        for name in OBJECTS
        for row in again.read(f"plan_{name}", day)
        if row["action"] not in ("unchanged", "hold") and row["key"] not in waits
    }
    assert planned.keys() == EXPLAINED.keys(), planned
    assert len(waits) == 1  # Ed, whose title the org refuses, is not sent again


def test_what_was_undone_stays_undone(again: Any) -> None:
    names = {row["FirstName"]: row for row in again.records("Contact", "FirstName", "Title")}
    assert names["Ada"]["Title"] == "Head Buyer"
    assert "Una" not in names


def test_whoever_was_joined_by_a_mailbox_alone_waits_for_a_decision(again: Any) -> None:
    """Bob stood in Anna's record, Dan in Carol's or she in his: neither is made without a word."""
    waits = {
        (row["FirstName"], row["LastName"]): row["decide"].splitlines()
        for row in again.read("plan_contact")
        if row["action"] == "hold" and row["decide"]
    }
    assert len(waits) == 2
    lines = waits["Bob", "Miller"]
    assert sorted(line.split(",", 1)[0] for line in lines) == ["different", "same"]
    [decision_line] = [line for line in lines if line.startswith("different")]
    assert set(decision_line.split(",")[1:]) == {"fair:F1", "fair:F2"}
    again.decide(decision_line)
    stamps_before = again.stamps()
    again.done(DAYS[0])
    contacts = again.records("Contact", "FirstName", "LastName")
    millers = {row["FirstName"]: row["Id"] for row in contacts if row["LastName"] == "Miller"}
    assert millers.keys() == {"Anna", "Bob"}
    touched = {
        sf_id for sf_id, stamp in again.stamps().items() if stamps_before.get(sf_id) != stamp
    }
    assert millers["Bob"] in touched
    assert millers["Anna"] not in touched


def test_a_guard_stops_a_plan_that_parts_more_people_than_it_allows(make_chain: Any) -> None:
    chain = make_chain(org=False)
    unpack(chain.home)
    chain.start_org()
    policies = chain.mappings / "policies.yaml"
    text = policies.read_text()
    policies.write_text(text.replace("max_split: {share: 5%, above: 50}", "max_split: {above: 0}"))
    upgrade(chain.project)
    stamps = chain.stamps()
    assert "guards.max_split" in str(chain.refused(DAYS[0]))
    assert chain.stamps() == stamps
