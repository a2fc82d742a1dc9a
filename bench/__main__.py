"""``python -m bench --people 100000 --people 1000000``: measure, show, keep.

Takes a quarter of an hour on two cores that have nothing else to do; ends by itself in any case.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench import report
from bench.generate import FIRST, SECOND, THIRD, generate
from bench.local_org import OrgResult
from bench.measure import cost
from bench.names import NamesResult
from bench.run import BATCHES, Result, Usage
from pipelines.config import PROJECT

BIN = Path(sys.executable).parent
SIZES = [100_000, 1_000_000]
"""People, where nothing else is asked for."""

REPEATED = 200_000
"""People up to which a size is measured several times, and as the whole command as well."""

SMALL = 100_000
"""People of the home in which a batch of 0.1 % has limits."""

RUNS = 3

PATIENCE = 900
"""Seconds after which whatever is measured counts as hanging."""


def main() -> None:
    """Measure every size that is asked for."""
    arguments = _arguments()
    ran_on = report.machine(load=os.getloadavg()[0])
    out = Console(highlight=False)
    runs = []
    for people in arguments.people:
        runs.append(fastest([_measured(people) for _ in range(_runs(people))]))
        out.print(_rich_table(report.stages(runs[-1])), report.notes(runs[-1]), "", markup=False)
    _say("the local org alone")
    org = report.local_org(_org(max(arguments.people)))
    _say("everything at once")
    everything = report.whole(_everything([n for n in arguments.people if n <= REPEATED]))
    out.print(
        _rich_table(report.targets(runs)),
        "",
        _rich_table(org),
        "",
        _rich_table(everything),
        "",
        ran_on,
    )
    if arguments.page is not None:
        arguments.page.write_text(report.page(runs, org, everything, ran_on), encoding="utf-8")


def fastest(runs: Sequence[Result]) -> Result:
    """Of several runs of one size the best of each figure: the rest is other people's noise."""
    figures = (
        "read_csv",
        "read_csv_cpu",
        "validate_contacts",
        "rules_in_sql",
        "raw_put",
        "persisting",
    )
    best: dict[str, Any] = {name: min(getattr(run, name) for run in runs) for name in figures}
    batches = {name: _fastest([getattr(run, name) for run in runs]) for name in BATCHES}
    return replace(runs[0], **best | batches)


def _fastest(batches: Sequence[Mapping[str, Usage]]) -> dict[str, Usage]:
    return {
        stage: min((batch[stage] for batch in batches), key=lambda usage: usage.seconds)
        for stage in batches[0]
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument(
        "--people", type=int, action="append", metavar="N", help="may be given several times"
    )
    parser.add_argument("--page", type=Path, help="write the figures to this Markdown file")
    arguments = parser.parse_args()
    arguments.people = arguments.people or SIZES
    return arguments


def _runs(people: int) -> int:
    return RUNS if people <= REPEATED else 1


def _measured(people: int) -> Result:
    """One run in a process of its own, so that its memory is nobody else's."""
    figures = json.loads(_module("bench.run", people))
    for batch in BATCHES:
        figures[batch] = {stage: Usage(**usage) for stage, usage in figures[batch].items()}
    return Result(**figures)


def _org(contacts: int) -> OrgResult:
    return OrgResult(**json.loads(_module("bench.local_org", contacts)))


def _everything(sizes: Sequence[int]) -> list[tuple[str, float, float | None]]:
    """What people wait for, as they start it: (what, seconds, limit)."""
    lines: list[tuple[str, float, float | None]] = []
    with TemporaryDirectory(prefix="causeway-bench-") as folder:
        home = Path(folder)
        (home / "dagster").mkdir()
        (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        environ = {"CAUSEWAY_HOME": folder, "DAGSTER_HOME": str(home / "dagster")}
        causeway, validate = [str(BIN / "causeway")], [str(BIN / "dagster"), "definitions"]
        validate += ["validate", "-w", "workspace.yaml"]
        lines += [
            ("`causeway --help`", _best([*causeway, "--help"], environ), 0.5),
            ("`dagster definitions validate`", _best(validate, environ), 3),
        ]
    lines.append(("`make demo` in a new home, all installed", _demo(), 18))
    for people in sizes:
        lines += _synced(people)
    return [*lines, *_named(max(sizes, default=SMALL))]


def _named(people: int) -> list[tuple[str, float, float | None]]:
    """What it costs to read names; the limit is of the whole, in processor seconds."""
    names = NamesResult(**json.loads(_module("bench.names", people)))
    return [
        (
            f"land, stage, validate {people:,} people with one column of names, processor",
            names.one_column,
            None,
        ),
        ("the same people with first and last name", names.parts, None),
        ("so 10,000 distinct names cost", 10_000 * names.each, None),
    ]


def _demo() -> float:
    causeway = str(BIN / "causeway")
    with TemporaryDirectory(prefix="causeway-bench-") as folder:
        environ = {"CAUSEWAY_HOME": folder}
        try:
            return cost(lambda: _run([causeway, "demo"], environ, some_rows=1)).seconds
        finally:
            _run([causeway, "org", "stop"], environ)


def _synced(people: int) -> list[tuple[str, float, float | None]]:
    """Whole batches as people run them, into a local org: all of it, and what changes in a day."""
    causeway = str(BIN / "causeway")
    with TemporaryDirectory(prefix="causeway-bench-") as folder:
        generate(Path(folder), people)
        environ = {"CAUSEWAY_HOME": folder}

        def sync(command: Sequence[str], day: date) -> tuple[float, float]:
            batch = [*command, "sync", "--batch", day.isoformat(), "--json"]
            before = _children()
            return cost(lambda: _run(batch, environ, some_rows=1)).seconds, _children() - before

        later = [sys.executable, "-m", "bench.a_day_later"]
        _run([causeway, "org", "start"], environ)
        try:
            first, _ = sync([causeway], FIRST)
            sync(later, SECOND)  # the first after a load reads back all of it
            changed, used = sync(later, THIRD)
        finally:
            _run([causeway, "org", "stop"], environ)
    small = people == SMALL
    return [
        (f"`causeway sync` of {people:,} people", first, None),
        ("`causeway sync` of a 0.1 % batch after it", changed, 8 if small else None),
        ("of which processor", used, 6 if small else None),
    ]


def _children() -> float:
    """Processor seconds of all commands that have ended; the org is none, it outlives them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _best(command: Sequence[str], environ: Mapping[str, str]) -> float:
    return min(cost(lambda: _run(command, environ)).seconds for _ in range(RUNS))


def _module(name: str, size: int) -> str:
    """What a measurement printed; its progress shows where ours does.

    Raises:
        SystemExit: it failed, or did not end within ``PATIENCE``.
    """
    command = [sys.executable, "-m", name, str(size)]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, env=_environ(), cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            printed, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()  # not kill: it stops its local org before it ends
            raise SystemExit(f"{' '.join(command)} took more than {PATIENCE} s") from None
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return printed


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _run(command: Sequence[str], environ: Mapping[str, str], some_rows: int = 0) -> str:
    """What a command printed; ``some_rows`` is an exit code that is no failure."""
    process = subprocess.run(  # noqa: S603 - our own commands
        command,
        env={**_environ(), **environ},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if process.returncode not in (0, some_rows):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{process.stderr}")
    return process.stdout


def _environ() -> dict[str, str]:
    """Ours, without whatever would point a run at somebody's own data or org."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CAUSEWAY_") and name != "DAGSTER_HOME"
    }


def _rich_table(table: report.Table) -> RichTable:
    rich_table = RichTable(title=table.title, title_justify="left", box=None, pad_edge=False)
    for at, name in enumerate(table.header):
        rich_table.add_column(name, justify="right" if at else "left")
    for row in table.rows:
        rich_table.add_row(*(cell.strip("*") for cell in row))
    return rich_table


if __name__ == "__main__":
    main()
