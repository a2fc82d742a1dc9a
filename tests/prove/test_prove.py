"""The short form of ``make prove``: a few kills, a few faults, a damaged file of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prove import faults, report
from prove.batch import Size
from prove.fuzz import DAMAGES, fuzz
from prove.steps import kind_of, places
from prove.undo import Undoing
from prove.worker import Worker

SMALL = Size(accounts=20, contacts=210, leads=2_001)  # calls, and a Bulk job
KILLED = (
    "before a chunk is noted",
    "before a job is closed",
    "before answers are kept",
    "before a plan counts as settled",
)
BROKEN = (
    "lose_answer at calls (few rows)",
    "job die_after_commit after 3 chunks",
)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(tmp_path_factory.mktemp("prove"), SMALL)
    try:
        worker.prepare()
        yield worker
    finally:
        worker.close()


@pytest.mark.parametrize("kind", KILLED)
def test_a_killed_run_loses_and_doubles_nothing(worker: Worker, kind: str) -> None:
    steps = [number for number, step in enumerate(worker.steps, 1) if kind_of(step) == kind]
    ended = worker.killed_at(steps[-1])
    assert ended.clean, ended


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_of_the_org_loses_and_doubles_nothing(worker: Worker, name: str) -> None:
    ended = worker.faulty(name, "fault alone", dict(faults.alone())[name])
    assert ended.clean, ended


def test_a_half_applied_plan_can_be_undone(worker: Worker) -> None:
    steps = [n for n, step in enumerate(worker.steps, 1) if kind_of(step) == KILLED[1]]
    ended = worker.undone_half_way(steps[-1])
    assert ended.clean, ended


@pytest.fixture(scope="module")
def undoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undoing]:
    worker = Undoing(tmp_path_factory.mktemp("undo"), SMALL)
    try:
        worker.prepare()
        yield worker
    finally:
        worker.close()


def test_a_killed_undo_writes_nothing_twice_and_over_nobodys_edit(undoing: Undoing) -> None:
    kind = "before answers are kept"
    steps = [n for n, step in enumerate(undoing.steps, 1) if kind_of(step) == kind]
    with_edit = next(step for step in steps if step % 2)
    for step in (with_edit, steps[-1]):
        ended = undoing.killed_at(step)
        assert ended.clean, ended


def test_an_undo_comes_through_a_fault_of_the_org(undoing: Undoing) -> None:
    ended = undoing.faulty(BROKEN[1], "undo broken", dict(faults.alone())[BROKEN[1]])
    assert ended.clean, ended


def test_damaged_files_are_judged_row_by_row_or_refused(tmp_path: Path) -> None:
    fuzzed = list(fuzz(tmp_path / "home", len(DAMAGES)))
    assert [one for one in fuzzed if one.wrong] == []
    assert any(one.refused for one in fuzzed)
    assert any(one.rejected for one in fuzzed)
    assert "0 files treated wrongly" in report.sentence([], fuzzed)


def test_places_cover_every_kind_of_step(worker: Worker) -> None:
    chosen = places(worker.steps, 30)
    assert len(chosen) == len(set(chosen)) == 30
    kinds = {kind_of(step) for step in worker.steps}
    assert {kind_of(worker.steps[number - 1]) for number in chosen} == kinds
