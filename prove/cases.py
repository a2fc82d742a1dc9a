"""The cases, spread over workers, each in a process of its own."""

from __future__ import annotations

import os
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prove import faults
from prove.batch import FULL, UNDONE
from prove.damage import Damaging
from prove.home import SMALL, Changing
from prove.steps import places
from prove.undo import Undoing
from prove.worker import Ended, Worker

if TYPE_CHECKING:
    import argparse

Case = tuple[type[Worker], str, tuple[Any, ...]]
"""Which worker does it, what it does, and with what."""


def prove(folder: Path, arguments: argparse.Namespace) -> list[Ended]:
    """Run all cases, each worker in a process of its own."""
    clean = get_context("spawn")  # what this process has open is none of theirs
    ended = []
    with ProcessPoolExecutor(
        arguments.workers, mp_context=clean, initializer=_begin, initargs=(folder,)
    ) as pool:
        for one in pool.map(_run, _cases(pool, arguments)):
            ended.append(one)
            wrong = "" if one.clean else "WRONG "
            print(f"{len(ended):4} {wrong}{one.group}: {one.case}", flush=True)
    return ended


SIZES = {Worker: FULL, Undoing: UNDONE, Changing: SMALL, Damaging: SMALL}
"""Kind of worker → how many records it brings in."""

_mine: dict[type[Worker], Worker] = {}
"""The workers of this process by their kind."""


_folders: list[Path] = []
"""Where this process writes."""


def _begin(folder: Path) -> None:
    _folders.append(folder)


def _worker(kind: type[Worker]) -> Worker:
    """This process's worker of a kind, prepared when it is first needed."""
    if kind not in _mine:
        folder = _folders[0] / f"{kind.__name__.lower()}-{os.getpid()}"
        folder.mkdir()
        worker = _mine[kind] = kind(folder, SIZES[kind])
        Finalize(worker, worker.close, exitpriority=1)
        worker.prepare()
    return _mine[kind]


def _run(case: Case) -> Ended:
    kind, name, arguments = case
    ended: Ended = getattr(_worker(kind), name)(*arguments)
    return ended


def _steps(kind: type[Worker]) -> list[str]:
    return _worker(kind).steps


def _steps_of_changes() -> dict[str, list[str]]:
    worker = _worker(Changing)
    return worker.steps_of if isinstance(worker, Changing) else {}


def _damages() -> list[tuple[str, str]]:
    worker = _worker(Damaging)
    return worker.damages() if isinstance(worker, Damaging) else []


def _command_steps() -> int:
    return _worker(Worker).command_steps()


def _cases(pool: ProcessPoolExecutor, arguments: argparse.Namespace) -> list[Case]:
    chance = random.Random(arguments.seed)  # noqa: S311 - to be repeated, not to be secret
    steps = pool.submit(_steps, Worker).result()
    last = pool.submit(_command_steps).result() if arguments.commands else 0
    batch: list[tuple[str, tuple[Any, ...]]] = []
    batch += [("killed_at", (step,)) for step in places(steps, arguments.kills)]
    batch += [("killed_after", (chance.uniform(0.5, 4.0),)) for _ in range(arguments.instants)]
    batch += [("command_killed_at", (chance.randint(1, last),)) for _ in range(arguments.commands)]
    halves = chance.sample(range(1, len(steps) + 1), arguments.undone)
    batch += [("undone_half_way", (step,)) for step in halves]
    alone = list(faults.alone())[: arguments.faults]
    batch += [("faulty", (name, "fault alone", some)) for name, some in alone]
    several = faults.mixed(arguments.mixed)
    batch += [("faulty", (name, "faults mixed", some)) for name, some in several]
    return [
        *((Worker, *case) for case in batch),
        *_undo_cases(pool, arguments, chance),
        *_home_cases(pool, arguments),
        *_damage_cases(pool, arguments, chance),
    ]


def _home_cases(pool: ProcessPoolExecutor, arguments: argparse.Namespace) -> list[Case]:
    if not arguments.changes:
        return []
    steps = pool.submit(_steps_of_changes).result()
    each = arguments.changes // len(steps)
    return [
        (Changing, "change_killed_at", (name, step))
        for name in steps
        for step in places(steps[name], each)
    ]


def _damage_cases(
    pool: ProcessPoolExecutor, arguments: argparse.Namespace, chance: random.Random
) -> list[Case]:
    if not arguments.damages:
        return []
    damages = pool.submit(_damages).result()
    chosen = chance.sample(damages, min(arguments.damages, len(damages)))
    return [(Damaging, "file_damaged", one) for one in chosen]


def _undo_cases(
    pool: ProcessPoolExecutor, arguments: argparse.Namespace, chance: random.Random
) -> list[Case]:
    if not arguments.undos:
        return []
    steps = pool.submit(_steps, Undoing).result()
    alone = [fault for fault in faults.alone() if fault[1][0].get("object") != "Account"]
    broken = chance.sample(alone, min(arguments.undos // 2, arguments.faults, len(alone)))
    return [
        *((Undoing, "killed_at", (step,)) for step in places(steps, arguments.undos)),
        *((Undoing, "synced_instead", (step,)) for step in places(steps, arguments.undos // 2)),
        *((Undoing, "faulty", (name, "undo broken", some)) for name, some in broken),
    ]
