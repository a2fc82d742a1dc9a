"""Rejected rows as CSV that people repair in a spreadsheet and drop into the inbox again.

The header is the source's own, with one more column that says why; landing knows that column by
its name, ignores it, and undoes what ``defuse`` did.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.sources.relations import RAW
from pipelines.warehouse import Warehouse, literal

if TYPE_CHECKING:
    from pipelines.sources.config import Source, Sources

REASONS = "causeway_reasons"

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what spreadsheets run: OWASP, CSV Injection
_PHONE = re.compile(r"\+?[\d(][\d ().,/x-]*|-[\d][\d.,]*")  # phones and numbers are no danger


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


def export(
    warehouse: Warehouse, sources: Sources, day: date, folder: Path, only: str | None = None
) -> list[Exported]:
    """Write ``<folder>/<source>/<day>/rejected-<relation>.csv`` for each source that has some.

    Args:
        warehouse: where ``rejected_*`` lie.
        sources: for the headers.
        day: the batch.
        folder: where to write; files of the same name are replaced.
        only: a source, by default all.
    """
    done = []
    for raw in RAW:
        for name, rows in _rejected(warehouse, raw, day).items():
            if only in (None, name) and name in sources.sources:
                path = folder / name / day.isoformat() / f"rejected-{raw.removeprefix('raw_')}.csv"
                done.append(_write(path, name, sources.sources[name], raw, rows))
    return done


def defuse(value: str) -> str:
    """Make a cell harmless for spreadsheets: what starts like a formula gets an apostrophe.

    Phone numbers stay as they are. ``restore`` undoes it exactly, for every text.
    """
    if value.lstrip("'")[:1] in _FORMULA and value.startswith("'"):
        return f"'{value}"
    if value.startswith(_FORMULA) and not _PHONE.fullmatch(value):
        return f"'{value}"
    return value


def restore(value: str) -> str:
    """What ``defuse`` was given."""
    if value.startswith("'") and value.lstrip("'").startswith(_FORMULA):
        return value[1:]
    return value


def _rejected(warehouse: Warehouse, raw: str, day: date) -> dict[str, list[dict[str, Any]]]:
    """Source → its rejected rows of one relation, by file and line."""
    path = warehouse.path(raw.replace("raw_", "rejected_"), day)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if path.exists():
        with warehouse.connect() as connection:
            for row in connection.sql(_rejected_sql(path)).to_arrow_table().to_pylist():
                rows[row["_source"]].append(row)
    return rows


def _rejected_sql(path: Path) -> str:
    return f"""\
select _source, _file, _row, reasons, raw::varchar as raw
from read_parquet({literal(path)})
order by _source, _file, _row"""


def _write(
    path: Path, name: str, source: Source, raw: str, rows: Sequence[Mapping[str, Any]]
) -> Exported:
    unreadable = [row for row in rows if _is_unreadable(row)]
    cells = [(row, _cells(row["raw"])) for row in rows if not _is_unreadable(row)]
    lines = [f"{row['_file']}:{row['_row']}: {_why(row)}" for row in unreadable]
    if not cells:
        return Exported(name, None, 0, lines)
    header = _header(source, raw, [values for _, values in cells])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, REASONS])
        for row, values in cells:
            shown = [defuse(values.get(column) or "") for column in header.values()]
            writer.writerow([*shown, defuse(f"{row['_file']}:{row['_row']}: {_why(row)}")])
    return Exported(name, path, len(cells), lines)


def _cells(raw: str) -> dict[str, str | None]:
    """Raw column → text as landed; columns that no preset knows stand beside them."""
    values: dict[str, Any] = json.loads(raw)
    extra = values.pop("_extra", None) or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    return values | {f"_extra.{name}": value for name, value in extra.items()}


def _header(source: Source, raw: str, rows: Sequence[Mapping[str, str | None]]) -> dict[str, str]:
    """Header → the key of its values: the source's own spelling, in its own order.

    Of the many spellings that the preset ``generic`` knows, one stands for each used column.
    """
    used = {key for row in rows for key, value in row.items() if value}
    header: dict[str, str] = {}
    for shape in source.shapes():
        spellings = {column: name for name, column in reversed(shape.columns.items())}
        wide = len(shape.columns) > len(spellings)
        if shape.relation == raw and not header:
            header = {
                name: column
                for column, name in reversed(spellings.items())
                if not wide or column in used
            }
    left = sorted(used - {*header.values()})
    return header | {key.removeprefix("_extra."): key for key in left if not key.startswith("__")}


def _is_unreadable(row: Mapping[str, Any]) -> bool:
    return any(reason["kind"] == "Unreadable" for reason in row["reasons"])


def _why(row: Mapping[str, Any]) -> str:
    return "; ".join(_said(reason) for reason in row["reasons"])


def _said(reason: Mapping[str, Any]) -> str:
    field = f"{reason['field']}: " if reason["field"] else ""
    value = f" ({reason['value']!r})" if reason["value"] else ""
    return f"{field}{reason['message']}{value}"


def places(exported: Sequence[Exported]) -> Iterator[str]:
    """The lines nobody could read, over all files."""
    for one in exported:
        yield from one.unreadable
