"""A table whose cells are at hand: of a sheet, or of a page. Rows are known by their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.sources.format import Format
from pipelines.sources.readers.footers import Line, rows_above
from pipelines.sources.readers.reader import (
    HEAD_LINES,
    Places,
    Remark,
    Tabular,
    Unreadable,
    footer_remarks,
    named_by_place,
)
from pipelines.sources.readers.records import Record, load_records

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        form: how it is written.
        read: reads its rows, from the first on, the blank ones too.
        name: what it is called in its file; none where there is but one.
    """

    form: Format
    read: Callable[[], Sequence[Cells]]
    name: str = ""
    remarks: list[Remark] = field(default_factory=list, compare=False)

    @cached_property
    def rows(self) -> Sequence[Cells]:
        """Its rows, as texts; a blank cell is none or an empty text."""
        return self.read()

    @property
    def filled(self) -> int:
        """How many of its rows are not blank."""
        return sum(map(any, self.rows))

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        at = self.form.header or 1
        if at == "none":
            return named_by_place(max(map(len, map(_names, self.rows)), default=0))
        names = _names(self.rows[at - 1]) if at <= len(self.rows) else []
        if not names:
            row = "the first row" if at == 1 else f"row {at}"
            raise Unreadable(f"{row} is blank; it must name the columns", at)
        return names

    def first_line(self) -> int:
        """See ``Tabular.first_line``."""
        return 1

    def elsewhere(self) -> Iterator[tuple[Tabular, list[str]]]:
        """See ``Tabular.elsewhere``."""
        rows = self.rows
        for row, cells in enumerate(rows[:HEAD_LINES], 1):
            if self.form.header in (None, row):
                form = self.form.model_copy(update={"header": row})
                yield replace(self, form=form, read=lambda: rows), _names(cells)

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        footer: list[Line] = []
        rows = rows_above(self._lines(places, len(self.header())), footer)
        load_records(connection, name, places, rows, self.form.null_markers)
        numbers = [line.record.row for line in footer if line.record]
        self.remarks.extend(footer_remarks(numbers))
        self.__dict__.pop("rows")  # the largest thing there is

    def _lines(self, places: Places, width: int) -> Iterator[Line]:
        above = 0 if self.form.header == "none" else self.form.header or 1
        for row, cells in enumerate(self.rows[above:], above + 1):
            values = [cells[at] if at < len(cells) else None for at in range(width)]
            if any(cells[width:]):
                reason = f"values beyond the {width} columns of the header (row {row})"
                yield Line(("", ""), lone=False, record=Record(row, (), reason))
                continue
            record = Record(row, [values[at] for at in (*places.kept, *places.withheld)])
            filled = tuple(value for value in values if value and value.strip())
            if filled and width == 1:
                filled = ("", "")
            yield Line(filled, lone=False, record=record if filled else None)


def _names(cells: Cells) -> list[str]:
    names = [cell or "" for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    return names
