"""Where each column of a file goes: raw column and fields, unread, or withheld."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sources.cells import Unread
from pipelines.sources.consent import golden_columns
from pipelines.sources.shapes import column_names
from pipelines.trial.lineage import fields_of

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
        ignored: whether its source says that nothing reads it.
        cells: how many are filled, where nothing reads them or they are secrets.
        example: one of them that nothing reads.
    """

    header: str
    raw: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    secret: bool = False
    ignored: bool = False
    cells: int = 0
    example: str | None = None

    @property
    def is_read(self) -> bool:
        """Whether its cells go anywhere, or are meant not to."""
        return bool(self.raw) or self.secret or self.ignored


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
    names = column_names(layout.header)
    raw, fields = _raw(layout.fit), fields_of(batch.project, objects)
    [cells] = landed.cells.values()
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
            ignored, unread = place in layout.fit.ignored, cells.unread.get(name, Unread(0, None))
            found.append(Column(name, ignored=ignored, cells=unread.cells, example=unread.example))
    return tuple(found)


def _raw(fit: Fit) -> dict[int, list[str]]:
    """Position → the raw columns that take its cells, and what of consent it decides."""
    taken = fit.ends
    for place, kind in fit.consent:
        taken[place] += [f"{fit.shape.relation}.{golden}" for golden in golden_columns(kind)]
    return taken
