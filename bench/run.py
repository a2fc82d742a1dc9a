"""One size, measured in a process of its own: ``python -m bench.run 100000`` prints JSON.

What it is at, and how long each step took, goes to standard error.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import baselines
from bench.generate import FIRST, FOLDER, SECOND, generate
from bench.measure import cost
from pipelines import config
from pipelines.batch import Batch
from pipelines.local_org import control
from pipelines.org import refresh
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import STAGES, run_stage
from pipelines.summary import summary
from pipelines.warehouse import parquet_sql


@dataclass(frozen=True)
class Usage:
    """One stage: seconds by the clock, seconds of processor time, peak bytes of both processes."""

    seconds: float
    cpu: float
    peak: int | None
    org_peak: int | None


@dataclass(frozen=True)
class Result:
    """Everything that is measured of one size.

    Attributes:
        people: invented people.
        rows: rows landed on the first day, addresses included.
        bytes: of the CSV files of the first day.
        rejected: rows that validation refused.
        written: records created in the org.
        first: stage → what it took on an empty home and an empty org.
        again: the same batch once more, which sends nothing; all that was written is read back.
        nothing: and once more, when nothing at all is left to do.
        change: a batch in which one person of a thousand changed.
        precision: of identity, by pairs of records.
        recall: of identity, by pairs of records.
        read_csv: seconds of a bare read of the same bytes.
        read_csv_cpu: seconds of processor time of it.
        validate_contacts: seconds of validating the contacts alone.
        rules_in_sql: seconds of the same rules written as SQL.
        raw_put: seconds of sending the same records as bare files.
        persisting: seconds spent on writing relations, within the first run.
    """

    people: int
    rows: int
    bytes: int
    rejected: int
    written: int
    first: dict[str, Usage]
    again: dict[str, Usage]
    nothing: dict[str, Usage]
    change: dict[str, Usage]
    precision: float
    recall: float
    read_csv: float
    read_csv_cpu: float
    validate_contacts: float
    rules_in_sql: float
    raw_put: float
    persisting: float


def measure(home: Path, people: int) -> Result:
    """Generate, load, load again, load a change; everything below ``home``, a local org too."""
    _say(f"{people:,} people: inventing them")
    generated = generate(home, people)
    project = Project(home, home / "inbox", config.PROJECT / "mappings")
    csv_seconds, csv_cpu = baselines.read_csv(project, generated)
    org = control.start(project.local_org)
    try:
        prepare(project)
        first = _batch(project, FIRST, org["pid"], "the first load")
        _say("what it is compared with")
        totals = summary(project, FIRST)
        precision, recall = _agreement(project, generated.truth)
        put_seconds = baselines.raw_put(project, FIRST)
        persisting = baselines.persisting(project, FIRST)
        with _a_day_later():
            again = _batch(project, FIRST, org["pid"], "the same again")
            nothing = _batch(project, FIRST, org["pid"], "nothing to do")
            change = _batch(project, SECOND, org["pid"], "a 0.1 % batch")
        # Last, as it replaces files of the first day, whose batch would not be the same again.
        validated, in_sql = baselines.rules_in_sql(project, FIRST)
    finally:
        control.stop(project.local_org)
    return Result(
        people=people,
        rows=sum(counts.landed for counts in totals.sources.values()),
        bytes=generated.bytes,
        rejected=sum(counts.rejected for counts in totals.sources.values()),
        written=totals.written,
        first=first,
        again=again,
        nothing=nothing,
        change=change,
        precision=precision,
        recall=recall,
        read_csv=csv_seconds,
        read_csv_cpu=csv_cpu,
        validate_contacts=validated,
        rules_in_sql=in_sql,
        raw_put=put_seconds,
        persisting=persisting,
    )


MEASURED = tuple(name for name in STAGES if name != "prove")
"""The stages that are measured: what makes relations. The proof reads back what they wrote."""

BATCHES = ("first", "again", "nothing", "change")
"""The attributes of a result that hold a batch each."""


@contextmanager
def _a_day_later() -> Iterator[None]:
    """Nothing of the load is read again only because it is recent.

    A snapshot reads the last 15 minutes twice, for transactions that end late. In life a day lies
    between two batches; here seconds do, and everything would be read twice.
    """
    overlap, refresh.OVERLAP = refresh.OVERLAP, timedelta(0)
    try:
        yield
    finally:
        refresh.OVERLAP = overlap


def _batch(project: Project, day: date, org: int, what: str) -> dict[str, Usage]:
    usages = {}
    for name in MEASURED:
        spent = cost(partial(run_stage, name, Run(project, day)), org)
        usages[name] = Usage(spent.seconds, spent.cpu, spent.peak, spent.org_peak)
        _say(f"{what}: {name} {spent.seconds:.1f} s")
    return usages


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _agreement(project: Project, truth: Path) -> tuple[float, float]:
    with Batch(project, FIRST).connect() as connection:
        project.warehouse.bind(connection, "person_links", [FIRST])
        connection.execute(f"create temp view truth as from {parquet_sql(truth)}")
        query = (FOLDER / "agreement.sql").read_text(encoding="utf-8")
        [(precision, recall)] = connection.execute(query).fetchall()
    return precision, recall


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))  # the org stops with us
    with TemporaryDirectory(prefix="causeway-bench-") as folder:
        json.dump(asdict(measure(Path(folder), int(sys.argv[1]))), sys.stdout)
