"""Where each column of a file goes: raw column and fields, unread, or withheld."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sources.consent import golden_columns
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.shapes import column_names
from pipelines.trial.lineage import fields_of
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch
    from pipelines.sources.land import Landed
    from pipelines.sources.layout import Layout
    from pipelines.sources.shapes import Fit


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes:
        header: its name.
        raw: the raw columns it becomes; none where nothing reads it, or it is a secret.
        fields: the fields these end in, ``Object.Field``, of what the rows become.
        secret: whether its cells never land.
        cells: how many are filled, where nothing reads them or they are secrets.
        example: one of them that nothing reads.
    """

    header: str
    raw: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    secret: bool = False
    cells: int = 0
    example: str | None = None

    @property
    def is_read(self) -> bool:
        """Whether its cells go anywhere; a secret is meant not to."""
        return bool(self.raw) or self.secret


def columns(
    batch: Batch,
    connection: DuckDBPyConnection,
    layout: Layout,
    landed: Landed,
    objects: Collection[str],
) -> tuple[Column, ...]:
    """Every column of a file that has landed, in its order.

    Args:
        batch: that it landed with, alone.
        connection: to read with.
        layout: of the file.
        landed: what came of it.
        objects: those whose records its rows become.
    """
    names, relation = column_names(layout.header), layout.fit.shape.relation
    raw, fields = _raw(layout.fit, relation), fields_of(batch.project, objects)
    unread = _unread(connection, batch.path(relation))
    [withheld] = landed.withheld.values() or [{}]
    found = []
    for place, name in enumerate(names):
        ends = raw.get(place, [])
        if place in layout.fit.withheld:
            found.append(Column(name, secret=True, cells=withheld.get(name, 0)))
        elif ends:
            reached = dict.fromkeys(field for end in ends for field in fields.get(end, ()))
            short = dict.fromkeys(end.partition(".")[2] for end in ends)
            found.append(Column(name, tuple(short), tuple(reached)))
        elif place in layout.fit.places:
            cells, example = unread.get(name, (0, None))
            found.append(Column(name, cells=cells, example=example))
    return tuple(found)


def _raw(fit: Fit, relation: str) -> dict[int, list[str]]:
    """Position → the raw columns that take its cells, ``raw_x.column``."""
    taken: dict[int, list[str]] = defaultdict(list)
    groups = [(relation, fit.columns), (ADDRESSES, fit.addresses)]
    groups += [(ADDRESSES if fit.shape.addresses is not None else relation, b) for b in fit.blocks]
    for name, group in groups:
        for column, places in group.items():
            for place in places:
                if (end := f"{name}.{column}") not in taken[place]:
                    taken[place].append(end)
    for place in fit.ids:
        taken[place].append(f"{relation}.{fit.shape.id}")
    for place, kind in fit.consent:
        taken[place] += [f"{relation}.{golden}" for golden in golden_columns(kind)]
    return taken


def _unread(connection: DuckDBPyConnection, raw: Path) -> dict[str, tuple[int, str]]:
    """Header → how many of its cells are kept in ``_extra``, and the first of them."""
    rows = connection.execute(_unread_sql(raw)).fetchall()
    return {name: (cells, example) for name, cells, example in rows}


def _unread_sql(raw: Path) -> str:
    return f"""\
with cells as (
    select _row, unnest(map_entries(_extra::map(varchar, varchar))) as cell
    from {parquet_sql(raw)}
    where _extra is not null
)

select cell.key, count(cell.value), arg_min(cell.value, _row)
from cells
where cell.value is not null
group by cell.key"""
