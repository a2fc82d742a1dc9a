"""``python -m prove``: kill, break and damage; write down what came of it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from prove import report
from prove.batch import FULL
from prove.cases import prove
from prove.fuzz import fuzz


def main() -> int:
    """Prove, say what is proven, and end with 1 where it is not."""
    arguments = _arguments()
    with TemporaryDirectory(prefix="causeway-prove-") as folder:
        fuzzed = list(fuzz(Path(folder) / "fuzz", arguments.files))
        ended = prove(Path(folder), arguments)
    text = report.page(FULL, ended, fuzzed)
    if arguments.page is not None:
        arguments.page.write_text(text, encoding="utf-8")
    wrong = [*filter(lambda one: not one.clean, ended), *(one for one in fuzzed if one.wrong)]
    for one in wrong:
        print(one, file=sys.stderr)
    print(report.sentence(ended, fuzzed))
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prove", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="steps to be killed at")
    parser.add_argument("--instants", type=int, default=12, help="kills at random instants")
    parser.add_argument("--commands", type=int, default=6, help="kills of causeway sync itself")
    parser.add_argument("--undone", type=int, default=6, help="kills that are undone instead")
    parser.add_argument("--undos", type=int, default=24, help="kills of an undo, and faults in it")
    parser.add_argument("--changes", type=int, default=60, help="kills of changes of a home")
    parser.add_argument("--damages", type=int, default=120, help="damaged files of a home")
    parser.add_argument("--faults", type=int, default=1000, help="faults of the org, each alone")
    parser.add_argument("--mixed", type=int, default=12, help="runs with several faults")
    parser.add_argument("--files", type=int, default=210, help="damaged files")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--page", type=Path, help="write the page here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
