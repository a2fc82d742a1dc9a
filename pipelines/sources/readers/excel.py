"""Excel: the rows of one sheet; a number without decimals has none, a date is ISO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.sources.model import Format
from pipelines.sources.readers.reader import Places, Unreadable
from pipelines.sources.readers.records import Record, load_records

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Excel:
    """One workbook, of which one sheet is read."""

    path: Path
    form: Format

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        first = next(iter(self._cells()), [])
        names = [_text(cell) or "" for cell in first]
        while names and not names[-1].strip():
            names.pop()
        if not names:
            raise Unreadable("the first row is blank; it must name the columns", 1)
        return names

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        rows = self._rows(places, len(self.header()))
        load_records(connection, name, places, rows, self.form.null_markers)

    def _rows(self, places: Places, width: int) -> Iterator[Record]:
        for row, cells in enumerate(self._cells(), 1):
            texts = [_text(cell) for cell in cells]
            if row == 1 or not any(texts):
                continue
            if any(texts[width:]):
                yield Record(
                    row, (), f"values beyond the {width} columns of the header (row {row})"
                )
            else:
                yield Record(row, [texts[at] for at in (*places.kept, *places.withheld)])

    def _cells(self) -> list[list[Any]]:
        import python_calamine

        try:
            book = python_calamine.CalamineWorkbook.from_path(self.path)
            sheet = book.get_sheet_by_name(self._sheet(book))
            return sheet.to_python(skip_empty_area=False)
        except python_calamine.PasswordError:
            raise Unreadable("the workbook has a password; save it without one") from None
        except (python_calamine.CalamineError, OSError, ValueError, OverflowError):
            raise Unreadable("not a workbook, or a damaged one; save it again from Excel") from None

    def _sheet(self, book: Any) -> str:
        names: list[str] = book.sheet_names
        if self.form.sheet is not None:
            if self.form.sheet not in names:
                raise Unreadable(f"no sheet {self.form.sheet!r}; there are {', '.join(names)}")
            return self.form.sheet
        full = [name for name in names if book.get_sheet_by_name(name).start is not None]
        if len(full) > 1:
            advice = "say 'format: {sheet: …}' for this source in sources.yaml"
            raise Unreadable(f"the sheets {', '.join(full)} all hold rows; {advice}")
        if not full:
            raise Unreadable("the workbook is empty; remove it, or export it again")
        return full[0]


def _text(cell: Any) -> str | None:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return None if cell is None else str(cell)
