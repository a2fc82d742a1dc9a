"""A file whose header was understood, and where each of its cells goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.errors import Problem
from pipelines.sources.cells import Cells, counted
from pipelines.sources.inbox import InboxFile
from pipelines.sources.landing_sql import cells_sql, filled_sql, landed_columns
from pipelines.sources.model import Source
from pipelines.sources.readers.json_file import JsonFile
from pipelines.sources.readers.reader import Places, Reader, Remark
from pipelines.sources.repaired import rows_as_meant_sql
from pipelines.sources.shapes import Fit

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_KNOWN_BY = ("last_name", "name", "email", "parent_id")
"""Raw columns of contacts that say who a row is."""


@dataclass(frozen=True)
class OpenedFile:
    """A file whose header was understood, and the view its rows will be.

    Attributes:
        file: which.
        source: whose.
        reader: reads it.
        names: its headers, by position.
        fit: what they are.
        view: the view's name.
        found: what had to be found out to read it.
        all_filled: whether no cell of it is nothing but blanks, and no row without any cell.
        every: rows of the view, blank ones too; ``counts`` is the row of ``cells_sql`` about them.
    """

    file: InboxFile
    source: Source
    reader: Reader
    names: list[str]
    fit: Fit
    view: str
    found: tuple[Remark, ...]
    all_filled: bool = False
    every: int = 0
    counts: tuple[Any, ...] = ()

    @property
    def remarks(self) -> list[Problem]:
        """What is to be known of it, once it is loaded."""
        every = (*self.found, *self.reader.remarks, *self._nameless())
        return [Problem(str(self.file.path), one.line, one.message) for one in every]

    def _nameless(self) -> Iterator[Remark]:
        """Said once of the file, where each of its rows would be rejected for the same reason."""
        has = {*self.fit.columns, *self.source.constants}
        if self.fit.shape.relation == "raw_contacts" and has.isdisjoint(_KNOWN_BY):
            text = (
                "no column gives a last name or an e-mail address, so that only rows with a company"
                " and a phone number come in; if one has another name, say so under 'columns' of"
                " this source in sources.yaml"
            )
            yield Remark(None, text)

    def loaded(self, connection: DuckDBPyConnection) -> OpenedFile:
        """The same once the view of its rows is made and counted.

        Most files have no cell of nothing but blanks and no row without any: one look tells, and
        then no cell is looked at twice.
        """
        self.reader.load(connection, self.view, Places(self.fit.places, self.fit.withheld))
        filled = replace(self, all_filled=True)
        [counts] = connection.execute(cells_sql(filled.rows, self.fit, self.names)).fetchall()
        every, *in_places = counts[: 1 + len(self.fit.places)]
        if counts[-1] or every not in in_places:
            [counts] = connection.execute(cells_sql(self.rows, self.fit, self.names)).fetchall()
            filled = self
        return replace(filled, every=every, counts=counts[:-1])

    @property
    def rows(self) -> str:
        """What to select its rows from: as meant, and without those in which nothing stands."""
        meant = rows_as_meant_sql(self.view, self.names, self.fit.places)
        if self.all_filled:
            return meant
        return filled_sql(meant, self.fit.places, self.fit.withheld)

    @property
    def cells(self) -> Cells:
        """Where its filled cells go."""
        return counted(self.counts, self.every, self.fit, self.names)

    @property
    def filled_columns(self) -> dict[str, int]:
        """Raw column → rows that must have it, where each row is one row of one relation."""
        columns = list(landed_columns(self.fit))
        numbers = self.counts[len(self.counts) - len(columns) :]
        return dict(zip(columns, numbers, strict=True))

    def withheld(self, connection: DuckDBPyConnection) -> Counter[tuple[str, str]]:
        """(Source, header) → how many cells of it were filled and have not landed."""
        cells: Counter[tuple[str, str]] = Counter()
        if self.fit.withheld:
            numbers = connection.execute(_withheld_sql(self.view, self.fit.withheld)).fetchone()
            for place, number in zip(self.fit.withheld, numbers or (), strict=True):
                cells[self.file.source, self.names[place]] += number
        if isinstance(self.reader, JsonFile):
            for name, number in self.reader.nested.items():
                cells[self.file.source, name] += number
        return cells


def _withheld_sql(view: str, places: Sequence[int]) -> str:
    return f"select {', '.join(f'count(w{at})' for at in places)} from {view}"
