"""Which expression of a mapping fails at which row, once a query of all rows has failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError, Problem
from pipelines.sql import SqlFile
from pipelines.sync.layout import table_sql
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.values import expressions_of, golden_rows_sql
from pipelines.sync.mapping.wire import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch


@contextmanager
def failing_rows(batch: Batch, mapping: ObjectMapping) -> Iterator[None]:
    """Let what fails at a value name the line of the mapping, and the source row.

    Raises:
        ConfigError: an expression of the mapping cannot be made of some row's values.
    """
    import duckdb

    try:
        yield
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        if problem := _culprit(batch, mapping):
            raise ConfigError([problem]) from error
        raise


def _culprit(batch: Batch, mapping: ObjectMapping) -> Problem | None:
    """The first expression that fails, with the first row at which it does."""
    rows = SqlFile(relation("sf", mapping.stem), mapping.file, golden_rows_sql(mapping), "", "")
    with batch.connect() as connection:
        batch.bind(connection, rows)
        connection.execute(_probed_sql(rows.query, mapping.key_column))
        [(last,)] = connection.execute("select count(*) from probed").fetchall()
        for path, expression in expressions_of(mapping).items():
            if _error(connection, expression, 1, last) is None:
                continue
            place = _first(connection, expression, last)
            reason = _error(connection, expression, place, place)
            where = _source_row(batch, connection, mapping, place)
            name = path[1] if len(path) > 1 else path[0]
            return mapping.problem(f"{name}: {reason}, of {where}; use try_cast or the like", *path)
    return None


def _first(connection: DuckDBPyConnection, expression: str, last: int) -> int:
    """The first row, counted from 1, at which an expression fails; it fails at one up to `last`."""
    first = 1
    while first < last:
        middle = (first + last) // 2
        if _error(connection, expression, first, middle) is None:
            first = middle + 1
        else:
            last = middle
    return first


def _error(connection: DuckDBPyConnection, expression: str, first: int, last: int) -> str | None:
    """Why an expression fails at one of these rows; none where it does not."""
    import duckdb

    try:
        connection.execute(_evaluated_sql(expression), [first, last]).fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


def _source_row(
    batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping, place: int
) -> str:
    """The row of a file that gave a person's values, or the account's key."""
    query = f"select {quoted(mapping.key_column)} from probed where place = $1"
    [(key,)] = connection.execute(query, [place]).fetchall()
    if mapping.key_column != "person_key":
        return f"the account {key}"
    for name in ("person_links", "person_records"):
        batch.project.warehouse.bind(connection, name, batch.project.warehouse.days(name))
    found = connection.execute(_ORIGINS, [key]).fetchall()
    return " and ".join(origin for [origin] in found) or f"the person {key}"


def _probed_sql(query: str, key_column: str) -> str:
    place = f"row_number() over (order by {quoted(key_column)}) as place"
    return table_sql("probed", f"select *, {place} from ({query})")


def _evaluated_sql(expression: str) -> str:
    return (
        f"select count(value) from (select {expression} as value from probed"
        " where place between $1 and $2)"
    )


_ORIGINS = """
select distinct
    format('{}:{} ({}:{})', links.source, links.source_id, records._file, records._row)
from person_links as links
join person_records as records on records.record = links.record and records.batch = links.batch
where links.person_key = $1
order by all
limit 3"""
