"""What of a file's cells is left out on the way, counted by reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.relations import ENTITIES
from pipelines.sync.mapping.addresses import LEFT_OUT
from pipelines.sync.mapping.compile import CUT, HELD_NEW
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.validate.cells import blanked_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch


@dataclass(frozen=True)
class Noted:
    """One reason, and what it met.

    Attributes:
        subject: the column, or the object whose records it is said of.
        reason: in words.
        number: of cells or records.
        place: the first, as ``file:line``; none of an account.
        example: a value it was said of, where one is known.
        waits: whether these records are not written.
    """

    subject: str
    reason: str
    number: int
    place: str | None
    example: str | None = None
    waits: bool = False


def blanked(batch: Batch, connection: DuckDBPyConnection) -> tuple[Noted, ...]:
    """Cells that staging or the rules left out, by column and reason, the most frequent first."""
    found: list[Noted] = []
    for entity in ENTITIES:
        name = f"valid_{entity}"
        batch.bind_table(connection, name)
        for _, column, why, cells, example, place in connection.execute(
            blanked_sql(name)
        ).fetchall():
            found.append(Noted(column, why, cells, place, example))
    return tuple(sorted(found, key=lambda one: (-one.number, one.subject, one.reason)))


def noted(batch: Batch, connection: DuckDBPyConnection) -> tuple[Noted, ...]:
    """What the mappings leave out, cut or let wait, by object and reason."""
    for name in ("person_links", "person_records"):
        batch.bind_table(connection, name)
    found: list[Noted] = []
    for stem, mapping in batch.mappings.items():
        name = relation("sf", stem)
        batch.bind_table(connection, name)
        rows = connection.execute(_noted_sql(name)).fetchall()
        found += [
            Noted(mapping.object, why, number, place, waits=waits)
            for why, waits, number, place in rows
        ]
    return tuple(sorted(found, key=lambda one: (not one.waits, -one.number, one.reason)))


def _noted_sql(name: str) -> str:
    return f"""\
with notes as (
    select key, _held as why, true as waits from {name} where _held is not null
    union all
    select key, {HELD_NEW}, true from {name} where {HELD_NEW} is not null
    union all
    select key, {EXCLUDED}, true from {name} where {EXCLUDED} is not null
    union all
    select key, {LEFT_OUT}, false from {name} where {LEFT_OUT} is not null
    union all
    select key, cut.field || ': ' || cut.why, false
    from (select key, unnest({CUT}) as cut from {name})
),

places as (
    select links.person_key as key, min({{'file': records._file, 'row': records._row}}) as place
    from person_links as links
    join person_records as records on records.record = links.record
    group by links.person_key
),

placed as (
    select notes.*, places.place
    from notes
    left join places on places.key = notes.key
)

select why, waits, count(*), min(place).file || ':' || min(place).row
from placed
group by why, waits"""
