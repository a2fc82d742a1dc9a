"""``python -m bench.names 100000``: what a name in one column costs more than in two."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.generate import FIRST, FOLDER
from bench.measure import cost
from pipelines import config
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import run_stage
from pipelines.warehouse import Warehouse, literal

STAGES = ("land", "stage", "validate")
COLUMNS = {
    "parts": '"ID", "Email", "First Name", "Last Name"',
    "one column": '"ID", "Email", "Name"',
}
"""How the same people are written, by the name of their source."""


@dataclass(frozen=True)
class NamesResult:
    """Processor seconds of landing, staging and validating the same people.

    Attributes:
        names: distinct ones, as many as people.
        parts: with first and last name in columns of their own.
        one_column: with both in one.
    """

    names: int
    parts: float
    one_column: float

    @property
    def each(self) -> float:
        """Seconds for each distinct name."""
        return (self.one_column - self.parts) / self.names


def measure(home: Path, names: int) -> NamesResult:
    """Write both files and bring them in, each into a home of its own below ``home``."""
    used = {}
    for name, columns in COLUMNS.items():
        project = _project(home / name, columns, names)
        prepare(project)
        used[name] = sum(
            cost(partial(run_stage, stage, Run(project, FIRST))).cpu for stage in STAGES
        )
    return NamesResult(names, used["parts"], used["one column"])


def _project(home: Path, columns: str, names: int) -> Project:
    mappings = home / "mappings"
    mappings.mkdir(parents=True)
    for path in (config.PROJECT / "mappings").glob("*.yaml"):
        (mappings / path.name).write_bytes(path.read_bytes())
    (mappings / "sources.yaml").write_text("sources: {list: {entity: contacts}}\n")
    file = home / "inbox" / "list" / FIRST.isoformat() / "people.csv"
    file.parent.mkdir(parents=True)
    with Warehouse(home).connect() as connection:
        connection.execute("set variable people = $1", [names])
        connection.execute(_file_sql(columns, file))
    return Project(home, home / "inbox", mappings)


def _file_sql(columns: str, file: Path) -> str:
    people = (FOLDER / "names.sql").read_text(encoding="utf-8")
    return f"copy (select {columns} from ({people})) to {literal(file)} (format csv, header)"


if __name__ == "__main__":
    with TemporaryDirectory(prefix="causeway-bench-") as folder:
        print(json.dumps(asdict(measure(Path(folder), int(sys.argv[1])))))
