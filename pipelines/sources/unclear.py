"""What files seem to say of consent and nobody can read: whole columns, and single cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.sources.inbox import InboxFile
    from pipelines.sources.model import Sources
    from pipelines.sources.shapes import Fit


@dataclass(frozen=True)
class UnreadColumn:
    """A column that looks like consent and that nothing reads.

    Attributes:
        source: whose.
        header: as its file writes it.
        cells: how many are filled.
    """

    source: str
    header: str
    cells: int

    def __str__(self) -> str:
        header = self.header.replace("\\", "\\\\").replace('"', '\\"')
        cells = "1 filled cell" if self.cells == 1 else f"{self.cells:,} filled cells"
        return (
            f"{self.source}: the column {self.header!r} looks like consent, with {cells}, and"
            " nothing reads it; say what it is in sources.yaml, under"
            f' {self.source}: columns: {{"{header}": ignore}}, or in place of ignore: opted_out,'
            " opted_in, opted_out_at, opted_in_at, do_not_call"
        )


@dataclass(frozen=True)
class UnclearCell:
    """A text that should say yes or no, and of which nobody knows which.

    Attributes:
        source: whose.
        header: of the column.
        value: the text.
        cells: how many hold it.
        place: the first of them, as file:line.
    """

    source: str
    header: str
    value: str
    cells: int
    place: str

    def __str__(self) -> str:
        more = "" if self.cells == 1 else f" and {self.cells - 1:,} more"
        return (
            f"{self.place}{more}: {self.header!r} says {self.value!r}, which is neither yes nor no:"
            " a record that is made is opted out, one that is there is left alone"
        )


class Opened(Protocol):
    """A file whose rows are a view."""

    @property
    def file(self) -> InboxFile:
        """Which one."""

    @property
    def names(self) -> list[str]:
        """Its headers."""

    @property
    def fit(self) -> Fit:
        """How they are read."""

    @property
    def view(self) -> str:
        """The view's name."""


def unread_columns(
    connection: DuckDBPyConnection, opened: Iterable[Opened]
) -> list[dict[str, Any]]:
    """The columns of files that look like consent, are read by nothing and are not blank."""
    cells: dict[tuple[str, str], int] = {}
    for one in opened:
        if not one.fit.unread:
            continue
        numbers = connection.execute(_filled_sql(one.view, one.fit.unread)).fetchone() or ()
        for place, number in zip(one.fit.unread, numbers, strict=True):
            column = (one.file.source, one.names[place])
            cells[column] = cells.get(column, 0) + number
    return [
        asdict(UnreadColumn(*column, cells[column])) for column in sorted(cells) if cells[column]
    ]


def _filled_sql(view: str, places: Sequence[int]) -> str:
    return f"select {', '.join(f'count(c{place})' for place in places)} from {view}"


def unclear_cells(
    connection: DuckDBPyConnection, config: Sources, paths: Sequence[Path]
) -> list[dict[str, Any]]:
    """The cells of landed rows that should say yes or no, and do not, by their texts."""
    if not connection.execute(_any_sql(paths)).fetchall():
        return []
    formats = [(name, source.format.day_first) for name, source in config.sources.items()]
    rows = connection.execute(_unclear_sql(formats, paths)).fetchall()
    return [asdict(UnclearCell(*row)) for row in rows]


def _any_sql(paths: Sequence[Path]) -> str:
    rows = parquet_sql(*paths, union_by_name=True)
    return f"select 1 from {rows} where _consent is not null limit 1"


def _unclear_sql(formats: Iterable[tuple[str, bool | None]], paths: Sequence[Path]) -> str:
    values = ", ".join(
        f"({literal(name)}, {'null' if first is None else str(first).lower()}::boolean)"
        for name, first in formats
    )
    return f"""
        with landed as (
            select _source, _file, _row, _consent, _loaded_at
            from {parquet_sql(*paths, union_by_name=True)}
            where _consent is not null
        ),
        read as (
            select
                _source,
                _file,
                _row,
                unnest(consent_cells(_consent, formats.day_first, 'UTC', _loaded_at)) as cell
            from landed
            left join (values {values or "(null::varchar, null::boolean)"})
                as formats (source, day_first) on formats.source = _source
        )
        select
            _source,
            cell.header,
            cell.value,
            count(*),
            arg_min(_file || ':' || _row, (_file, _row))
        from read
        where cell.says = 'unreadable'
        group by _source, cell.header, cell.value
        order by _source, cell.header, cell.value
    """
