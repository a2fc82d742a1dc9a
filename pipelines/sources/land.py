"""A day's files become the raw relations of that day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.errors import InputError, Problem
from pipelines.memo import memo
from pipelines.sources.inbox import InboxFile, files
from pipelines.sources.landing_sql import (
    Origin,
    customer_addresses_sql,
    customers_sql,
    relation_sql,
    rows_sql,
)
from pipelines.sources.model import Source, Sources
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.readers.choice import reader
from pipelines.sources.readers.delimited import Delimited
from pipelines.sources.readers.reader import Reader, Unreadable
from pipelines.sources.relations import RAW
from pipelines.sources.repaired import rows_as_meant_sql
from pipelines.sources.shapes import Fit, Unfit, column_names, fit
from pipelines.warehouse import Warehouse, Written, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


T = TypeVar("T")


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
    """

    counts: tuple[Count, ...]
    written: Mapping[str, Written]


@dataclass(frozen=True)
class _Opened:
    """A file whose header was understood, and the view its rows will be."""

    file: InboxFile
    source: Source
    reader: Reader
    names: list[str]
    fit: Fit
    view: str


def land(warehouse: Warehouse, config: Sources, inbox: Path, day: date) -> Landed:
    """Write the six raw relations of ``day``, those without rows too.

    Raises:
        InputError: with every problem of every file; then nothing was written.
    """
    day_files = list(files(config, inbox, day))
    paths = {relation: warehouse.path(relation, day) for relation in RAW}
    inputs_file = paths[next(iter(RAW))].with_name("made_from.json")
    inputs = chain((config,), *((file.source, file.name, file.path) for file in day_files))
    landing = memo(inputs_file, inputs, paths.values())
    with warehouse.connect() as connection:
        if landing.known() is None:
            _land(warehouse, connection, config, day_files, day)
            landing.keep()
        written = {name: warehouse.describe(connection, name, day) for name in RAW}
        counts = [_count(connection, warehouse, relation, day) for relation in RAW]
    return Landed(tuple(chain(*counts)), written)


def _land(
    warehouse: Warehouse,
    connection: DuckDBPyConnection,
    config: Sources,
    day_files: Iterable[InboxFile],
    day: date,
) -> None:
    opened = _each(_open, [(config, file, f"file_{at}") for at, file in enumerate(day_files)])
    _each(_load, [(connection, opened_file) for opened_file in opened])
    selects = _selects(opened, day)
    for relation in RAW:
        warehouse.write(connection, relation, day, relation_sql(relation, selects[relation]))


def _each(step: Callable[..., T], tasks: Iterable[tuple[Any, ...]]) -> list[T]:
    """One step over all files; what fails is told of all of them together."""
    results = []
    problems: list[Problem] = []
    for task in tasks:
        try:
            results.append(step(*task))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return results


def _open(config: Sources, file: InboxFile, view: str) -> _Opened:
    source = config.sources[file.source]
    try:
        opened = reader(file.path, source.format)
        header = opened.header()
    except Unreadable as error:
        raise InputError.at(file.path, error.line, error.message) from None
    try:
        fitted = fit(header, source)
    except Unfit as error:
        hint = _other_delimiter(opened, source)
        raise InputError.at(file.path, 1, f"{error}{hint}") from None
    return _Opened(file, source, opened, column_names(header), fitted, view)


def _load(connection: DuckDBPyConnection, opened_file: _Opened) -> None:
    try:
        opened_file.reader.load(connection, opened_file.view, opened_file.fit.places)
    except Unreadable as error:
        raise InputError.at(opened_file.file.path, error.line, error.message) from None


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
            view=rows_as_meant_sql(opened_file.view, opened_file.names, opened_file.fit.places),
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


def _count_sql(path: Path) -> str:
    return f"""
        select _source, count(distinct _file), count(*), count(_defect)
        from {parquet_sql(path)}
        group by _source
        order by _source"""
