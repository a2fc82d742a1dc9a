"""What a plan knows of all that was ever written: ledger, undone, lost and withdrawn records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.plan.withdrawn import withdrawn
from pipelines.sync.layout import table_sql, view_sql
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.successors import lead_of
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.build import called
from pipelines.sync.plan.conversions import converted_sql, inherited_sql
from pipelines.sync.undo import undone_sql
from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def bind_written(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> None:
    """Make ``ledger_``, ``undone_``, ``lost_`` and ``withdrawn_<mapping>``: what we ever wrote."""
    project, stem = batch.project, mapping.stem
    home = project.org_home(project.bound_org or "")
    ledger, differences = Ledger.of(home, mapping.object), relation("differences", stem)
    query = _ledger_sql(connection, mapping, ledger) or _sent_sql(differences, mapping.object)
    query = _with_leads_sql(batch, connection, mapping, query)
    connection.execute(table_sql(relation("ledger", stem), query))
    undone = undone_sql(home, mapping.object)
    connection.execute(view_sql(relation("undone", stem), undone))
    lost = _lost_sql(mapping, ledger)
    connection.execute(table_sql(relation("lost", stem), lost))
    same_object = of_object(project.object_mappings, mapping.object)
    first = next(mapped for mapped in same_object if mapped.from_ == mapping.from_)
    stays = _withdrawn_sql(mapping, withdrawn(project), listed=stem == first.stem)
    connection.execute(table_sql(relation("withdrawn", stem), stays))


def _ledger_sql(
    connection: DuckDBPyConnection, mapping: ObjectMapping, ledger: Ledger
) -> str | None:
    """What we wrote of records that differ, whatever key they had then; none without a ledger."""
    if not ledger.segments():
        return None
    differences = relation("differences", mapping.stem)
    aliases = _aliases_sql(mapping, differences)
    connection.execute(table_sql("written_as", aliases))
    if not connection.execute("select 1 from written_as limit 1").fetchall():
        return _of_this_record_sql(mapping, ledger.sql(differences))
    requested = f"select distinct key from {differences} union select written_as from written_as"
    connection.execute(table_sql("requested", requested))
    entries = f"""
        select coalesce(written_as.key, entry.key) as key, entry.sf_id, field, sent, stored
        from ({ledger.sql("requested")}) as entry
        left join written_as
            on written_as.written_as = entry.key and written_as.sf_id = entry.sf_id
        qualify row_number() over (
            partition by coalesce(written_as.key, entry.key), field order by written_at desc
        ) = 1
    """
    return _of_this_record_sql(mapping, entries)


def _of_this_record_sql(mapping: ObjectMapping, entries: str) -> str:
    """What we wrote of another record says nothing of the one that took its place."""
    return f"""
        select entry.key, entry.field, entry.sent, entry.stored
        from ({entries}) as entry
        join {relation("org_match", mapping.stem)} as matched on matched.entity_key = entry.key
        where entry.sf_id is null or entry.sf_id in (matched.sf_id, matched.gone_id)
    """


def _with_leads_sql(
    batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping, own: str
) -> str:
    """A ledger with what Contacts inherit from Leads of ours that became them."""
    project, lead = batch.project, lead_of(mapping, batch.mappings)
    if lead is None:
        return own
    ledger = Ledger.of(project.org_home(project.bound_org or ""), lead.object)
    if not ledger.segments():
        return own
    for name in (lead.object, mapping.object):
        project.bind_org(connection, name)
    connection.execute(table_sql("converted", converted_sql(mapping, lead)))
    if not connection.execute("select 1 from converted limit 1").fetchall():
        return own
    connection.execute(
        table_sql("requested_leads", "select distinct lead_key as key from converted")
    )
    return inherited_sql(mapping, lead, own, ledger.sql("requested_leads"))


def _aliases_sql(mapping: ObjectMapping, differences: str) -> str:
    """Keys that were taken over: ``written_as``, by which ``key``, on the record ``sf_id``."""
    return f"""
        select taken_over.written_as, taken_over.key, matched.sf_id
        from (
            select unnest(aliases) as written_as, {mapping.key_column} as key
            from {mapping.from_} where len(aliases) > 0
        ) as taken_over
        join {relation("org_match", mapping.stem)} as matched on matched.entity_key = taken_over.key
        semi join {differences} as differences on differences.key = taken_over.key
    """


def _withdrawn_sql(mapping: ObjectMapping, keys: Path, *, listed: bool) -> str:
    """Records that are there though nobody of ours mentions them any more.

    No condition chooses them any more; they are `listed` by one mapping of their object.
    """
    named = "".join(f", records.{quoted(name)}" for name in called(mapping))
    return f"""
        select withdrawn.key, records."Id" as sf_id{named}
        from {relation("org", mapping.object)} as records
        join {parquet_sql(keys)} as withdrawn
            on withdrawn.key = lower(records.{quoted(mapping.key)})
        where records."IsDeleted" = 'false' and withdrawn.relation = {literal(mapping.from_)}
            and {str(listed).lower()}
    """


def _lost_sql(mapping: ObjectMapping, ledger: Ledger) -> str:
    """Records that we wrote and that the org has lost, not even as deleted ones.

    Nothing is lost where nothing of ours is left: whoever empties an org wants to fill it again.
    """
    records, name = relation("org", mapping.object), mapping.stem
    unmatched = (
        f"(select key from {relation('sf', name)} anti join"
        f" (select entity_key as key from {relation('org_match', name)}) using (key))"
    )
    return f"""
        select key from ({ledger.written_sql(unmatched)})
        where sf_id not in (select "Id" from {records})
            and exists (from {records} where {quoted(mapping.key)} is not null)
    """


def _sent_sql(differences: str, object_name: str) -> str:
    """Before there was a ledger only this was kept: which fields were ever ours, not their values.

    They pass for values of ours that changed.
    """
    return f"""
        with sent as (
            select key, unnest(fields) as field from state.sent
            where object = {literal(object_name)}
        )
        select key, field, before as sent, before as stored
        from {differences}
        semi join sent using (key, field)
    """
