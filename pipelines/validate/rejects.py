"""Rejected rows as CSV that people repair in a spreadsheet and drop into the inbox again.

The header is the source's own, with one more column that says why; landing knows that column by
its name and ignores it.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.files import draft
from pipelines.sources.relations import RAW
from pipelines.sources.repaired import REASONS, defuse
from pipelines.warehouse import Warehouse, parquet_sql

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sources.model import Source

EXTRA = "_extra."

Header = dict[str, str]
"""Header as people see it → the raw column, or the name in ``_extra``, that holds its values."""


@dataclass(frozen=True)
class Exported:
    """One file of rejected rows.

    Attributes:
        path: the CSV; none when no line of it could be read.
        rows: how many rows it holds.
        unreadable: lines that have no values to repair, as ``file:line: why``.
    """

    source: str
    path: Path | None
    rows: int
    unreadable: Sequence[str]


def export(project: Project, day: date, folder: Path, only: str | None = None) -> list[Exported]:
    """Write ``<folder>/<source>/<day>/rejected-<relation>.csv`` for each source that has some.

    Args:
        project: whose relations, sources and inbox.
        day: the batch.
        folder: where to write; files of the same name are replaced.
        only: a source, by default all.
    """
    exports = []
    for raw in RAW:
        for name, rows in _rejected(project.warehouse, raw, day).items():
            if only not in (None, name) or name not in project.sources.sources:
                continue
            lines = [f"{_place(row)}: {_why(row)}" for row in rows if _is_unreadable(row)]
            readable = [row for row in rows if not _is_unreadable(row)]
            path = None
            if readable:
                path = folder / name / day.isoformat() / f"rejected-{raw.removeprefix('raw_')}.csv"
                header = _header(project.sources.sources[name], raw, project.inbox, readable)
                _write(path, header, readable)
            exports.append(Exported(name, path, len(readable), lines))
    return exports


def _rejected(warehouse: Warehouse, raw: str, day: date) -> dict[str, list[dict[str, Any]]]:
    """Source → its rejected rows of one relation, by file and line."""
    path = warehouse.path(raw.replace("raw_", "rejected_"), day)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if path.exists():
        with warehouse.connect() as connection:
            for row in connection.sql(_rejected_sql(path)).to_arrow_table().to_pylist():
                rows[row["_source"]].append(row | {"cells": _cells(row["raw"])})
    return rows


def _rejected_sql(path: Path) -> str:
    return f"""\
select _source, _file, _row, reasons, raw::varchar as raw
from {parquet_sql(path)}
order by _source, _file, _row"""


def _write(path: Path, header: Header, rows: Sequence[Mapping[str, Any]]) -> None:
    with draft(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, REASONS])
        for row in rows:
            cells = [defuse(row["cells"].get(column) or "") for column in header.values()]
            writer.writerow([*cells, defuse(f"{_place(row)}: {_why(row)}")])


def _cells(raw: str) -> dict[str, str | None]:
    """Raw column → text as landed; columns that no preset knows stand beside them."""
    values: dict[str, Any] = json.loads(raw)
    extra = values.pop("_extra", None) or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    return values | {f"{EXTRA}{name}": value for name, value in extra.items()}


def _header(source: Source, raw: str, inbox: Path, rows: Sequence[Mapping[str, Any]]) -> Header:
    """Header → the key of its values: as the first file has it, else as the preset spells it.

    Columns that only other rows have come last.
    """
    header = _as_in_file(source, raw, inbox, rows[0]["_file"]) or _as_in_preset(source, raw)
    used = {key for row in rows for key, value in row["cells"].items() if value}
    extra_keys = sorted(used - {*header.values()})
    return header | {key.removeprefix(EXTRA): key for key in extra_keys}


def _as_in_file(source: Source, raw: str, inbox: Path, name: str) -> Header:
    """The header of a file that is still there and was not changed beyond recognition."""
    from pipelines.sources.cells_sql import OTHER
    from pipelines.sources.inbox import irregular
    from pipelines.sources.layout import layout
    from pipelines.sources.readers.choice import parts
    from pipelines.sources.readers.reader import Unreadable
    from pipelines.sources.shapes import column_names

    if irregular(path := inbox / name, inbox):
        return {}
    try:
        found = layout(parts(path, source), source)
    except Unreadable:
        return {}
    fitted = found.fit
    if fitted.shape.relation != raw or fitted.labels:
        # An address of a file of customers comes back in a file of addresses, and a phone that its
        # label calls mobile under the name of that column.
        return {}
    spelled = column_names(found.header)
    keys = {place: f"{EXTRA}{spelled[place]}" for place in fitted.places}
    keys |= {place: f"{EXTRA}{name}" for place, name in fitted.repeated.items()}
    for prefix, block in zip(("", OTHER), fitted.blocks, strict=False):
        keys |= {places[0]: f"{prefix}{part}" for part, places in block.items()}
    keys |= {places[0]: column for column, places in fitted.columns.items()}
    return {spelled[place]: keys[place] for place in fitted.places}


def _as_in_preset(source: Source, raw: str) -> Header:
    """One spelling for each column, the first that the preset has."""
    shape = next(shape for shape in source.shapes() if shape.relation == raw)
    spelled = {column: shape.header_of(column) for column in RAW[raw]}
    return {name: column for column, name in spelled.items() if name is not None}


def _is_unreadable(row: Mapping[str, Any]) -> bool:
    return any(reason["kind"] == "Unreadable" for reason in row["reasons"])


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['_file']}:{row['_row']}"


def _why(row: Mapping[str, Any]) -> str:
    return "; ".join(_explained(reason) for reason in row["reasons"])


def _explained(reason: Mapping[str, Any]) -> str:
    field = f"{reason['field']}: " if reason["field"] else ""
    value = f" ({reason['value']!r})" if reason["value"] else ""
    return f"{field}{reason['message']}{value}"


def places(exported: Sequence[Exported]) -> Iterator[str]:
    """The lines nobody could read, over all files."""
    for export in exported:
        yield from export.unreadable
