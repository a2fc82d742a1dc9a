"""Why rows of a batch were rejected: each reason once, with how many rows and where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.sources.relations import RAW
from pipelines.validate.judge_sql import KINDS
from pipelines.warehouse import Warehouse, literal, parquet_sql

MOST_PLACES = 5
"""Lines of files that are named of one reason, where nobody asks for more."""


@dataclass(frozen=True)
class Reason:
    """One reason of one source, and the rows that it rejected.

    Attributes:
        source: the source's name.
        entity: what its rows are.
        kind: one of ``judge_sql.KINDS``.
        field: the column that is wrong; blank where it is the row.
        message: what is asked for.
        value: of the first such row, where there is one.
        rows: how many rows; one that has several reasons counts for each.
        places: the first of them, as ``file:line``.
    """

    source: str
    entity: str
    kind: str
    field: str
    message: str
    value: str | None
    rows: int
    places: tuple[str, ...]

    @property
    def text(self) -> str:
        """The reason in words, the same for all of its rows."""
        return f"{self.field}: {self.message}" if self.field else self.message


def reasons(
    warehouse: Warehouse, day: date, source: str | None = None, *, places: int = MOST_PLACES
) -> list[Reason]:
    """Every reason of a batch, by source, the most frequent first.

    Args:
        warehouse: whose relations.
        day: the batch.
        source: only this one.
        places: how many lines are named of each.
    """
    found: list[Reason] = []
    with warehouse.connect() as connection:
        for raw in RAW:
            entity = raw.removeprefix("raw_")
            path = warehouse.path(f"rejected_{entity}", day)
            if path.exists():
                rows = connection.execute(_reasons_sql(path), [source, places]).fetchall()
                found += (
                    Reason(name, entity, kind, field or "", message, value, number, tuple(lines))
                    for name, kind, field, message, value, number, lines in rows
                )
    return sorted(found, key=lambda one: (one.source, -one.rows, one.entity, one.text))


def by_source(found: Iterable[Reason]) -> dict[str, dict[str, int]]:
    """Source → reason in words → rows."""
    counts: dict[str, dict[str, int]] = {}
    for reason in found:
        of_source = counts.setdefault(reason.source, {})
        of_source[reason.text] = of_source.get(reason.text, 0) + reason.rows
    return counts


def _reasons_sql(rejected: Path) -> str:
    """One row a rule; what a message says of its own row alone stands behind a colon or ``;``."""
    kinds = ", ".join(map(literal, KINDS))
    return f"""\
with reasons as (
    select _source, _file, _row, unnest(reasons) as reason
    from {parquet_sql(rejected)}
    where $1 is null or _source = $1
),

told as (
    select
        _source,
        _file,
        _row,
        reason.kind,
        reason.field,
        reason.value,
        case reason.kind
            when 'Unreadable' then split_part(reason.message, ' (bytes ', 1)
            when 'Duplicates' then split_part(reason.message, '; kept is ', 1)
            else reason.message
        end as message
    from reasons
)

select
    _source,
    kind,
    field,
    message,
    arg_min(value, {{'file': _file, 'row': _row}}),
    count(*),
    list_transform(
        list_sort(list({{'file': _file, 'row': _row}}))[:$2],
        lambda place: place.file || ':' || place.row
    )
from told
group by _source, kind, field, message
order by list_position([{kinds}], kind), field, message"""
