"""What ``causeway sync`` says of days that hold nothing, that are withdrawn or that are stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.config import PROJECT

DAY, NEXT, NEVER = "2026-01-05", "2026-01-06", "2026-01-07"
HEADER = "First Name,Last Name,Email,Company\n"
SOURCES = "sources:\n  fair: {entity: contacts, preset: generic, as: contact}\n"
STRICT = """
guards: {max_create: {share: 1%, above: 0}, first_load: guard}
"""


@pytest.fixture(scope="module")
def mappings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yaml") / "mappings"
    shutil.copytree(PROJECT / "mappings", folder)
    (folder / "sources.yaml").write_text(SOURCES)
    return folder


@pytest.fixture(scope="module")
def home(causeway, mappings, tmp_path_factory: pytest.TempPathFactory):
    """A home with two batches; its org stops with the module."""
    folder = tmp_path_factory.mktemp("synced")
    for day, rows in (
        (DAY, "Ann,Lee,ann@acme.example,Acme\n"),
        (NEXT, "Ann,Lee,ann@acme.example,Acme\nBob,Ray,bob@other.example,Other\n"),
    ):
        (folder / "inbox" / "fair" / day).mkdir(parents=True)
        (folder / "inbox" / "fair" / day / "fair.csv").write_text(HEADER + rows)
    assert causeway("org", "start", home=folder).code == 0
    yield folder
    causeway("org", "stop", home=folder)


@pytest.fixture(scope="module")
def sync(causeway, home: Path, mappings: Path):
    def run(*arguments: str):
        return causeway(*arguments, home=home, CAUSEWAY_MAPPINGS=str(mappings))

    return run


def totals_of(home: Path) -> dict[str, int]:
    """How many rows the views show, under the names of the summary."""
    with duckdb.connect(str(home / "causeway.duckdb"), read_only=True) as connection:
        return {
            f"{view}_total": connection.execute(f"select count(*) from {view}").fetchall()[0][0]
            for view in ("people", "accounts")
        }


def test_a_day_without_files_is_not_run(sync, home: Path) -> None:
    ran = sync("sync", "--batch", NEVER)
    assert ran.code == 2
    assert f"{home / 'inbox'}: nothing lies in the inbox for this day, {NEVER}" in ran.err
    assert not (home / "runs" / f"{NEVER}.json").exists()


def test_status_tells_what_stopped_a_batch(sync, home: Path, mappings: Path) -> None:
    policies = mappings / "policies.yaml"
    usual = policies.read_text()
    policies.write_text(STRICT)
    blocked = sync("sync", "--batch", DAY)
    policies.write_text(usual)
    assert blocked.code == 4
    reason = json.loads((home / "runs" / f"{DAY}.json").read_text())["error"]
    assert reason in blocked.err
    status = sync("status", "--batch", DAY)
    assert "Its newest run stopped at " in status.out
    assert reason in status.out
    document = sync("status", "--batch", DAY, "--json").document
    assert (document["exit_code"], document["error"]) == (4, reason)

    assert sync("sync", "--batch", DAY).code == 0
    assert "stopped" not in sync("status", "--batch", DAY).out


def test_whoever_came_with_a_withdrawn_batch_alone_is_not_counted(sync, home: Path) -> None:
    assert sync("sync", "--batch", DAY).code == 0
    assert sync("sync", "--batch", NEXT).code == 0
    entities = sync("status", "--json").document["entities"]
    both = {"people_total": 2, "accounts_total": 2}
    assert {name: entities[name] for name in both} == both == totals_of(home)

    shutil.rmtree(home / "inbox" / "fair" / NEXT)
    withdrawn = sync("sync", "--batch", NEXT, "--json")
    totals = {"people_total": 1, "accounts_total": 1}
    assert (
        {name: withdrawn.document["entities"][name] for name in totals} == totals == totals_of(home)
    )


def test_an_org_says_whether_it_was_stopped(causeway, tmp_path: Path) -> None:
    assert causeway("org", "stop", home=tmp_path).out == "It was not running.\n"
    causeway("org", "start", home=tmp_path)
    again = causeway("org", "reset", "--yes", home=tmp_path).out
    assert again.startswith("All its records are deleted.\nThe local org runs as process ")
    assert causeway("org", "stop", home=tmp_path).out == "Stopped.\n"
