"""What an org does not take of optional fields, counted for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.unsent import UNSENT

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from pipelines.sync.mapping.model import ObjectMapping
    from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class Unsent:
    """Values of one optional field that the org does not take.

    Attributes:
        object: the sObject.
        field: its field.
        why: what keeps them.
        rows: how many records have such a value.
        value: the first of them by the alphabet.
    """

    object: str
    field: str
    why: str
    rows: int
    value: str

    def __str__(self) -> str:
        """In words, for people."""
        return f"{self.rows:,} of {self.object}.{self.field}: {self.why}, such as {self.value}"


def unsent(
    warehouse: Warehouse, connection: DuckDBPyConnection, mapping: ObjectMapping, day: date
) -> tuple[Unsent, ...]:
    """By field and reason, the most frequent first; none of a batch that was not mapped."""
    name = relation("sf", mapping.stem)
    if not warehouse.path(name, day).exists():
        return ()
    warehouse.bind(connection, name, [day])  # an older file lacks the column
    rows = connection.execute(_unsent_sql(name)).fetchall()
    return tuple(Unsent(mapping.object, *row) for row in rows)


def _unsent_sql(name: str) -> str:
    return f"""\
select value.field, value.why, count(*), min(value.value)
from (select unnest({UNSENT}) as value from {name})
group by value.field, value.why
order by count(*) desc, value.field, value.why"""
