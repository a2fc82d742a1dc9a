"""The figures as tables: for the terminal, and as the page that is kept."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from bench.local_org import OrgResult
from bench.run import Result, Usage
from bench.targets import MB, OF_THE_ORG, TARGETS, Target, seconds, to_plan

PAGE = """\
# How fast it is

Made by `make bench`, which writes this page. Each size runs in a process of its own against the
local org, which shares the two cores with it; of several runs the fastest of each stage counts.
Trust ratios more than seconds: they are taken within one run.

The same batch is run two times more: the first of them reads back what was written, the second has
nothing to do. For these and for the batch of changes the snapshot's overlap of 15 minutes is taken
away, as if they came a day later; else everything would be read again for being recent.

{machine}

{sizes}
## Against the targets

{targets}

Recall counts every pair of rows that are one person, also those that nobody could tell from their
e-mail addresses: in a fifth of the pairs the second source knows another address, and in a tenth
the same address with a `+tag`, which is another address unless a rule says otherwise. Not measured
here: 10 million people, Splink and the hand-written pandas pipeline.

## The local org alone

{org}

## Everything at once

{whole}
"""


ORG_NOTE = (
    "For the jobs every rule is switched on, duplicate rules and country codes too; single records"
    " meet the rules that an org ships with, while it holds all the others."
)


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column is aligned left, the others right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """For the page."""
        marks = ("---", *("---:" for _ in self.header[1:]))
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.header, marks, *self.rows))


def machine(load: float) -> str:
    """What it ran on, in one line; no name of anything.

    Args:
        load: processes that ran or waited to, before the first measurement.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas", "dagster"))
    return (
        f"{os.cpu_count()} cores, {memory / 2**30:.0f} GiB, {platform.system()}, Python"
        f" {platform.python_version()}, {packages}; {datetime.now(UTC):%Y-%m-%d}."
        f" When it began, {load:.1f} other processes were at work."
    )


def stages(run: Result) -> Table:
    """Each stage of the first load, and the two batches after it."""
    total = {name: usage for name, usage in run.first.items() if name != "apply"}
    rows = [_stage(name, usage, run) for name, usage in run.first.items()]
    rows.insert(-1, ("**land → plan**", *_figures(to_plan(run.first), run), *_most(total)))
    rows += [
        (what, f"{seconds(usages):.1f}", "", "", *_most(usages))
        for what, usages in (
            ("the same again, all read back", run.again),
            ("nothing to do", run.nothing),
            ("a 0.1 % batch", run.change),
        )
    ]
    title = (
        f"{run.people:,} people: {run.rows:,} rows, {run.bytes / MB:,.0f} MB of CSV;"
        f" {run.rejected:,} rows rejected, {run.written:,} records created"
    )
    header = ("stage", "s", "rows/s", "÷ read_csv", "cpu s", "peak MB", "org's MB")
    return Table(title, header, tuple(rows))


def notes(run: Result) -> str:
    """What belongs to a size and to no stage."""
    own_seconds = sum(usage.seconds for name, usage in run.first.items() if name not in OF_THE_ORG)
    return (
        f"A bare `read_csv` of the same bytes into memory took {run.read_csv:.2f} s. Writing every"
        f" relation to disk took {run.persisting:.1f} s of the {own_seconds:.1f} s of our own"
        " stages."
    )


def targets(runs: Sequence[Result]) -> Table:
    """Each target, and what every size gives."""
    header = ("what", "must", "aim", *(f"{run.people:,}" for run in runs))
    return Table(
        "Against the targets",
        header,
        tuple(
            (target.what, _limits(target, "must"), _limits(target, "aim"), *_met(target, runs))
            for target in TARGETS
        ),
    )


def whole(lines: Sequence[tuple[str, float, float | None]]) -> Table:
    """What people wait for: (what, seconds, limit)."""
    return Table(
        "Everything at once",
        ("what", "s", "must"),
        tuple(
            (what, f"{seconds:.2f}", "" if limit is None else f"{limit:g}")
            for what, seconds, limit in lines
        ),
    )


def local_org(run: OrgResult) -> Table:
    """What the local org does by itself, against what it must do."""
    lines = [
        ("upsert of new contacts, rows/s", run.contacts / run.created, 100_000, True),
        ("upsert of known contacts, rows/s", run.contacts / run.changed, 100_000, True),
        ("query job, rows/s", run.contacts / run.read, 200_000, True),
        ("peak memory, MB", run.peak / MB if run.peak else None, 2_000, False),
        *(
            (f"{kind} of one record, ms", milliseconds, 5, False)
            for kind, milliseconds in run.calls.items()
        ),
    ]
    return Table(
        f"The local org alone: {run.contacts:,} contacts of 15 columns",
        ("what", "must", "is"),
        tuple(
            (what, f"{'≥' if more else '≤'} {must:,}", _is(value, must, more=more))
            for what, value, must, more in lines
        ),
    )


def _is(value: float | None, must: float, *, more: bool) -> str:
    if value is None:
        return "–"
    met = value >= must if more else value <= must
    return f"{value:,.{0 if must > 5 else 1}f} {'✓' if met else '✗'}"


def page(runs: Sequence[Result], org: Table, everything: Table, ran_on: str) -> str:
    """The page that is kept."""
    return PAGE.format(
        machine=ran_on,
        sizes="".join(f"## {stages(run).title}\n\n{_size(run)}\n\n" for run in runs),
        targets=targets(runs).markdown(),
        org=f"{org.title}. {ORG_NOTE}\n\n{org.markdown()}",
        whole=everything.markdown(),
    )


def _size(run: Result) -> str:
    return f"{stages(run).markdown()}\n\n{notes(run)}"


def _stage(name: str, usage: Usage, run: Result) -> tuple[str, ...]:
    return (name, *_figures(usage.seconds, run), *_most({name: usage}))


def _figures(seconds: float, run: Result) -> tuple[str, ...]:
    return f"{seconds:.2f}", f"{run.rows / seconds:,.0f}", f"{seconds / run.read_csv:.1f}"


def _most(usages: dict[str, Usage]) -> tuple[str, ...]:
    """Processor seconds together, and the highest peaks."""
    cpu = sum(usage.cpu for usage in usages.values())
    return (
        f"{cpu:.2f}",
        _peak(usage.peak for usage in usages.values()),
        _peak(usage.org_peak for usage in usages.values()),
    )


def _peak(peaks: Iterator[int | None]) -> str:
    measured = [peak for peak in peaks if peak is not None]
    return f"{max(measured) / MB:,.0f}" if measured else "–"


def _limits(target: Target, which: str) -> str:
    limits = dict.fromkeys(getattr(target, which).values())
    return " · ".join(f"{limit:g}{target.unit}" for limit in limits)


def _met(target: Target, runs: Sequence[Result]) -> Iterator[str]:
    for run in runs:
        value = target.value(run)
        figure = "–" if value is None else f"{value:.{target.digits}f}{target.unit}"
        yield {True: f"{figure} ✓", False: f"{figure} ✗", None: figure}[target.met(run)]
