"""Excel: the sheets of a workbook; cells as shown, but quantities as numbers and dates as ISO."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.sources.format import Format
from pipelines.sources.readers.cell_formats import formats_of_xlsx
from pipelines.sources.readers.grid import Cells, Grid
from pipelines.sources.readers.number_formats import shown
from pipelines.sources.readers.reader import Remark, Unreadable
from pipelines.sources.readers.text import open_bytes

OPEN_XML = (".xlsx", ".xlsm")
"""Kinds of workbooks of which the formats of numbers can be read."""

_EXACT = 2**53
"""Whole numbers below it are exact."""


def sheets(path: Path, form: Format) -> list[Grid]:
    """The sheets that may be meant: the one that is declared, else those with rows that one sees.

    Raises:
        Unreadable: it is no workbook, has a password, or no such sheet.
    """
    with _opened(path) as book:
        names: list[str] = book.sheet_names
        hidden = {sheet.name for sheet in book.sheets_metadata if _visible(sheet) != "Visible"}
        if form.sheet is not None and form.sheet not in names:
            raise Unreadable(f"no sheet {form.sheet!r}; there are {', '.join(names)}")
        chosen = names if form.sheet is None else [form.sheet]
        full = [name for name in chosen if _has_cells(book, name)]
    seen = [name for name in full if name not in hidden] or full
    if not full:
        raise Unreadable("the workbook is empty; remove it, or export it again")
    left_out = [name for name in full if name not in seen]
    remarks = [Remark(None, f"the sheet {name!r} is hidden and not read") for name in left_out]
    if path.suffix.lower() not in OPEN_XML:
        message = f"of {path.suffix} no formats are read: a number shown as 02134 comes as 2134"
        remarks.append(Remark(None, f"{message}; save it as .xlsx if it has such"))
    return [Grid(form, partial(_rows, path, name), name, [*remarks]) for name in seen]


def _visible(sheet: Any) -> str:
    return str(sheet.visible).rpartition(".")[2]


def _has_cells(book: Any, name: str) -> bool:
    import python_calamine

    try:
        return book.get_sheet_by_name(name).start is not None
    except (python_calamine.CalamineError, ValueError):  # a sheet of a chart has no cells
        return False


def _opened(path: Path) -> Any:
    import python_calamine

    try:
        with open_bytes(path) as stream:
            return python_calamine.CalamineWorkbook.from_filelike(stream)
    except python_calamine.PasswordError:
        raise Unreadable("the workbook has a password; save it without one") from None
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError):
        raise Unreadable("not a workbook, or a damaged one; save it again from Excel") from None


def _rows(path: Path, name: str) -> Sequence[Cells]:
    import python_calamine

    try:
        with _opened(path) as book:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError):
        raise Unreadable("not a workbook, or a damaged one; save it again from Excel") from None
    texts = [[_text(cell) for cell in row] for row in rows]
    if path.suffix.lower() in OPEN_XML:
        for row, column, code in formats_of_xlsx(path, name):
            number = rows[row][column] if row < len(rows) and column < len(rows[row]) else None
            if isinstance(number, float) and number.is_integer() and abs(number) < _EXACT:
                texts[row][column] = shown(int(number), code) or texts[row][column]
    return texts


def _text(cell: Any) -> str | None:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return None if cell is None else str(cell)
