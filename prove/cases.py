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
from prove.batch import FULL
from prove.steps import places
from prove.worker import Ended, Worker

if TYPE_CHECKING:
    import argparse

Case = tuple[str, tuple[Any, ...]]
"""What a worker does, and with what."""


def prove(folder: Path, asked: argparse.Namespace) -> list[Ended]:
    """Run all cases, each worker in a process of its own."""
    clean = get_context("spawn")  # what this process has open is none of theirs
    ended = []
    with ProcessPoolExecutor(
        asked.workers, mp_context=clean, initializer=_begin, initargs=(folder,)
    ) as pool:
        for one in pool.map(_run, _cases(pool, asked)):
            ended.append(one)
            wrong = "" if one.clean else "WRONG "
            print(f"{len(ended):4} {wrong}{one.group}: {one.case}", flush=True)
    return ended


_mine: list[Worker] = []
"""The worker of this process."""


def _begin(folder: Path) -> None:
    worker = Worker(folder / f"worker-{os.getpid()}", FULL)
    worker.folder.mkdir()
    _mine.append(worker)
    Finalize(worker, worker.close, exitpriority=1)
    worker.prepare()


def _run(case: Case) -> Ended:
    name, arguments = case
    ended: Ended = getattr(_mine[0], name)(*arguments)
    return ended


def _steps() -> list[str]:
    return _mine[0].steps


def _command_steps() -> int:
    return _mine[0].command_steps()


def _cases(pool: ProcessPoolExecutor, asked: argparse.Namespace) -> list[Case]:
    chance = random.Random(asked.seed)  # noqa: S311 - to be repeated, not to be secret
    steps = pool.submit(_steps).result()
    last = pool.submit(_command_steps).result() if asked.commands else 0
    cases: list[Case] = [("killed_at", (step,)) for step in places(steps, asked.kills)]
    cases += [("killed_after", (chance.uniform(0.5, 4.0),)) for _ in range(asked.instants)]
    cases += [("command_killed_at", (chance.randint(1, last),)) for _ in range(asked.commands)]
    alone = list(faults.alone())[: asked.faults]
    cases += [("faulty", (name, "fault alone", some)) for name, some in alone]
    several = faults.mixed(asked.mixed)
    cases += [("faulty", (name, "faults mixed", some)) for name, some in several]
    return cases
