"""What of people's names was left out or is doubted: each reason once, with where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.warehouse import Warehouse

NAMED = ("contacts", "customers", "subscribers")
"""The entities whose names are read (``sources.full_names``)."""


@dataclass(frozen=True)
class Doubt:
    """One reason of one source.

    Attributes:
        source: the source's name.
        reason: why something was left out of a name, or why the name was not split.
        rows: how many valid rows; one with two reasons counts for each.
        value: what was left out in the first of them, else the name as it was read.
        place: where that stands, as ``file:line``.
    """

    source: str
    reason: str
    rows: int
    value: str
    place: str

    def __str__(self) -> str:
        """In words, for people."""
        return f"{self.rows:,} of {self.source}: {self.reason}, such as {self.value} ({self.place})"


def doubts(warehouse: Warehouse, day: date) -> tuple[Doubt, ...]:
    """Every reason of a batch, by source, the most frequent first."""
    found: list[Doubt] = []
    with warehouse.connect() as connection:
        for entity in NAMED:
            name = f"valid_{entity}"
            if warehouse.path(name, day).exists():
                warehouse.bind(connection, name, [day])  # an older file lacks the columns
                rows = connection.execute(_doubts_sql(name)).fetchall()
                found += (Doubt(*row) for row in rows)
    return tuple(sorted(found, key=lambda one: (one.source, -one.rows, one.reason)))


def _doubts_sql(relation: str) -> str:
    return f"""\
with doubted as (
    select
        _source,
        unnest(string_split(name_doubt, '; ')) as reason,
        coalesce(name_left_out, concat_ws(' ', first_name, last_name)) as value,
        _file,
        _row
    from {relation}
    where name_doubt is not null
)

select
    _source,
    reason,
    count(*),
    arg_min(value, (_file, _row)),
    arg_min(_file || ':' || _row, (_file, _row))
from doubted
group by _source, reason"""
