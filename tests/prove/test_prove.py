"""The short form of ``make prove``: a few kills, a few faults, a damaged file of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from prove import faults, report
from prove.batch import Size
from prove.damage import Damaging
from prove.fuzz import DAMAGES, fuzz
from prove.home import COMMANDS, Changing
from prove.home import SMALL as TINY
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
    for step, edit in ((steps[0], True), (steps[-1], False)):
        ended = undoing.killed_at(step, edit=edit)
        assert ended.clean, ended


def test_a_killed_undo_that_is_not_gone_on_with_leaves_nothing_alone_by_mistake(
    undoing: Undoing,
) -> None:
    kind = "before answers are kept"
    steps = [n for n, step in enumerate(undoing.steps, 1) if kind_of(step) == kind]
    ended = undoing.synced_instead(steps[len(steps) // 2])
    assert ended.clean, ended


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changing]:
    worker = Changing(tmp_path_factory.mktemp("changes"), TINY)
    try:
        worker.prepare()
        yield worker
    finally:
        worker.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_home_whose_change_was_killed_is_the_old_or_the_new(
    changing: Changing, name: str
) -> None:
    kinds = ("before a change is noted", "before any other file has its name", "before a file goes")
    steps = changing.steps_of[name]
    for kind in kinds:
        places_of_kind = [n for n, step in enumerate(steps, 1) if kind_of(step) == kind]
        if places_of_kind:
            ended = changing.change_killed_at(name, places_of_kind[len(places_of_kind) // 4])
            assert ended.clean, ended


def test_a_damaged_file_of_a_home_is_made_again_or_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CAUSEWAY_HOME", "CAUSEWAY_MAPPINGS", "COLUMNS"):
        monkeypatch.setenv(name, "")  # what is set below is undone with it
    worker = Damaging(tmp_path, TINY)
    try:
        worker.prepare()
        ended = [worker.file_damaged(*one) for one in Random(7).sample(worker.damages(), 12)]
    finally:
        worker.close()
    assert [one for one in ended if not one.clean] == []
    assert sum(one.runs > 0 for one in ended) > len(ended) // 3


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
