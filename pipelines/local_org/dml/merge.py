"""Merging: up to two records go into a master, with everything that hangs on them (4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.local_org import ids, unconfirmed
from pipelines.local_org.catalog.model import Field, SObject
from pipelines.local_org.dml.convert import Refused
from pipelines.local_org.dml.outcome import RowError
from pipelines.local_org.dml.records import Batch, write_records
from pipelines.local_org.dml.write import Writer
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import Update, update
from pipelines.local_org.store.store import Store

MOST = 200
MOST_VICTIMS = 2


@dataclass(frozen=True)
class MergeRequest:
    """One merge: the master with the values to give it, and the records that go into it."""

    object_name: str
    master: dict[str, Any]
    victim_ids: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """What became of one merge."""

    master_id: str | None
    victim_ids: tuple[str, ...] = ()
    related_ids: tuple[str, ...] = ()
    errors: tuple[RowError, ...] = ()


def merge(writer: Writer, request: MergeRequest, user: str) -> Merged:
    """Merge in a transaction of its own."""
    try:
        with writer.store.write() as connection:
            return _merge(writer, connection, request, user)
    except Refused as refused:
        return Merged(None, errors=refused.errors)


def _merge(
    writer: Writer, connection: duckdb.DuckDBPyConnection, request: MergeRequest, user: str
) -> Merged:
    sobject = writer.catalog.get(request.object_name)
    if sobject is None or "merge" not in sobject.verbs:
        raise _refused(unconfirmed.CANNOT_MERGE, name=request.object_name)
    if not 1 <= len(request.victim_ids) <= MOST_VICTIMS:
        raise _refused(unconfirmed.MERGE_FEW)
    master_id = next((str(v) for k, v in request.master.items() if k.lower() == "id"), "")
    master = _live(connection, sobject, master_id)
    victims = tuple(_live(connection, sobject, victim) for victim in request.victim_ids)
    if len({master, *victims}) != 1 + len(victims):
        raise _refused(unconfirmed.MERGE_OTHERS)
    related = _unite_persons(writer, connection, sobject, (master, *victims), user)
    related += _move_children(writer, sobject, master, victims, user)
    _bury(writer.store, sobject, master, victims, user)
    overriding = {k: v for k, v in request.master.items() if k.lower() != "id"}
    batch = Batch(sobject, "update", [{"Id": master} | overriding])
    outcome = write_records(writer, [batch], user)[0]
    if not outcome.success:
        raise Refused(*outcome.errors)
    return Merged(master, victims, related)


def _unite_persons(
    writer: Writer,
    connection: duckdb.DuckDBPyConnection,
    sobject: SObject,
    merged: tuple[str, ...],
    user: str,
) -> tuple[str, ...]:
    """Merge the contacts behind person accounts, master first; the ids of what moved.

    Persons merge with persons, and never through their contacts.
    """
    if sobject.get("IsPersonAccount") is None:
        return ()
    contact_field = "PersonContactId" if sobject.name == "Account" else "Id"
    lines = connection.execute(
        f'select "Id", "{contact_field}" from {sobject.table} '
        'where "IsPersonAccount" and "Id" in (select unnest(?))',
        [list(merged)],
    ).fetchall()
    if not lines:
        return ()
    contacts = dict(lines)
    if sobject.name != "Account" or len(contacts) != len(merged):
        raise _refused(unconfirmed.MERGE_PERSONS)
    contact, (master, *victims) = writer.catalog["Contact"], (contacts[i] for i in merged)
    moved = _move_children(writer, contact, master, tuple(victims), user)
    _bury(writer.store, contact, master, tuple(victims), user)
    return moved


def _refused(message: unconfirmed.Message, **values: object) -> Refused:
    return Refused(RowError(message.code, message(**values)))


def _live(connection: duckdb.DuckDBPyConnection, sobject: SObject, record_id: str) -> str:
    if not ids.is_id(record_id) or record_id[:3] != sobject.prefix:
        message = f"id value of incorrect type: {record_id}"
        raise Refused(RowError("MALFORMED_ID", message, ("Id",)))
    record_id = ids.to18(record_id)
    converted = '"IsConverted"' if sobject.get("IsConverted") else "false"
    lines = connection.execute(
        f'select "IsDeleted", {converted} from {sobject.table} where "Id" = ?', [record_id]
    ).fetchall()
    if not lines:
        raise Refused(RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
    if lines[0][0]:
        raise Refused(RowError("ENTITY_IS_DELETED", "entity is deleted"))
    if lines[0][1]:
        raise Refused(RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"))
    return record_id


def _bury(store: Store, sobject: SObject, master: str, victims: tuple[str, ...], user: str) -> None:
    """Into the recycle bin, with a sign to the master. Their External Ids are free again."""
    change = Update(
        sobject,
        {"IsDeleted": "true", "MasterRecordId": "$master"},
        't."Id" in (select unnest($victims))',
        stamps={"LastModifiedDate": "$now", "SystemModstamp": "$now", "LastModifiedById": "$user"},
    )
    values = {"master": master, "victims": list(victims), "now": now(), "user": user}
    update(store, change, "merge", user, values)


def _move_children(
    writer: Writer, sobject: SObject, master: str, victims: tuple[str, ...], user: str
) -> tuple[str, ...]:
    """Everything that references a victim references the master; the ids of what moved."""
    moved: list[str] = []
    for child, field in _references_to(writer, sobject):
        where = f't.{field.column} in (select unnest($victims)) and not t."IsDeleted"'
        values: dict[str, Any] = {"victims": list(victims)}
        with writer.store.write() as connection:
            referring = connection.execute(
                f'select t."Id" from {child.table} t where {where}', values
            ).fetchall()
        if not referring:
            continue
        changes = {field.name: 'case when t."Id" = $master then null else $master end'}
        change = Update(child, changes, where, stamps={"SystemModstamp": "$now"})
        update(writer.store, change, "merge", user, values | {"master": master, "now": now()})
        moved += [row[0] for row in referring if row[0] not in (master, *victims)]
    return tuple(dict.fromkeys(moved))


def _references_to(writer: Writer, sobject: SObject) -> Iterator[tuple[SObject, Field]]:
    for child in writer.catalog:
        for field in child.stored:
            if sobject.name in field.references and field.name != "MasterRecordId":
                yield child, field
