"""Lines below the last row that are no rows: who made the report, when, and totals.

They are left out only where that is certain, and counted. A line is *lone* where it has one cell
and the header has several. A block of lines below a blank one is a footer where each is lone or
says so itself, and at least one says so; right below the rows each line has to say so. Whatever
holds more than that is a row, to be judged as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipelines.sources.readers.records import Record

MOST = 30
"""Lines at the end of a file that are looked at."""

_SAYS_SO = re.compile(
    r"""
    (all\ content\ )?copyright\ (\(c\)|©|\d{4}).* | ©\ ?\d{4}.* | .*\ all\ rights\ reserved\.?
    | confidential\ information\b.*
    | (this\ )?(report|file|list)?\ ?(was\ )?(generated|created|exported|printed|run)
        \ ?(by|on|at|from)?:?\ .*\d.*
    | (grand\ |sub-?\ ?)?totals?(\ \([^()]*\)|:)?
    | (grand\ )?total\ (records|rows|contacts|count)\b:?\ ?\d*
    | \d[\d.,]*\ (records?|rows?|contacts?|results?|entries|leads?)
        (\ (found|exported|in\ total|total))?\.?
    | (page|seite|página|pagina)\ \d+(\ (of|/|von|de|di)\ \d+)? | page\ \d+/\d+
    | (---*\ ?)?end\ of\ (the\ )?(report|file|export|list)(\ ?---*)?\.?
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""As Salesforce, and most that make reports, write it."""

_TOTAL = re.compile(
    r"(grand |sub-?)?totals?( \([^()]*\))?:?|count:?|summe:?|gesamt:?", re.IGNORECASE
)
_AMOUNT = re.compile(r"[-$€£ ]*\d{1,3}([., ]?\d{3})?([.,]\d{1,2})?( ?[%€$£])?")
"""No phone number: at most six digits before the decimals."""


class Line(NamedTuple):
    """A line of a file that may be below its rows.

    Attributes:
        cells: those that are filled; none in a blank line.
        lone: whether it has one cell and the header has several.
        record: the row that it is if it is no footer; none for a blank line.
    """

    cells: tuple[str, ...]
    lone: bool
    record: Record | None


def may_be(cells: Sequence[str]) -> bool:
    """Whether these filled cells of a line may be all there is in a footer."""
    return len(cells) < 2 or _is_total(cells)


def rows_above(lines: Iterable[Line], footer: list[Line]) -> Iterator[Record]:
    """The rows of ``lines``; what stands below them as a footer is put into ``footer``."""
    held: list[Line] = []
    for line in lines:
        if not may_be(line.cells):
            yield from _records(held)
            held.clear()
            if line.record is not None:
                yield line.record
            continue
        held.append(line)
        if len(held) > MOST:
            yield from _records([held.pop(0)])
    at = start(held)
    yield from _records(held[:at])
    footer += [line for line in held[at:] if line.cells]


def start(lines: Sequence[Line]) -> int:
    """Where the footer begins among the last lines of a file; their number if there is none."""
    end = len(lines)
    begin = end
    while begin:
        first = begin
        while first and not lines[first - 1].cells:
            first -= 1  # blank lines between, or at the end
        block = first
        while block and lines[block - 1].cells and may_be(lines[block - 1].cells):
            block -= 1
        at = _certain(lines[block:first], below_blank=block > 0 and not lines[block - 1].cells)
        if at is None:
            break
        begin = block + at
        if at or not begin:
            break
    return begin


def _certain(block: Sequence[Line], *, below_blank: bool) -> int | None:
    """From which line on a block without blank lines is a footer; None if it is none."""
    says = [_says_so(line) for line in block]
    if below_blank and any(says) and all(_says_so(line) or _is_lone(line) for line in block):
        return 0
    at = len(block)
    while at and says[at - 1]:
        at -= 1
    return at if at < len(block) else None


def _says_so(line: Line) -> bool:
    if len(line.cells) > 1:
        return _is_total(line.cells)
    return bool(line.cells and _SAYS_SO.fullmatch(line.cells[0].strip()))


def _is_lone(line: Line) -> bool:
    return line.lone and "@" not in line.cells[0]


def _is_total(cells: Sequence[str]) -> bool:
    first, *others = (cell.strip() for cell in cells)
    return bool(_TOTAL.fullmatch(first)) and all(map(_AMOUNT.fullmatch, others))


def _records(lines: Iterable[Line]) -> Iterator[Record]:
    return (line.record for line in lines if line.record is not None)
