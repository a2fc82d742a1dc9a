"""Where the cells of a batch's files are, in words: how many, and which columns nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.sources.cells import unread_lines

if TYPE_CHECKING:
    from pipelines.sources.cells import Cells
    from pipelines.summary import Summary

MOST = 12
"""Columns and reasons of one source that are listed."""

REASONS = {
    "placeholder": "left out as placeholders",
    "invisible": "left out: nothing in them can be seen",
    "no_name": "left out: no part of a name",
    "digits_lost": "left out: a spreadsheet lost their digits",
    "phone_format": "left out: no phone number",
    "email_format": "left out: no e-mail address",
    "country_format": "left out: no country",
    "birthdate_readable": "left out: no date that can be read for certain",
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
        yield from (f"  {line}" for line in unread_lines(source, cells, MOST))


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
    parts = [f"{number:,} {what}" for number, what in numbers if number or what == "read"]
    blank = f"; {cells.blank_rows:,} blank rows left out" if cells.blank_rows > 1 else ""
    blank = "; 1 blank row left out" if cells.blank_rows == 1 else blank
    return f"cells: {', '.join(parts)}{blank}"
