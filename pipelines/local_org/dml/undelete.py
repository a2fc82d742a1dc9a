"""Out of the recycle bin, with what went in with a record; or out of it for good.

The history tells what a deletion did: which children were deleted with their parent, which
references it emptied. Both come back, unless somebody changed them since.
"""

from collections.abc import Sequence

import duckdb

from pipelines.local_org import ids, unconfirmed
from pipelines.local_org.catalog.model import SObject, quoted
from pipelines.local_org.dml.lookups import match_sql
from pipelines.local_org.dml.outcome import Outcome, RowError
from pipelines.local_org.dml.records import delete_records
from pipelines.local_org.dml.write import Writer
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import Update, update

MOST = 200
NOT_IN_BIN = RowError(unconfirmed.NOT_IN_BIN.code, unconfirmed.NOT_IN_BIN())
_DELETIONS = """
select t."Id", max(w.n), arg_max(w.operation, w.n)
from {table} t
join org.change c on c.record = t._n
join org.write w on w.n = c.write and w.object = $object
where t."Id" in (select unnest($ids)) and w.operation in ('delete', 'cascade', 'merge')
group by 1
"""


def undelete(writer: Writer, record_ids: Sequence[str], user: str) -> list[Outcome]:
    """Restore records, each on its own, and tell the fate of each."""
    return [_restore(writer, row, record_id, user) for row, record_id in enumerate(record_ids)]


def empty_bin(writer: Writer, record_ids: Sequence[str], user: str) -> list[Outcome]:
    """Purge records that are in the recycle bin, each on its own."""
    outcomes = []
    for row, record_id in enumerate(record_ids):
        with writer.store.write() as connection:
            sobject, error = _in_bin(writer, connection, record_id)
            if sobject is None or error is not None:
                outcomes.append(Outcome(row, None, False, (error or NOT_IN_BIN,)))
                continue
            outcome = delete_records(writer, [record_id], user, hard=True)[0]
        outcomes.append(Outcome(row, outcome.id, False, outcome.errors))
    return outcomes


def _in_bin(
    writer: Writer, connection: duckdb.DuckDBPyConnection, record_id: str
) -> tuple[SObject | None, RowError | None]:
    """The object of a record in the bin, or why it is none."""
    sobject = writer.catalog.of_id(record_id) if ids.is_id(record_id) else None
    if sobject is None or "undelete" not in sobject.verbs:
        return None, RowError("MALFORMED_ID", f"malformed id {record_id}")
    lines = connection.execute(
        f'select "IsDeleted" from {sobject.table} where "Id" = ?', [ids.to18(record_id)]
    ).fetchall()
    return sobject, None if lines and lines[0][0] else NOT_IN_BIN


def _restore(writer: Writer, row: int, id_text: str, user: str) -> Outcome:
    with writer.store.write() as connection:
        sobject, error = _in_bin(writer, connection, id_text)
        if sobject is None or error is not None:
            return Outcome(row, None, False, (error or NOT_IN_BIN,))
        record_id = ids.to18(id_text)
        error = _lost_parent(writer, connection, sobject, record_id) or _rival(
            connection, sobject, record_id
        )
        if error is not None:
            return Outcome(row, record_id, False, (error,))
        _bring_back(writer, connection, sobject, [record_id], user)
    return Outcome(row, record_id, False)


def _lost_parent(
    writer: Writer, connection: duckdb.DuckDBPyConnection, sobject: SObject, record_id: str
) -> RowError | None:
    """Refuses a record whose parent is in the bin still, or gone."""
    for parent in writer.catalog:
        for relation in parent.children:
            if relation.child != sobject.name or relation.on_delete != "cascade":
                continue
            field = quoted(relation.field)
            lost = connection.execute(
                f'select 1 from {sobject.table} t where t."Id" = ? and left(t.{field}, 3) = ? '
                f'and t.{field} not in (select "Id" from {parent.table} where not "IsDeleted")',
                [record_id, parent.prefix],
            ).fetchall()
            if lost:
                message = unconfirmed.PARENT_FIRST
                text = message(parent=parent.label.lower())
                return RowError(message.code, text, (relation.field,))
    return None


def _rival(
    connection: duckdb.DuckDBPyConnection, sobject: SObject, record_id: str
) -> RowError | None:
    """Refuses a record whose unique value another one carries by now."""
    for field in sobject.unique_fields:
        if not field.stored:
            continue
        value, other_value = (
            match_sql(field, f"t.{field.column}"),
            match_sql(field, f"r.{field.column}"),
        )
        rivals = connection.execute(
            f'select r."Id" from {sobject.table} t '
            f"join {sobject.table} r on {value} = {other_value} "
            'where t."Id" = ? and not r."IsDeleted"',
            [record_id],
        ).fetchall()
        if rivals:
            message = f"duplicate value found: {field.name} duplicates value on record with id: "
            return RowError("DUPLICATE_VALUE", message + rivals[0][0][:15])
    return None


def _bring_back(
    writer: Writer,
    connection: duckdb.DuckDBPyConnection,
    sobject: SObject,
    record_ids: list[str],
    user: str,
) -> None:
    """Restore records and, level by level, what their deletion took along."""
    deletions = {
        record_id: number for record_id, number, _ in _deletions(connection, sobject, record_ids)
    }
    changes = {"IsDeleted": "false"}
    if sobject.get("MasterRecordId") is not None:
        changes["MasterRecordId"] = "null"
    stamps = {"LastModifiedDate": "$now", "SystemModstamp": "$now", "LastModifiedById": "$user"}
    change = Update(sobject, changes, 't."Id" in (select unnest($ids))', stamps=stamps)
    values = {"ids": record_ids, "now": now(), "user": user}
    update(writer.store, change, "undelete", user, values)
    for relation in sobject.children:
        child, field = writer.catalog[relation.child], quoted(relation.field)
        if relation.on_delete == "clear":
            for record_id, number in deletions.items():
                _refer_again(writer, child, relation.field, record_id, number, user)
        if relation.on_delete != "cascade":
            continue
        deleted_children = connection.execute(
            f'select t."Id", t.{field} from {child.table} t '
            f'where t."IsDeleted" and t.{field} in (select unnest(?))',
            [record_ids],
        ).fetchall()
        parents = dict(deleted_children)
        child_ids = [
            record_id
            for record_id, number, operation in _deletions(connection, child, list(parents))
            if operation == "cascade" and number > deletions.get(parents[record_id], number)
        ]
        if child_ids:
            _bring_back(writer, connection, child, child_ids, user)


def _deletions(
    connection: duckdb.DuckDBPyConnection, sobject: SObject, record_ids: list[str]
) -> list[tuple[str, int, str]]:
    """Id, the write that deleted it last, and how."""
    sql = _DELETIONS.format(table=sobject.table)
    deletions: list[tuple[str, int, str]] = connection.execute(
        sql, {"object": sobject.name, "ids": record_ids}
    ).fetchall()
    return deletions


def _refer_again(
    writer: Writer, child: SObject, field: str, record_id: str, number: int, user: str
) -> None:
    """Give a reference back to those that the deletion took it from."""
    lost = (
        "select c.record from org.change c join org.write w on w.n = c.write "
        "where w.operation = 'orphan' and w.object = $object and w.n > $number "
        "and w.fields = [$field] and c.old = [$id]"
    )
    change = Update(
        child,
        {field: "$id"},
        f"t.{quoted(field)} is null and t._n in ({lost})",
        stamps={"SystemModstamp": "$now"},
    )
    values = {"object": child.name, "number": number, "field": field, "id": record_id}
    update(writer.store, change, "undelete", user, {**values, "now": now()})
