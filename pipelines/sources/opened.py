"""A file whose header was understood, and where each of its cells goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """A file whose header was understood, and the view its rows will be."""

    file: InboxFile
    source: Source
    reader: Reader
    names: list[str]
    fit: Fit
    view: str
    found: tuple[Remark, ...]

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

    def load(self, connection: DuckDBPyConnection) -> None:
        """Make the view of its rows."""
        self.reader.load(connection, self.view, Places(self.fit.places, self.fit.withheld))

    @property
    def rows(self) -> str:
        """What to select its rows from: as meant, and without those in which nothing stands."""
        meant = rows_as_meant_sql(self.view, self.names, self.fit.places)
        return filled_sql(meant, self.fit.places, self.fit.withheld)

    def cells(self, connection: DuckDBPyConnection) -> tuple[Cells, dict[str, int]]:
        """Where its filled cells go; and of each raw column how many rows must have it.

        The latter only of a file whose rows are each one row of one relation.
        """
        [(rows,)] = connection.execute(_rows_sql(self.view)).fetchall()
        [counts] = connection.execute(cells_sql(self.rows, self.fit, self.names)).fetchall()
        columns = list(landed_columns(self.fit))
        numbers = counts[len(counts) - len(columns) :]
        return counted(counts, rows, self.fit, self.names), dict(zip(columns, numbers, strict=True))

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


def _rows_sql(view: str) -> str:
    return f"select count(*) from {view}"


def _withheld_sql(view: str, places: Sequence[int]) -> str:
    return f"select {', '.join(f'count(w{at})' for at in places)} from {view}"
