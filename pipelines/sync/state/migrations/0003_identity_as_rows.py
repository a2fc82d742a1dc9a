"""Names and shared values come from the files of the batches, where the state had only hashes."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.warehouse import Warehouse

ROLES = (
    *("info", "sales", "office", "contact", "admin", "support", "hello", "mail", "service"),
    *("team", "enquiries", "inquiries", "billing", "accounts", "webmaster", "marketing"),
)
"""The mailboxes that linked records of one last name only."""


def migrate(connection: DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Read the files, then change the state."""
    paths = [
        path
        for day in warehouse.days("person_records")
        if (path := warehouse.path("person_records", day)).exists()
    ]
    source = parquet_sql(*paths, union_by_name=True) if paths else _NOTHING
    connection.execute(_values_sql(source))
    text = files(__package__).joinpath("0003_identity_as_rows.sql").read_text(encoding="utf-8")
    connection.execute(text)


_NOTHING = (
    "(select null::ubigint as record, null::date as batch, null as entity, null as first_name,"
    " null as last_name, null as suffix, null as email where false)"
)


def _values_sql(source: str) -> str:
    roles = ", ".join(map(literal, ROLES))
    return f"""
        create or replace temp table record_value as
        select
            record,
            batch,
            case when entity <> 'address' then first_name::varchar end as first_name,
            case
                when entity <> 'address' and last_name is not null
                    then concat_ws(' ', last_name, suffix)
            end as last_name,
            email::varchar as email,
            coalesce(list_contains([{roles}], split_part(email::varchar, '@', 1)), false) as is_role
        from {source}
    """
