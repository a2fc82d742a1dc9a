"""The opt-outs of a plan by address, made from what everybody ever said, not only the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.sync.layout import table_sql, view_sql
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.golden import PEOPLE
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.persons import consent_of
from pipelines.sync.plan.build import called
from pipelines.sync.plan.differences import compared
from pipelines.sync.plan.opt_outs import (
    ASKED,
    DESIRED,
    MATCHED,
    OPTED,
    REFUSALS,
    concerned_sql,
    desired_sql,
    leaving_sql,
    matched_sql,
    may_opt_out,
    strangers_sql,
    unanswered_keys_sql,
    unanswered_sql,
    yes_elsewhere_sql,
)
from pipelines.sync.state import sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch
    from pipelines.sync.mapping.model import ObjectMapping


def bind_opt_outs(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> None:
    """Widen ``sf_`` and ``org_match_<mapping>`` by the records whose address said no.

    Both must be bound, as must the relation of the org and the state. Where there are no such
    records, which is the rule, they stay as they are.
    """
    policies = batch.project.policies
    stem = mapping.stem
    connection.execute(table_sql(relation("strangers", stem), _NOBODY))
    if not may_opt_out(mapping, compared(mapping, policies)):
        return
    unanswered = _bind_unanswered(batch, connection, mapping)
    connection.execute(sql("identity/statements"))
    connection.execute(table_sql("concerned", concerned_sql(mapping)))
    connection.execute(table_sql("refusals", REFUSALS))
    days = connection.execute("select distinct one.batch from refusals").fetchall()
    if not days:
        return
    warehouse = batch.project.warehouse
    warehouse.bind(connection, "person_records", [day for [day] in days])
    connection.execute(table_sql(relation("opted", stem), OPTED))
    same_object = of_object(batch.mappings, mapping.object)
    for other in same_object:
        for stage in ("sf", "org_match"):
            batch.bind_table(connection, relation(stage, other.stem))
    first = next(other for other in same_object if may_opt_out(other, compared(other, policies)))
    stems = [other.stem for other in same_object]
    strangers = strangers_sql(mapping, stems, listed=stem == first.stem)
    connection.execute(table_sql(relation("strangers", stem), strangers))
    widened = {
        relation("sf", stem): (DESIRED, desired_sql(mapping, called(mapping))),
        relation("org_match", stem): (MATCHED, matched_sql(mapping)),
    }
    for name, (before, _) in widened.items():
        warehouse.bind(connection, name, [batch.day], before)
        connection.execute(f"drop view {name}")
    if unanswered:
        connection.execute(view_sql(DESIRED, unanswered_sql(mapping, MATCHED)))
    for name, (_, query) in widened.items():
        connection.execute(table_sql(name, query))


def _bind_unanswered(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> bool:
    """Opt out whoever has not answered, where a record is made; whether there is anybody."""
    if mapping.from_ != PEOPLE:
        return False
    if not connection.execute(f"{unanswered_keys_sql(mapping)} limit 1").fetchall():
        return False
    name = relation("sf", mapping.stem)
    batch.project.warehouse.bind(connection, name, [batch.day], ASKED)
    query = unanswered_sql(mapping, relation("org_match", mapping.stem))
    connection.execute(view_sql(name, query))
    return True


def leave_out(connection: DuckDBPyConnection, mapping: ObjectMapping, plan: str) -> bool:
    """Let go of records that the plan gives another address; whether there were any.

    Args:
        connection: on which ``bind_opt_outs`` was called, and all that the plan reads is bound.
        mapping: whose plan it is.
        plan: its query.
    """
    stem, consent = mapping.stem, consent_of(mapping.object)
    tables = {name for [name] in connection.execute(_TABLES).fetchall()}
    if relation("opted", stem) not in tables or consent.address not in mapping.enabled():
        return False
    connection.execute(table_sql("yes_elsewhere", yes_elsewhere_sql(mapping)))
    if _is_empty(connection, "yes_elsewhere"):
        return False
    connection.execute(table_sql("leaving", leaving_sql(mapping, plan)))
    if _is_empty(connection, "leaving"):
        return False
    connection.execute(_leave_sql(relation("opted", stem)))
    desired = desired_sql(mapping, called(mapping))
    connection.execute(table_sql(relation("sf", stem), desired))
    return True


def _is_empty(connection: DuckDBPyConnection, table: str) -> bool:
    return not connection.execute(_first_sql(table)).fetchall()


def _first_sql(table: str) -> str:
    return f"select 1 from {table} limit 1"


_TABLES = "select table_name from duckdb_tables() where temporary"


def _leave_sql(opted: str) -> str:
    return f"delete from {opted} where sf_id in (select sf_id from leaving)"


_NOBODY = "select null::varchar as key where false"
