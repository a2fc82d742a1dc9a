"""Where the cells of a batch's files are, in words: how many, and which columns nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sources.cells import Cells
    from pipelines.summary import Summary

MOST = 12
"""Columns of one source that are listed."""


def cell_lines(batch_summary: Summary) -> Iterator[str]:
    """The cells of each source in one line, then its columns that nothing reads."""
    for place, (source, cells) in enumerate(sorted(batch_summary.cells.items())):
        first = "\n" if place == 0 else ""
        yield f"{first}{source}: {counts(cells)}"
        yield from unread_lines(source, cells)


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
