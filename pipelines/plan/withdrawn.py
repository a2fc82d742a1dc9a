"""Who of ours has no source record left: a batch that brought them was withdrawn, or lost a row.

    <home>/state/withdrawn.parquet    relation (people or accounts), key

Made anew only when the state has changed: it takes a look at everybody.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.memo import memo
from pipelines.warehouse import parquet_sql, write_parquet

if TYPE_CHECKING:
    from pipelines.project import Project

DECIDING = ("person", "member", "account", "account_member")


def withdrawn(project: Project) -> Path:
    """The file of their keys, up to date."""
    path = project.home / "state" / "withdrawn.parquet"
    tables = {name: project.state.published(name) for name in DECIDING}
    cache = memo(path.with_suffix(".json"), tables.values(), [path])
    if cache.cached() is None:
        with project.warehouse.connect() as connection:
            write_parquet(connection, _withdrawn_sql(tables), path)
        cache.keep()
    return path


def _withdrawn_sql(tables: dict[str, Path]) -> str:
    read = {name: f"{parquet_sql(path)} as {name}" for name, path in tables.items()}
    return f"""
        select 'people' as relation, person.person_key as key
        from {read["person"]}
        anti join {read["member"]} on member.person_key = person.person_key
        where person.alias_of is null
        union all
        select 'accounts', account.account_key
        from {read["account"]}
        -- A key that another account took over lives on in that one.
        anti join {read["account_member"]}
            on account_member.account_key = coalesce(account.alias_of, account.account_key)
    """
