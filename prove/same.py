"""``python -m prove.same CHECKOUT [CHECKOUT]``: do two versions of the program plan the same?

One of them is this one unless two are named. Both run the same batches, each with its own code,
mappings and ``.venv``, in homes and orgs of their own: the two days of the demo, random small
batches, and a first load of the bench's population. Every row of every plan is compared in every
column, and so are people and accounts. Prints what differs, and ends with 1 where something does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from bench.generate import FIRST, generate
from pipelines.config import PROJECT
from pipelines.demo.inputs import write_inputs
from pipelines.warehouse import parquet_sql
from prove.random_batches import SOURCES, Batch, random_home

WORKER = Path(__file__).with_name("same_worker.py")
SHOWN = 3
ORG = {
    "organization_id": "00DEH008AC03xNV2YY",
    "user_id": "005EH0000000001YAA",
    "username": "integration@cases.example",
    "client_id": "client",
    "client_secret": "secret",
    "password": "password",
    "security_token": "token",
    "access_token": "00DEH008AC03xNV!AQ" + "x" * 96,
}
"""Both orgs of a case are called alike, so that they give the same Ids in the same order."""

KEYS = ("key", "person_key", "account_key")
"""The column that names a row, the first of these that it has."""

ID = re.compile(r"\b(?:001|003|00Q)EH\w{10}(?:\w{3})?\b")


@dataclass(frozen=True)
class Case:
    """One home that both programs make.

    Attributes:
        name: also of its folder.
        batches: in the order in which they are run.
        sources: ``sources.yaml``, where not each program's own.
        org: object and values of records that the org holds before.
        apply: whether plans are carried out, so that later batches meet a filled org.
        inbox: where the files lie, where the batches do not bring them.
    """

    name: str
    batches: Sequence[Batch]
    sources: str | None = None
    org: Sequence[tuple[str, Mapping[str, str]]] = ()
    apply: bool = True
    inbox: Path | None = field(default=None)


def cases(folder: Path, asked: argparse.Namespace) -> Iterator[Case]:
    """The demo, the random homes, and the first load of the bench."""
    days = (date(2026, 11, 5), date(2026, 11, 6))
    write_inputs(folder / "demo", days)
    yield Case("demo", [Batch(str(day), {}) for day in days], inbox=folder / "demo")
    left, seed = asked.batches, asked.seed
    while left > 0:
        org, batches = random_home(seed)
        yield Case(f"seed {seed}", batches[:left], SOURCES, org)
        left, seed = left - len(batches), seed + 1
    if asked.people:
        generate(folder / "bench", asked.people)
        inbox = folder / "bench" / "inbox"
        yield Case("bench", [Batch(str(FIRST), {})], apply=False, inbox=inbox)


def run(checkout: Path, folder: Path, found: Sequence[Case]) -> None:
    """Run all cases by one program, below a folder."""
    homes = [_lay(checkout, folder / case.name, case) for case in found]
    environ = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [checkout / ".venv" / "bin" / "python", "-P", WORKER]
    work = json.dumps(homes)
    subprocess.run(command, cwd=checkout, env=environ, input=work, text=True, check=True)  # noqa: S603


def _lay(checkout: Path, home: Path, case: Case) -> dict[str, object]:
    shutil.copytree(checkout / "mappings", home / "mappings")
    if case.sources is not None:
        (home / "mappings" / "sources.yaml").write_text(case.sources, encoding="utf-8")
    policies = home / "mappings" / "policies.yaml"
    text = re.sub(r"\{share: .*, above: \d+\}", "none", policies.read_text(encoding="utf-8"))
    policies.write_text(text, encoding="utf-8")
    (home / "local_org").mkdir()
    (home / "local_org" / "org.json").write_text(json.dumps(ORG), encoding="utf-8")
    return {
        "home": str(home),
        "inbox": str(case.inbox or home / "inbox"),
        "org": case.org,
        "apply": case.apply,
        "batches": [asdict(batch) for batch in case.batches],
    }


Rows = Counter[str]
"""Rows as JSON, each with how often it is there."""


def kept(home: Path) -> dict[str, Rows]:
    """What a home's batches planned: batch and relation → rows, without Ids of the org.

    A record of ours is called by its key wherever its Id stands.
    """
    texts: dict[str, list[str]] = {}
    for path in sorted(home.glob("kept/*/*.parquet")):
        query = f"select to_json(row) from {parquet_sql(path)} as row"
        found = duckdb.execute(query).fetchall()
        texts[f"{path.parent.name} {path.stem}"] = [text for [text] in found]
    keys = {
        row["sf_id"]: row["key"]
        for name, rows in texts.items()
        if " plan_" in name
        for row in map(json.loads, rows)
        if row["sf_id"]
    }
    named = {
        name: Counter(ID.sub(lambda match: keys.get(match[0], match[0]), row) for row in rows)
        for name, rows in texts.items()
    }
    errors = {path.parent.name: path.read_text() for path in home.glob("kept/*/error.json")}
    return named | {f"{batch} error": Counter([text]) for batch, text in errors.items()}


def differences(here: Mapping[str, Rows], there: Mapping[str, Rows]) -> Iterator[str]:
    """A paragraph for each relation of each batch that is not the same."""
    for name in sorted({*here, *there}):
        rows, others = here.get(name, Counter()), there.get(name, Counter())
        if rows and others and _columns(rows) != _columns(others):
            more = {*_columns(rows)} - {*_columns(others)}
            less = {*_columns(others)} - {*_columns(rows)}
            rows, others = _without(rows, more), _without(others, less)
            if more or less:
                yield f"batch {name}: columns only here {sorted(more)}, only there {sorted(less)}"
        if rows != others:
            yield from _paragraph(name, rows - others, others - rows)


def _paragraph(name: str, here: Rows, there: Rows) -> Iterator[str]:
    yield f"batch {name}: {here.total()} rows only here, {there.total()} only there"
    yield from (f"  here   {row}" for row in _shown(here, there))
    yield from (f"  there  {row}" for row in _shown(there, here))


def _columns(rows: Rows) -> list[str]:
    return list(_row(next(iter(rows))))


def _without(rows: Rows, columns: Set[str]) -> Rows:
    """The rows without these columns, the others in one order."""
    found: Rows = Counter()
    for text, count in rows.items():
        left = {name: value for name, value in _row(text).items() if name not in columns}
        found[json.dumps(left, sort_keys=True)] += count
    return found


def _shown(rows: Rows, others: Rows) -> Iterator[str]:
    """The first rows: what of them differs, or is said at all where the other side has none."""
    pairs = {_key(row): row for row in map(_row, others)}
    for row in map(_row, sorted(rows)[:SHOWN]):
        other = pairs.get(_key(row), {})
        shown = {
            name: value for name, value in row.items() if name in KEYS or value != other.get(name)
        }
        yield json.dumps(shown, ensure_ascii=False)


def _row(text: str) -> dict[str, object]:
    """A row of a relation; what stopped a batch counts as one."""
    found: dict[str, object] = json.loads(text)
    return found


def _key(row: Mapping[str, object]) -> object:
    return next((row[name] for name in KEYS if name in row), None)


def main() -> int:
    """Run both, and say what differs."""
    asked = _arguments()
    with TemporaryDirectory(prefix="causeway-same-") as temporary:
        folder = asked.keep or Path(temporary)
        found = list(cases(folder, asked))
        sides = {"here": asked.here.resolve(), "there": asked.there.resolve()}
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda side: run(sides[side], folder / side, found), sides))
        wrong = rows = 0
        for case in found:
            here, there = (kept(folder / side / case.name) for side in sides)
            rows += sum(counted.total() for counted in here.values())
            for line in differences(here, there):
                print(line if line.startswith(" ") else f"{case.name}, {line}")
                wrong += not line.startswith(" ")
    batches = sum(len(case.batches) for case in found)
    print(f"{batches} batches in {len(found)} homes, {rows:,} rows compared: {wrong} differ")
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prove.same", description=__doc__)
    parser.add_argument("there", type=Path, help="a checkout with its .venv (`make setup`)")
    parser.add_argument("here", type=Path, nargs="?", default=PROJECT, help="by default this one")
    parser.add_argument("--batches", type=int, default=200, help="random ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=100_000, help="of the bench; 0: none")
    parser.add_argument("--keep", type=Path, help="an empty folder for homes and results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
