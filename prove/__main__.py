"""``python -m prove``: kill, break and damage; write down what came of it."""

from __future__ import annotations

import argparse
import os
import queue
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from prove import faults, report
from prove.batch import FULL
from prove.fuzz import fuzz
from prove.steps import places
from prove.worker import Ended, Worker

Case = Callable[[Worker], Ended]


def main() -> int:
    """Prove, say what is proven, and end with 1 where it is not."""
    asked = _arguments()
    with TemporaryDirectory(prefix="causeway-prove-") as folder:
        fuzzed = list(fuzz(Path(folder) / "fuzz", asked.files))
        ended = _prove(Path(folder), asked)
    text = report.page(FULL, ended, fuzzed)
    if asked.page is not None:
        asked.page.write_text(text, encoding="utf-8")
    wrong = [*filter(lambda one: not one.clean, ended), *(one for one in fuzzed if one.wrong)]
    for one in wrong:
        print(one, file=sys.stderr)
    print(report.sentence(ended, fuzzed))
    return 1 if wrong else 0


def _prove(folder: Path, asked: argparse.Namespace) -> list[Ended]:
    """Run all cases, one on each processor at a time."""
    free: queue.Queue[Worker] = queue.Queue()
    workers = [Worker(folder / f"worker-{number}", FULL) for number in range(asked.workers)]
    done = 0

    def run(case: Case) -> Ended:
        nonlocal done
        worker = free.get()
        try:
            ended = case(worker)
        finally:
            free.put(worker)
        done += 1
        print(f"{done:4} {'' if ended.clean else 'WRONG '}{ended.group}: {ended.case}", flush=True)
        return ended

    try:
        with ThreadPoolExecutor(asked.workers) as pool:
            for worker in workers:
                worker.folder.mkdir()
            list(pool.map(Worker.prepare, workers))
            for worker in workers:
                free.put(worker)
            return list(pool.map(run, _cases(workers[0], asked)))
    finally:
        for worker in workers:
            worker.close()


def _cases(worker: Worker, asked: argparse.Namespace) -> Sequence[Case]:
    chance = random.Random(asked.seed)  # noqa: S311 - to be repeated, not to be secret
    steps = worker.command_steps() if asked.commands else 0
    cases: list[Case] = [_killed_at(step) for step in places(worker.steps, asked.kills)]
    cases += [_killed_after(chance.uniform(0.5, 4.0)) for _ in range(asked.instants)]
    cases += [_command_killed_at(chance.randint(1, steps)) for _ in range(asked.commands)]
    alone = list(faults.alone())
    cases += [_faulty(name, "fault alone", some) for name, some in alone[: asked.faults]]
    cases += [_faulty(name, "faults mixed", some) for name, some in faults.mixed(asked.mixed)]
    return cases


def _killed_at(step: int) -> Case:
    return lambda worker: worker.killed_at(step)


def _killed_after(seconds: float) -> Case:
    return lambda worker: worker.killed_after(seconds)


def _command_killed_at(step: int) -> Case:
    return lambda worker: worker.command_killed_at(step)


def _faulty(name: str, group: str, some: Sequence[faults.Fault]) -> Case:
    return lambda worker: worker.faulty(name, group, some)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prove", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="steps to be killed at")
    parser.add_argument("--instants", type=int, default=12, help="kills at random instants")
    parser.add_argument("--commands", type=int, default=6, help="kills of causeway sync itself")
    parser.add_argument("--faults", type=int, default=1000, help="faults of the org, each alone")
    parser.add_argument("--mixed", type=int, default=12, help="runs with several faults")
    parser.add_argument("--files", type=int, default=210, help="damaged files")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--page", type=Path, help="write the page here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
