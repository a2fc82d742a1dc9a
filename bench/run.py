"""One size, measured in a process of its own: ``python -m bench.run 100000`` prints JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import baselines
from bench.generate import FIRST, HERE, SECOND, generate
from bench.measure import cost
from bench.stages import STAGES
from pipelines import config
from pipelines.local_org import control
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.summary import summary
from pipelines.warehouse import literal


@dataclass(frozen=True)
class Took:
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
        again: the same batch once more, which changes nothing.
        change: a batch in which one person of a thousand changed.
        precision: of identity, by pairs of records.
        recall: of identity, by pairs of records.
        read_csv: seconds of a bare read of the same bytes.
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
    first: dict[str, Took]
    again: dict[str, Took]
    change: dict[str, Took]
    precision: float
    recall: float
    read_csv: float
    validate_contacts: float
    rules_in_sql: float
    raw_put: float
    persisting: float


def measure(home: Path, people: int) -> Result:
    """Generate, load, load again, load a change; everything below ``home``, a local org too."""
    generated = generate(home, people)
    project = Project(home, home / "inbox", config.PROJECT / "mappings")
    read = baselines.read_csv(project, generated)
    org = control.start(project.local_org)
    try:
        prepare(project)
        first = _batch(project, FIRST, org["pid"])
        found = summary(project.warehouse, FIRST)
        precision, recall = _agreement(project, generated.truth)
        put = baselines.raw_put(project, FIRST)
        validated, in_sql = baselines.rules_in_sql(project, FIRST)
        persisting = baselines.persisting(project, FIRST)
        again = _batch(project, FIRST, org["pid"])
        change = _batch(project, SECOND, org["pid"])
    finally:
        control.stop(project.local_org)
    return Result(
        people=people,
        rows=sum(counts.landed for counts in found.sources.values()),
        bytes=generated.bytes,
        rejected=sum(counts.rejected for counts in found.sources.values()),
        written=found.written,
        first=first,
        again=again,
        change=change,
        precision=precision,
        recall=recall,
        read_csv=read,
        validate_contacts=validated,
        rules_in_sql=in_sql,
        raw_put=put,
        persisting=persisting,
    )


def _batch(project: Project, day: date, org: int) -> dict[str, Took]:
    took = {}
    for name, stage in STAGES.items():
        told = cost(partial(stage, project, day), org)
        took[name] = Took(told.seconds, told.cpu, told.peak, told.org_peak)
    return took


def _agreement(project: Project, truth: Path) -> tuple[float, float]:
    with project.connect(FIRST) as connection:
        project.warehouse.bind(connection, "person_links", [FIRST])
        connection.execute(f"create temp view truth as from {literal(truth)}")
        query = (HERE / "agreement.sql").read_text(encoding="utf-8")
        [(precision, recall)] = connection.execute(query).fetchall()
    return precision, recall


if __name__ == "__main__":
    with TemporaryDirectory(prefix="causeway-bench-") as folder:
        json.dump(asdict(measure(Path(folder), int(sys.argv[1]))), sys.stdout)
