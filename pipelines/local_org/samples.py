"""Records on request: the samples of `samples.yaml`, or those of a CSV file."""

import csv
import datetime as dt
import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.local_org.bulk.jobs import Job
from pipelines.local_org.catalog.model import Catalog, SObject
from pipelines.local_org.dml.orgrules import WriteOptions
from pipelines.local_org.dml.outcome import Outcome
from pipelines.local_org.dml.records import Batch, write_records
from pipelines.local_org.dml.request import ColumnError, columns_of
from pipelines.local_org.moments import now
from pipelines.local_org.org import Org

FILE = Path(__file__).with_name("samples.yaml")
OBJECTS = {"accounts": "Account", "contacts": "Contact", "leads": "Lead"}
DELIMITERS = (",", ";", "\t")
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and in which line of it."""

    line: int
    text: str


class Unfit(Exception):
    """Records that cannot be loaded; nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(problem.text for problem in problems))
        self.problems = problems


# -- the samples -----------------------------------------------------------------------------------


def load_samples(org: Org) -> dict[str, int]:
    """Write the samples that the org never got; object → how many.

    What somebody changed or deleted since is left so.

    Raises:
        Unfit: a rule of the org refuses some.
    """
    declared: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(FILE.read_text("utf-8"))
    user: str = org.state["user_id"]
    counts = {}
    with org.store.write() as connection:
        record_ids = dict(connection.execute("select key, record from org.seeded").fetchall())
        for group, name in OBJECTS.items():
            new = {key: values for key, values in declared[group].items() if key not in record_ids}
            records = [
                {k: v for k, v in values.items() if k != "account"}
                | ({"AccountId": record_ids[values["account"]]} if "account" in values else {})
                for values in new.values()
            ]
            outcomes = _insert(org, name, records, user) if records else []
            problems = [
                Problem(0, f"{name} {key}: {outcome.errors[0].message}")
                for key, outcome in zip(new, outcomes, strict=True)
                if outcome.errors
            ]
            if problems:
                raise Unfit(problems)
            for key, outcome in zip(new, outcomes, strict=True):
                record_ids[key] = outcome.id
                _remember(org, key, outcome.id or "")
            counts[name] = len(new)
    return counts


def _insert(org: Org, name: str, records: list[dict[str, Any]], user: str) -> list[Outcome]:
    writer = org.writer_for(user)
    batch = Batch(writer.catalog[name], "insert", records)
    return write_records(writer, [batch], user, options=WriteOptions(allow_duplicates=True))


def _remember(org: Org, key: str, record: str) -> None:
    with org.store.write() as connection:
        connection.execute("insert into org.seeded values (?, ?, ?)", [key, record, now()])


# -- a file ----------------------------------------------------------------------------------------


def load_file(org: Org, sobject: SObject, file: Path) -> Job | dt.datetime:
    """Load a CSV file as a Bulk job; or when it was loaded before.

    The header names fields as the API does. With a column of an External Id the file is upserted,
    so that loading it again changes nothing; without one its rows would be made a second time, so
    the same content is taken once.

    Raises:
        Unfit: columns that are no fields, or cannot be written, or are missing; rows with more or
            fewer values than the header.
    """
    user: str = org.state["user_id"]
    catalog = org.writer_for(user).catalog
    header, delimiter = _header(file)
    problems = list(_problems_of_header(catalog, sobject, header))
    if problems:
        raise Unfit(problems)
    columns = columns_of(catalog, sobject, header)
    key = next((c.field.name for c in columns if c.via is None and c.field.external_id), None)
    digest = f"{hashlib.sha256(file.read_bytes()).hexdigest()} {sobject.name}"
    with org.store.read() as connection:
        before = connection.execute(
            "select seeded_at from org.seeded where key = ?", [digest]
        ).fetchall()
    if before and key is None:
        loaded: dt.datetime = before[0][0]
        return loaded
    normal = file.with_suffix(".csv")
    _rewrite(file, normal, delimiter, len(header))
    spec = {"columnDelimiter": "COMMA", "lineEnding": "LF", "contentType": "CSV"}
    spec |= {"externalIdFieldName": key, "apiVersion": "67.0"} if key else {"apiVersion": "67.0"}
    job = org.jobs.create("V2Ingest", sobject.name, "upsert" if key else "insert", spec, user)
    org.jobs.attach(job, normal)
    _remember(org, digest, job.id)
    org.jobs.start(job)
    return job


def _header(file: Path) -> tuple[list[str], str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            first = lines.readline()
    except UnicodeDecodeError as error:
        raise Unfit([Problem(1, f"is not UTF-8: {error.reason}")]) from error
    if not first.strip():
        raise Unfit([Problem(1, "is empty; the first line must name the fields")])
    delimiter = max(DELIMITERS, key=first.count)
    return [name.strip() for name in next(csv.reader([first], delimiter=delimiter))], delimiter


def _problems_of_header(catalog: Catalog, sobject: SObject, header: list[str]) -> Iterator[Problem]:
    field_names: set[str] = set()
    for number, name in enumerate(header, start=1):
        place = f"column {number}, {name!r}"
        try:
            column = columns_of(catalog, sobject, [name])[0]
        except ColumnError:
            names = {field.name.lower(): field.name for field in sobject.fields}
            near = difflib.get_close_matches(name.replace(" ", "").lower(), names, 1, 0.75)
            hint = f"; perhaps {names[near[0]]}" if near else ""
            yield Problem(1, f"{place}: {sobject.name} has no such field{hint}")
            continue
        if not column.field.createable:
            yield Problem(1, f"{place}: nobody can write this field")
        if column.field.name in field_names:
            yield Problem(1, f"{place}: the field has a column already")
        field_names.add(column.field.name)
    for field in sobject.fields:
        if field.required and field.name not in field_names:
            yield Problem(1, f"there is no column for {field.name}, which every {sobject.name} has")


def _rewrite(file: Path, normal: Path, delimiter: str, width: int) -> None:
    """Write the file as Bulk jobs take it: UTF-8, commas, line feeds."""
    problems: list[Problem] = []
    part = normal.with_suffix(".part")
    with (
        file.open(encoding="utf-8-sig", newline="") as lines,
        part.open("w", encoding="utf-8", newline="") as out,
    ):
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        writer = csv.writer(out, lineterminator="\n")
        try:
            for row in reader:
                if row and len(row) != width:
                    text = f"has {len(row)} values, but the header names {width} columns"
                    problems.append(Problem(reader.line_num, text))
                    if len(problems) == MOST_PROBLEMS:
                        break
                elif row:
                    writer.writerow(cell.replace("\r\n", "\n") for cell in row)
        except (csv.Error, UnicodeDecodeError) as error:
            problems.append(Problem(reader.line_num + 1, f"cannot be read: {error}"))
    if problems:
        part.unlink()
        raise Unfit(problems)
    part.replace(normal)
