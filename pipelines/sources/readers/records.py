"""Rows that were read by Python on their way into DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.sources.readers.reader import Places

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 50_000


BLANKS = " \t\r\n"
"""Of what a cell in which nothing stands may consist."""


class Record(NamedTuple):
    """One row of a file: the values of the kept and the withheld columns, or why there are none."""

    row: int
    values: Sequence[str | None]
    defect: str | None = None


def load_records(
    connection: DuckDBPyConnection,
    name: str,
    places: Places,
    records: Iterable[Record],
    markers: Sequence[str],
) -> None:
    """Make the table ``name`` of ``records``; a blank value or a null marker becomes null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    connection.execute(_create_sql(name, places))
    texts = [pa.string()] * len(places.names)
    nulls = pa.array(["", *markers])
    stream = iter(records)
    while batch := list(islice(stream, BATCH)):
        columns = _columns(batch, texts, nulls)
        for at in range(len(places.kept), len(columns)):
            trimmed = pc.utf8_trim(columns[at], BLANKS)
            columns[at] = pc.if_else(pc.not_equal(trimmed, ""), True, None)
        columns.append(pa.array([record.row for record in batch], pa.int64()))
        columns.append(pa.array([record.defect for record in batch], pa.string()))
        names = [*places.names, "_row", "_defect"]
        connection.register("batch", pa.table(columns, names))
        connection.execute(_insert_sql(name))
        connection.unregister("batch")


def _columns(batch: Sequence[Record], texts: Sequence[object], nulls: object) -> list[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    absent = (None,) * len(texts)
    turned: Iterator[tuple[str | None, ...]]
    turned = zip(*(record.values or absent for record in batch), strict=True)
    arrays = (pa.array(column, kind) for column, kind in zip(turned, texts, strict=True))
    return [pc.if_else(pc.is_in(one, value_set=nulls), None, one) for one in arrays]


def _create_sql(name: str, places: Places) -> str:
    kinds = {"c": "varchar", "w": "boolean"}
    columns = "".join(f"{column} {kinds[column[0]]}, " for column in places.names)
    return f"create temp table {name} ({columns}_row bigint, _defect varchar)"


def _insert_sql(name: str) -> str:
    return f"insert into {name} select * from batch"
