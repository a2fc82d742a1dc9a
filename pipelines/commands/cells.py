"""Where the cells of a batch's files are, in words: how many, and which columns nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sources.cells import Cells
    from pipelines.summary import Summary

MOST = 12
"""Columns of one source that are listed."""

REASONS = {
    "placeholder": "left out as placeholders",
    "invisible": "left out: nothing in them can be seen",
    "digits_lost": "left out: a spreadsheet lost their digits",
    "remark": "with more in them than their value",
    "entities": "decoded from HTML",
    "mojibake": "that look like UTF-8 read as Windows-1252",
}
"""Why a cell is not, or not all, in its column, in words; else a rule's name says it."""


def cell_lines(batch_summary: Summary) -> Iterator[str]:
    """The cells of each source in one line, then its columns that nothing reads."""
    for place, (source, cells) in enumerate(sorted(batch_summary.cells.items())):
        first = "\n" if place == 0 else ""
        yield f"{first}{source}: {counts(cells)}"
        yield from reason_lines(cells)
        yield from unread_lines(source, cells)


def reason_lines(cells: Cells) -> Iterator[str]:
    """Why cells are not, or not all, in their column."""
    for one in cells.reasons[:MOST]:
        reason = REASONS.get(one.why, f"left out ({one.why.replace('_', ' ')})")
        number = "1 cell" if one.cells == 1 else f"{one.cells:,} cells"
        yield f"  {one.column}: {number} {reason}, such as {one.example!r}"
    if len(cells.reasons) > MOST:
        yield f"  and {len(cells.reasons) - MOST:,} more reasons: status --json"


def counts(cells: Cells) -> str:
    """Where the cells are: ``cells: 41,300 read, 212 kept (_extra), 3 withheld``."""
    numbers = [
        (cells.read, "read"),
        (cells.kept, "kept (_extra)"),
        (cells.withheld, "withheld"),
        (cells.left_out, "left out (_blanked)"),
        (cells.rejected, "in rejected rows"),
    ]
    told = [f"{number:,} {what}" for number, what in numbers if number or what == "read"]
    blank = f"; {cells.blank_rows:,} blank rows are none" if cells.blank_rows else ""
    return f"cells: {', '.join(told)}{blank}"


def unread_lines(source: str, cells: Cells) -> Iterator[str]:
    """Each header that nothing reads, with the line that says what it is."""
    if not cells.unread:
        return
    yield f"  nothing reads these columns of {source}:"
    unread = sorted(cells.unread.items(), key=lambda one: (-one[1].cells, one[0]))
    for header, column in unread[:MOST]:
        yield f"    {header!r}: {column.cells:,} cells, such as {column.example!r}"
    if len(unread) > MOST:
        yield f"    and {len(unread) - MOST:,} more: they stand in _extra, and in status --json"
    header = unread[0][0].replace('"', '\\"')
    yield f'  to read one, say under {source} in sources.yaml: columns: {{"{header}": COLUMN}}'
