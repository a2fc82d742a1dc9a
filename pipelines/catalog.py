"""``causeway.duckdb``: what people open to look at everything, with any DuckDB client.

It holds no rows, only views over the Parquet files, so it is small, never in anybody's way, and
always as new as the files. It is made under another name and renamed, in a storage version that
older clients read; a session that has the old one open keeps it.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from pipelines.files import draft
from pipelines.sync.mapping.golden import LINKS, OF_ACCOUNT, PEOPLE, column_sql
from pipelines.sync.state import State
from pipelines.warehouse import Warehouse, all_days_sql, parquet_sql

FILE = "causeway.duckdb"
_DAY = r"try_cast(regexp_extract(filename, 'day=([^/\\]*)[/\\]data\.parquet$', 1) as date)"
"""Of the name of its file: a home may lie below folders that are called like a partition, too."""

STORAGE = "v1.0.0"
"""The oldest storage version DuckDB still writes; every client since 1.0 opens it."""

CURRENT = {
    "people": ("person", "member", "person_key"),
    "accounts": ("account", "account_member", "account_key"),
}
"""Relations of which people want the newest row per entity that still has members, as keys outlive
a batch that was withdrawn: view → (state table of entities, state table of members, key)."""


def rebuild(
    warehouse: Warehouse,
    state: State,
    columns: Mapping[str, Mapping[str, str]],
    mirrors: Mapping[str, str],
) -> Path:
    """Make ``causeway.duckdb`` anew, a view per relation.

    Args:
        warehouse: whose files the views read.
        state: whose published tables say which row of an entity is the newest.
        columns: relation → its columns, in the order of the graph.
        mirrors: relation of the org → a query of what the org holds now.
    """
    path = warehouse.home / FILE
    with draft(path) as temporary:
        _execute(temporary, [*_views(warehouse, state, columns, mirrors), *_mirror_views(mirrors)])
    return path


def show_mirrors(warehouse: Warehouse, mirrors: Mapping[str, str]) -> None:
    """Let the views of an existing ``causeway.duckdb`` read the org's newest files."""
    path = warehouse.home / FILE
    if not path.exists():
        return
    with draft(path) as temporary:
        shutil.copyfile(path, temporary)
        _execute(temporary, _mirror_views(mirrors))


def _execute(file: Path, statements: Iterable[str]) -> None:
    import duckdb

    connection = duckdb.connect(str(file), config={"storage_compatibility_version": STORAGE})
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


def _mirror_views(mirrors: Mapping[str, str]) -> Iterator[str]:
    for relation, query in mirrors.items():
        yield f'create or replace view "{relation}" as {query}'


def _views(
    warehouse: Warehouse,
    state: State,
    columns: Mapping[str, Mapping[str, str]],
    mirrors: Collection[str],
) -> Iterator[str]:
    for relation, kinds in columns.items():
        by_batch = relation in CURRENT or relation in mirrors
        name = f"{relation}_by_batch" if by_batch else relation
        yield _relation_sql(name, warehouse.folder(relation), kinds)
    yield from (_current_sql(relation, state) for relation in CURRENT)


def _relation_sql(name: str, folder: Path, columns: Mapping[str, str]) -> str:
    listed = ", ".join(f'"{column}"' for column in columns)
    return f'create view "{name}" as select {_DAY} as day, {listed} from {all_days_sql(folder)}'


def _current_sql(relation: str, state: State) -> str:
    entities, members, key = CURRENT[relation]
    more, account = _account_sql() if relation == PEOPLE else ("", "")
    return (
        f'create view "{relation}" as select by_batch.*{more} from {relation}_by_batch as by_batch'
        f"{account}"
        f" semi join (select * from {parquet_sql(state.published(entities))}) as current"
        f" on current.{key} = by_batch.{key} and current.batch = by_batch.day"
        f" semi join (select * from {parquet_sql(state.published(members))}) as member"
        f" on member.{key} = by_batch.{key}"
    )


def _account_sql() -> tuple[str, str]:
    """What shows the account of each person beside them: columns, and the join they come from."""
    columns = "".join(f", {column_sql(PEOPLE, name)}" for name in OF_ACCOUNT)
    on = f"{LINKS}.person_key = by_batch.person_key and {LINKS}.day = by_batch.day"
    return columns, f" left join {LINKS} on {on}"
