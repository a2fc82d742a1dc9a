"""What each record says of the newsletter comes from the files of the batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.warehouse import Warehouse


def migrate(connection: DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Give the state's records the column, and its values."""
    connection.execute("alter table state.record add column newsletter varchar")
    paths = [
        path
        for day in warehouse.days("person_records")
        if (path := warehouse.path("person_records", day)).exists()
    ]
    if paths:
        connection.execute(_statements_sql(parquet_sql(*paths, union_by_name=True)))


def _statements_sql(source: str) -> str:
    return f"""
        update state.record
        set newsletter = said.newsletter
        from (
            select record, batch, any_value(newsletter) as newsletter
            from {source}
            where newsletter is not null
            group by record, batch
        ) as said
        where said.record = record.record and said.batch = record.batch
    """
