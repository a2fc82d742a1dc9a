"""What files seem to say of consent and nobody can read: whole columns, and single cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.sources.cells import Cells
    from pipelines.sources.model import Sources


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


def unread_columns(cells: Mapping[str, Cells]) -> list[UnreadColumn]:
    """The columns that look like consent and are read by nothing, given each source's cells."""
    return [
        UnreadColumn(source, header, one.cells)
        for source, found in sorted(cells.items())
        for header, one in sorted(found.unread.items())
        if one.is_consent
    ]


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
