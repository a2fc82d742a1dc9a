"""Who is who: records of all sources and batches become people with keys that stay.

A batch touches only the clusters that its old and its new rows reach. Within those, records are
linked by shared keys, clusters are the connected components (by contraction, in SQL), and each
cluster takes over the key of its founding record. Everything below works on tables of one DuckDB
connection: ``person_records`` bound to the batch's day, the state attached as ``state``, and, where
more than the batch's own people are in scope, ``widened`` with their ``key`` and the ``reason``;
where decisions name records of the org, ``org_key`` with the ``id`` and ``key`` of each; where rows
were rejected that say something of consent, ``rejected_statements`` with these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import starmap
from typing import TYPE_CHECKING, Any

from pipelines.errors import InternalError
from pipelines.sync.identity.digest import rules_digest
from pipelines.sync.identity.rules import CROWD, rules_sql
from pipelines.sync.identity.settle import Key, Link, Record, settle
from pipelines.sync.state import sql, transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OPEN_COLUMNS = {
    "person_key": "varchar",
    "other_key": "varchar",
    "likeness": "varchar",
    "waits": "boolean",
    "why": "varchar",
    "decide": "varchar",
}
"""The columns of ``open_identities``, which ``open_identities.sql`` writes."""

LINK_COLUMNS = {
    "person_key": "varchar",
    "record": "ubigint",
    "source": "varchar",
    "source_id": "varchar",
    "entity": "varchar",
    "rule": "varchar",
    "via_source": "varchar",
    "via_source_id": "varchar",
    "batch": "date",
    "as_of": "timestamp",
    "rank": "bigint",
    "records": "bigint",
}
"""The columns of ``person_links``, which ``links.sql`` writes."""

ROUNDS = 64
"""Contraction at least halves what is left each round; 2**64 records are more than there are."""


def resolve(connection: DuckDBPyConnection, batch: date) -> None:
    """Bring the state up to date with one batch, in one transaction.

    Afterwards the temporary table ``version`` holds the newest version of every affected record,
    ``decided`` the pairs that people decided on.
    Running it again with the same rows changes nothing.
    """
    connection.execute("set variable batch = $1::date", [batch])
    connection.execute("set variable crowd = $1", [CROWD])
    connection.execute("create temp table if not exists widened (key varchar, reason varchar)")
    connection.execute("create temp table if not exists org_key (id varchar, key varchar)")
    connection.execute(sql("identity/rejected_statements"))
    connection.execute(rules_sql())
    connection.execute(sql("identity/decided"))
    connection.execute(sql("identity/arrivals"))
    connection.execute(sql("identity/affected"))
    with transaction(connection):
        _heed_rules(connection)
        for step in ("arrive", "versions", "edges"):
            connection.execute(sql(f"identity/{step}"))
        _contract(connection)
        connection.execute(sql("identity/contested"))
        _settle(connection)
        for step in ("keys", "commit"):
            connection.execute(sql(f"identity/{step}"))


def _heed_rules(connection: DuckDBPyConnection) -> None:
    """Widen what is affected to everybody where the rules are not those of last time."""
    digest = rules_digest(connection)
    if connection.execute("select digest from state.identity").fetchall() == [(digest,)]:
        return
    connection.execute(sql("identity/everybody"))
    connection.execute(sql("identity/regroup_accounts"))
    connection.execute("delete from state.identity")
    connection.execute("insert into state.identity values ($1)", [digest])


def _settle(connection: DuckDBPyConnection) -> None:
    """Split contested components into people, one after the other: they are few and small."""
    records = _by_component(connection, "identity/contested_records")
    keys = _by_component(connection, "identity/contested_keys")
    links = _by_component(connection, "identity/contested_links")
    different = connection.execute("select record, other from decided where not same").fetchall()
    settled = [
        settle(
            starmap(Record, rows),
            starmap(Key, keys.get(component, [])),
            starmap(Link, links.get(component, [])),
            different,
        )
        for component, rows in records.items()
    ]
    people = [pair for result in settled for pair in result.people.items()]
    joined = [link for result in settled for link in result.links]
    apart = [pair for result in settled for pair in result.apart]
    _fill(connection, "settled (record ubigint, person ubigint)", people)
    _fill(connection, "joined (record ubigint, other ubigint, rule varchar)", joined)
    _fill(
        connection,
        "apart (record ubigint, other ubigint, rule varchar, likeness varchar)",
        apart,
    )
    connection.execute(sql("identity/settled"))


def _by_component(connection: DuckDBPyConnection, name: str) -> dict[int, list[tuple[Any, ...]]]:
    rows_of: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for component, *row in connection.execute(sql(name)).fetchall():
        rows_of[component].append(tuple(row))
    return rows_of


def _fill(connection: DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Make a temporary table of rows that Python worked out."""
    name, _, columns = table.partition(" ")
    kinds = [column.split()[1] for column in columns.strip("()").split(",")]
    connection.execute(f"create or replace temp table {table}")
    if rows:
        lists = ", ".join(f"unnest(${n}::{kind}[])" for n, kind in enumerate(kinds, start=1))
        values = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(f"insert into {name} select {lists}", values)


def _contract(connection: DuckDBPyConnection) -> None:
    """Label every record of ``edge`` with the smallest record it is connected to."""
    for _ in range(ROUNDS):
        if not _count(connection, "select count(*) from pair"):
            return
        connection.execute(sql("identity/hook"))
        while _count(
            connection,
            "select count(*) from hop join hop as next on next.node = hop.root"
            " where next.root <> hop.root",
        ):
            connection.execute(sql("identity/jump"))
        connection.execute(sql("identity/contract"))
    raise InternalError(f"clusters did not settle in {ROUNDS} rounds")


def _count(connection: DuckDBPyConnection, query: str) -> int:
    [(count,)] = connection.execute(query).fetchall()
    return int(count)
