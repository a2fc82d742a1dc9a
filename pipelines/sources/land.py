"""A day's files become the raw relations of that day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipelines.errors import Problem, spelled
from pipelines.files import read_json, reading
from pipelines.memo import memo, received
from pipelines.sources.cells import Cells, by_source, stored
from pipelines.sources.conserved import check_landed
from pipelines.sources.inbox import InboxFile, files, irregular
from pipelines.sources.landing_sql import (
    Origin,
    customer_addresses_sql,
    customers_sql,
    earlier_sql,
    relation_sql,
    rows_sql,
)
from pipelines.sources.layout import layout
from pipelines.sources.model import Sources
from pipelines.sources.opened import OpenedFile
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.readers.archive import is_archive, members
from pipelines.sources.readers.choice import parts
from pipelines.sources.readers.reader import Unreadable
from pipelines.sources.relations import RAW, SPEAKING
from pipelines.sources.shapes import column_names
from pipelines.sources.unclear import UnclearCell, UnreadColumn, unclear_cells, unread_columns
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
        remarks: what was found out or left out of files that were read.
    """

    counts: tuple[Count, ...]
    written: Mapping[str, Written]
    refused: tuple[Problem, ...]
    withheld: Mapping[str, Mapping[str, int]]
    cells: Mapping[str, Cells]
    remarks: tuple[Problem, ...] = ()


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
    return Landed(tuple(chain(*counts)), written, *left_out, remarks(warehouse, day))


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


def file_columns(warehouse: Warehouse, day: date) -> dict[str, list[str]]:
    """File → the raw columns that it has (``raw_x.column``), of those landed since this is kept."""
    noted = _noted(warehouse, day).get("cells", {})
    return {name: one.get("columns", []) for name, one in noted.items()}


def unread_consent(warehouse: Warehouse, day: date) -> list[UnreadColumn]:
    """The columns of a day that look like consent and that nothing reads, where they are filled."""
    return unread_columns(cells(warehouse, day))


def unclear_consent(warehouse: Warehouse, day: date) -> list[UnclearCell]:
    """The cells of a day that should say yes or no, and of which nobody knows which."""
    return [UnclearCell(**one) for one in _noted(warehouse, day).get("unclear consent", ())]


def remarks(warehouse: Warehouse, day: date) -> tuple[Problem, ...]:
    """What was found out or left out of the files of a day that were read when it was landed."""
    return tuple(Problem(**remark) for remark in _noted(warehouse, day).get("remarks", ()))


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
    problems: dict[InboxFile, Problem] = {}
    noted: list[Problem] = []
    secrets: Counter[tuple[str, str]] = Counter()
    earlier_cells = _noted(warehouse, day).get("cells", {})
    noted_cells = {}
    for at, file in enumerate(_unpacked(day_files, inbox, problems)):
        try:
            opened_file = _open(config, inbox, file, f"file_{at}").loaded(connection)
        except Unreadable as error:
            problems[file] = Problem(str(file.path), error.line, error.message)
            if file.name in earlier_cells:  # as its rows, which stay
                noted_cells[file.name] = earlier_cells[file.name]
        else:
            opened.append(opened_file)
            noted += opened_file.remarks
            secrets += opened_file.withheld(connection)
            noted_cells[file.name] = {
                "source": file.source,
                "cells": asdict(opened_file.cells),
                "columns": opened_file.fit.raw_columns,
            }
    selects = _selects(opened, day)
    for relation in RAW:
        earlier = warehouse.path(relation, day)
        if problems and earlier.exists():
            selects[relation].append(earlier_sql(relation, earlier, list(problems)))
        warehouse.write(connection, relation, day, relation_sql(relation, selects[relation]))
    if not problems:
        paths = {relation: warehouse.path(relation, day) for relation in RAW}
        check_landed(connection, opened, paths)
    return {
        "refused": [asdict(one) for one in sorted(problems.values())],
        "withheld": _by_source(secrets),
        "cells": noted_cells,
        "remarks": [asdict(one) for one in noted],
        "unclear consent": unclear_cells(
            connection, config, [warehouse.path(r, day) for r in SPEAKING]
        ),
    }


def _by_source(secrets: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    withheld_cells: dict[str, dict[str, int]] = defaultdict(dict)
    for (source, header), number in sorted(secrets.items()):
        withheld_cells[source][header] = number
    return withheld_cells


def _unpacked(
    day_files: Iterable[InboxFile], inbox: Path, problems: dict[InboxFile, Problem]
) -> Iterator[InboxFile]:
    """The files, and those inside archives in place of these; one that is refused is a problem."""
    for file in day_files:
        if not is_archive(file.path):
            yield file
            continue
        reason = irregular(file.path, inbox)
        try:
            inside = [] if reason else list(members(file.path))
        except Unreadable as error:
            reason = error.message
        if reason:
            problems[file] = Problem(str(file.path), None, reason)
        for name, member in inside if not reason else ():
            # A member is opened and named as a file is, and that is all that readers do with one.
            path = cast(Path, member)
            yield InboxFile(file.source, spelled(f"{file.name}/{name}"), path)


def _open(config: Sources, inbox: Path, file: InboxFile, view: str) -> OpenedFile:
    """Read a file's header; raises ``Unreadable`` for whatever is wrong with it."""
    inside = not isinstance(file.path, Path)  # a member of an archive
    if not inside and (reason := irregular(file.path, inbox)) is not None:
        raise Unreadable(reason)
    source = config.sources[file.source]
    found = layout(parts(file.path, source), source)
    names = column_names(found.header)
    return OpenedFile(file, source, found.reader, names, found.fit, view, found.remarks)


def _selects(opened: Iterable[OpenedFile], day: date) -> Mapping[str, list[str]]:
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
        if opened_file.fit.has_addresses:
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
