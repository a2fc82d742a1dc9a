"""A day's files become the raw relations of that day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import Problem
from pipelines.files import read_json, reading
from pipelines.memo import memo, received
from pipelines.sources.cells import Cells, by_source, counted, stored
from pipelines.sources.inbox import InboxFile, files, irregular
from pipelines.sources.landing_sql import (
    Origin,
    cells_sql,
    customer_addresses_sql,
    customers_sql,
    earlier_sql,
    filled_sql,
    relation_sql,
    rows_sql,
)
from pipelines.sources.model import Source, Sources
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.readers.choice import reader
from pipelines.sources.readers.delimited import Delimited
from pipelines.sources.readers.json_lines import JsonLines
from pipelines.sources.readers.reader import Places, Reader, Unreadable
from pipelines.sources.relations import RAW
from pipelines.sources.repaired import rows_as_meant_sql
from pipelines.sources.shapes import Fit, Unfit, column_names, fit
from pipelines.warehouse import Warehouse, Written, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Count:
    """What one source brought into one raw relation.

    Attributes:
        source: the source's name.
        relation: the raw relation.
        files: how many files its rows come from.
        rows: rows landed, broken lines included.
        defects: broken lines among them.
    """

    source: str
    relation: str
    files: int
    rows: int
    defects: int


@dataclass(frozen=True)
class Landed:
    """What the landing of one day did.

    Attributes:
        counts: by source and relation.
        written: each raw relation as it now lies on disk.
        refused: the files that could not be read at all, with why and what to do.
        withheld: source → header → filled cells of it that must not land, as they are secrets.
        cells: source → where the filled cells of its files are.
    """

    counts: tuple[Count, ...]
    written: Mapping[str, Written]
    refused: tuple[Problem, ...]
    withheld: Mapping[str, Mapping[str, int]]
    cells: Mapping[str, Cells]


@dataclass(frozen=True)
class _Opened:
    """A file whose header was understood, and the view its rows will be."""

    file: InboxFile
    source: Source
    reader: Reader
    names: list[str]
    fit: Fit
    view: str

    def load(self, connection: DuckDBPyConnection) -> None:
        """Make the view of its rows."""
        self.reader.load(connection, self.view, Places(self.fit.places, self.fit.withheld))

    @property
    def rows(self) -> str:
        """What to select its rows from: as meant, and without those in which nothing stands."""
        meant = rows_as_meant_sql(self.view, self.names, self.fit.places)
        return filled_sql(meant, self.fit.places, self.fit.withheld)

    def cells(self, connection: DuckDBPyConnection) -> Cells:
        """Where its filled cells go."""
        [(rows,)] = connection.execute(_rows_sql(self.view)).fetchall()
        [counts] = connection.execute(cells_sql(self.rows, self.fit)).fetchall()
        return counted(counts, rows, self.fit, self.names)

    def withheld(self, connection: DuckDBPyConnection) -> Counter[tuple[str, str]]:
        """(Source, header) → how many cells of it were filled and have not landed."""
        cells: Counter[tuple[str, str]] = Counter()
        if self.fit.withheld:
            numbers = connection.execute(_withheld_sql(self.view, self.fit.withheld)).fetchone()
            for place, number in zip(self.fit.withheld, numbers or (), strict=True):
                cells[self.file.source, self.names[place]] += number
        if isinstance(self.reader, JsonLines):
            for name, number in self.reader.nested.items():
                cells[self.file.source, name] += number
        return cells


def land(warehouse: Warehouse, config: Sources, inbox: Path, day: date) -> Landed:
    """Write the six raw relations of ``day``, those without rows too.

    A file that cannot be read is refused and keeps nobody waiting; what landed from it when it
    could be read stays.

    Raises:
        InputError: see ``pipelines.sources.inbox.files``.
    """
    day_files = files(config, inbox, day)
    paths = {relation: warehouse.path(relation, day) for relation in RAW}
    inputs = [config, *((file.source, file.name, received(file.path)) for file in day_files)]
    landing = memo(_note(warehouse, day), inputs, paths.values())
    with warehouse.connect() as connection:
        if landing.cached() is None:
            landing.keep(_land(warehouse, connection, config, inbox, day_files, day))
        written = {name: warehouse.describe(connection, name, day) for name in RAW}
        counts = [_count(connection, warehouse, relation, day) for relation in RAW]
    left_out = refused(warehouse, day), withheld(warehouse, day), cells(warehouse, day)
    return Landed(tuple(chain(*counts)), written, *left_out)


def refused(warehouse: Warehouse, day: date) -> tuple[Problem, ...]:
    """The files of a day that could not be read when it was landed."""
    return tuple(Problem(**problem) for problem in _noted(warehouse, day).get("refused", ()))


def withheld(warehouse: Warehouse, day: date) -> dict[str, dict[str, int]]:
    """Source → header → filled cells of a day that must not land, as they are secrets."""
    cells: dict[str, dict[str, int]] = _noted(warehouse, day).get("withheld", {})
    return cells


def cells(warehouse: Warehouse, day: date) -> dict[str, Cells]:
    """Source → where the filled cells of its files of a day are."""
    noted = _noted(warehouse, day).get("cells", {})
    return by_source((one["source"], stored(one["cells"])) for one in noted.values())


def _noted(warehouse: Warehouse, day: date) -> dict[str, Any]:
    path = _note(warehouse, day)
    if not path.exists():
        return {}
    with reading(path):
        return dict(read_json(path)["facts"])


def _note(warehouse: Warehouse, day: date) -> Path:
    return warehouse.path(next(iter(RAW)), day).with_name("made_from.json")


def _land(
    warehouse: Warehouse,
    connection: DuckDBPyConnection,
    config: Sources,
    inbox: Path,
    day_files: Sequence[InboxFile],
    day: date,
) -> dict[str, Any]:
    """Write the relations; what there is to be known of the files besides, as JSON takes it."""
    opened = []
    problems = {}
    secrets: Counter[tuple[str, str]] = Counter()
    earlier_cells = _noted(warehouse, day).get("cells", {})
    noted_cells = {}
    for at, file in enumerate(day_files):
        try:
            opened_file = _open(config, inbox, file, f"file_{at}")
            opened_file.load(connection)
        except Unreadable as error:
            problems[file] = Problem(str(file.path), error.line, error.message)
            if file.name in earlier_cells:  # as its rows, which stay
                noted_cells[file.name] = earlier_cells[file.name]
        else:
            opened.append(opened_file)
            secrets += opened_file.withheld(connection)
            found = asdict(opened_file.cells(connection))
            noted_cells[file.name] = {"source": file.source, "cells": found}
    selects = _selects(opened, day)
    for relation in RAW:
        earlier = warehouse.path(relation, day)
        if problems and earlier.exists():
            selects[relation].append(earlier_sql(relation, earlier, list(problems)))
        warehouse.write(connection, relation, day, relation_sql(relation, selects[relation]))
    withheld_cells: dict[str, dict[str, int]] = defaultdict(dict)
    for (source, header), number in sorted(secrets.items()):
        withheld_cells[source][header] = number
    return {
        "refused": [asdict(one) for one in sorted(problems.values())],
        "withheld": withheld_cells,
        "cells": noted_cells,
    }


def _open(config: Sources, inbox: Path, file: InboxFile, view: str) -> _Opened:
    """Read a file's header; raises ``Unreadable`` for whatever is wrong with it."""
    if (reason := irregular(file.path, inbox)) is not None:
        raise Unreadable(reason)
    source = config.sources[file.source]
    opened = reader(file.path, source)
    header = opened.header()
    try:
        fitted = fit(header, source)
    except Unfit as error:
        hint = _other_delimiter(opened, source)
        raise Unreadable(f"{error}{hint}", 1) from None
    return _Opened(file, source, opened, column_names(header), fitted, view)


def _other_delimiter(opened: Reader, source: Source) -> str:
    """What to say when the header fits once it is cut at another sign."""
    if not isinstance(opened, Delimited):
        return ""
    for delimiter, header in opened.headers_otherwise():
        try:
            fit(header, source)
        except Unfit:
            continue
        sign = "tab" if delimiter == "\t" else delimiter
        return f"; its columns are separated by {sign!r}: say 'format: {{delimiter: \"{sign}\"}}'"
    return ""


def _selects(opened: Iterable[_Opened], day: date) -> Mapping[str, list[str]]:
    """Relation → one select for each file that has rows for it."""
    loaded_at = datetime.now(UTC)
    selects = defaultdict(list)
    for opened_file in opened:
        origin = Origin(
            view=opened_file.rows,
            source=opened_file.file.source,
            file=opened_file.file.name,
            batch=day,
            loaded_at=loaded_at,
            constants=opened_file.source.constants,
            names=opened_file.names,
        )
        if opened_file.fit.addresses:
            selects[opened_file.fit.shape.relation].append(customers_sql(origin, opened_file.fit))
            selects[ADDRESSES].append(customer_addresses_sql(origin, opened_file.fit))
        else:
            selects[opened_file.fit.shape.relation].append(rows_sql(origin, opened_file.fit))
    return selects


def _count(
    connection: DuckDBPyConnection, warehouse: Warehouse, relation: str, day: date
) -> list[Count]:
    rows = connection.execute(_count_sql(warehouse.path(relation, day))).fetchall()
    return [Count(source, relation, *numbers) for source, *numbers in rows]


def _rows_sql(view: str) -> str:
    return f"select count(*) from {view}"


def _withheld_sql(view: str, places: Sequence[int]) -> str:
    return f"select {', '.join(f'count(w{at})' for at in places)} from {view}"


def _count_sql(path: Path) -> str:
    return f"""
        select _source, count(distinct _file), count(*), count(_defect)
        from {parquet_sql(path)}
        group by _source
        order by _source"""
