"""What chunks of 200 rows mean: how often a record may be named, and when.

A chunk is what one trigger sees. Chunks run one after the other, so a record that two of them name
is written twice; rows of one chunk that name the same record are refused.
"""

import duckdb
import pyarrow as pa

from pipelines.local_org.dml.lookups import match_sql
from pipelines.local_org.dml.orgrules import CHUNK
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import Column, WriteRequest

WAVE = "select * exclude (_wave) from ranked where _wave = ? order by _row"


def waves(
    connection: duckdb.DuckDBPyConnection, request: WriteRequest, texts: pa.Table
) -> list[pa.Table]:
    """Split rows so that each wave names a record in one chunk only, later chunks in later waves.

    Rows of one chunk that name the same record stay in one wave, where `refuse_twins` finds them.
    """
    key = request.key_column
    keys = [c for c in request.data_columns if c.field.unique]
    keys += [key] if key is not None and key not in keys else []
    if texts.num_rows <= CHUNK or not keys:
        return [texts]
    connection.register("incoming", texts)
    try:
        if not connection.execute(repeated_sql(keys)).fetchall()[0][0]:
            return [texts]
        ranked = connection.execute(ranked_sql(keys)).to_arrow_table()
    finally:
        connection.unregister("incoming")
    connection.register("ranked", ranked)
    highest = connection.execute("select max(_wave) from ranked").fetchall()[0][0]
    tables = [connection.execute(WAVE, [wave]).to_arrow_table() for wave in range(1, highest + 1)]
    connection.unregister("ranked")
    return tables


def refuse_twins(connection: duckdb.DuckDBPyConnection, request: WriteRequest) -> None:
    """Refuse rows of one chunk that would put one unique value on two records.

    All rows that share an upsert's key are refused. Of rows that share the value of another unique
    field the first is written.
    """
    key = request.key_column
    if key is not None:
        connection.execute(same_record_sql(key))
    for column in request.data_columns:
        if column.field.unique and column is not key:
            connection.execute(same_value_sql(column))


def repeated_sql(keys: list[Column]) -> str:
    """SQL: do any two rows of `incoming` share a key?"""
    shared = (f"count({c.raw}) > count(distinct {match_sql(c.field, c.raw)})" for c in keys)
    return f"select {' or '.join(shared)} from incoming"


def ranked_sql(keys: list[Column]) -> str:
    """SQL for the rows of `incoming` with the number of the chunk, among those that name it."""
    ranks = []
    for column in keys:
        key = match_sql(column.field, f"nullif(trim({column.raw}), '')")
        ranks.append(
            f"case when {key} is null then 1 else dense_rank() over "
            f"(partition by {key} order by _row // {CHUNK}) end"
        )
    return f"select *, greatest({', '.join(ranks)}) as _wave from incoming order by _row"


def same_record_sql(key: Column) -> str:
    """SQL that refuses all rows of a chunk of `work` that name one record."""
    same = match_sql(key.field, key.value)
    what = "id" if key.field.name == "Id" else "external id"
    error = error_sql(
        "DUPLICATE_VALUE", key.field.name, f"'Duplicate {what} specified: ', {key.value}"
    )
    return (
        f"update work set _error = {error} where {same} in (select {same} from work "
        f"where {same} is not null group by {same}, _row // {CHUNK} having count(*) > 1)"
    )


def same_value_sql(column: Column) -> str:
    """SQL that refuses all rows of `work` but the first that carry one value of a unique field."""
    same = match_sql(column.field, column.value)
    error = error_sql(
        "DUPLICATE_VALUE",
        "",
        f"'duplicate value found: {column.field.name} duplicates value on record with id: ', "
        "left(twins.id, 15)",
    )
    return (
        f"update work set _error = {error} from (select {same} as k, min(_row) as first_row, "
        f"arg_min(_id, _row) as id from work where _error is null and {same} is not null "
        f"group by 1 having count(*) > 1) twins "
        f"where {same} = twins.k and work._row > twins.first_row and work._error is null"
    )
