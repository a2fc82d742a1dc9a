"""Deleting: into the recycle bin with what hangs on the record, or for good."""

import duckdb

from pipelines.local_org import unconfirmed
from pipelines.local_org.catalog.model import Catalog, SObject
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.ids import to18_sql
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import Update, Write, note, update
from pipelines.local_org.store.store import Store


def doomed_sql(catalog: Catalog, request: WriteRequest, *, hard: bool) -> str:
    """SQL that judges rows to delete: `_row, _id, _created, _error` over `incoming`.

    A hard delete also takes records that are in the recycle bin already.
    """
    key = request.by_field["Id"]
    raw = f"nullif(trim(i.{key.raw}), '')"
    value = f"case when length({raw}) = 15 then {to18_sql(raw)} else {raw} end"
    message = unconfirmed.NO_ID
    missing = error_sql(message.code, "Id", message.sql(call="'a delete'"))
    malformed = error_sql("MALFORMED_ID", "Id", "'malformed id ', v")
    unknown = error_sql("INVALID_CROSS_REFERENCE_KEY", "", "'invalid cross reference id'")
    deleted = error_sql("ENTITY_IS_DELETED", "", "'entity is deleted'")
    buried = "" if hard else f'when t."IsDeleted" then {deleted}'
    checks = [
        f"when v is null then {missing}",
        f"when not regexp_full_match(v, '[A-Za-z0-9]{{18}}') then {malformed}",
        f'when t."Id" is null then {unknown}',
        buried,
        *_contact_behind(request.sobject),
        *_restrictions(catalog, request.sobject),
    ]
    return (
        f"with incoming_ids as (select _row, {value} as v from incoming i) "
        f'select _row, t."Id" as _id, false as _created, case {" ".join(checks)} end as _error '
        f"from incoming_ids left join {request.sobject.table} t "
        f'on t."Id" = v and t."Id" in (select v from incoming_ids)'
    )


def _contact_behind(sobject: SObject) -> list[str]:
    """The contact behind a person account goes with the account, never alone."""
    if sobject.name != "Contact" or sobject.get("IsPersonAccount") is None:
        return []
    message = unconfirmed.CONTACT_OF_PERSON
    error = error_sql(message.code, "", message.sql())
    return [f'when t."IsPersonAccount" then {error}']


def alone_sql(catalog: Catalog, sobject: SObject) -> str:
    """SQL that finds the live record with id `$1` and number `$2`, if no record refers to it."""
    plain = f'select 1 from {sobject.table} t where t._n = $2 and t."Id" = $1 and not t."IsDeleted"'
    references = " union all ".join(
        f'select "{child.field}" as parent from {catalog[child.child].table}'
        for child in sobject.children
    )
    if not references:
        return plain
    return f"{plain} and (select count(*) from ({references}) where parent = $1) = 0"


def deleted_twice_sql() -> str:
    """SQL that refuses all rows of `outcome` but the first that delete one record."""
    error = error_sql("ENTITY_IS_DELETED", "", "'entity is deleted'")
    return (
        f"update outcome set _error = {error} from (select _id as id, min(_row) as first_row "
        "from outcome where _error is null group by 1 having count(*) > 1) twice "
        "where _id = twice.id and _row > twice.first_row"
    )


def _restrictions(catalog: Catalog, sobject: SObject) -> list[str]:
    checks = []
    for child in sobject.children:
        if child.on_delete != "restrict":
            continue
        table = catalog[child.child].table
        error = error_sql(
            "DELETE_FAILED",
            "",
            f"'Your attempt to delete this record could not be completed because it is associated "
            f"with the following {catalog[child.child].plural.lower()}.'",
        )
        checks.append(
            f'when exists (select 1 from {table} c where c."{child.field}" = t."Id" '
            f'and not c."IsDeleted") then {error}'
        )
    return checks


def bury(store: Store, sobject: SObject, user: str, operation: str) -> None:
    """Put the records of the table `doomed(id)` into the recycle bin.

    `operation` is what the history calls it: delete, or cascade where a parent takes them along.
    """
    change = Update(
        sobject,
        {"IsDeleted": "true"},
        't."Id" in (select id from doomed) and not t."IsDeleted"',
        stamps={"LastModifiedDate": "$now", "SystemModstamp": "$now", "LastModifiedById": "$user"},
    )
    update(store, change, operation, user, {"user": user, "now": now()})


def purge(store: Store, connection: duckdb.DuckDBPyConnection, sobject: SObject, user: str) -> None:
    """Remove the records of `doomed(id)` for good."""
    note(store, Write(sobject.name, "purge", user))
    connection.execute(f'delete from {sobject.table} where "Id" in (select id from doomed)')


def orphan(store: Store, child: SObject, field: str, user: str) -> None:
    """Empty a reference to the records of `doomed(id)`."""
    change = Update(
        child,
        {field: "null"},
        f't."{field}" in (select id from doomed)',
        stamps={"SystemModstamp": "$now"},
    )
    update(store, change, "orphan", user, {"now": now()})


def children_sql(child: SObject, field: str, *, buried: bool) -> str:
    """SQL for the records that reference those of `doomed(id)`; `buried`: also in the bin."""
    alive = "" if buried else ' and not "IsDeleted"'
    return f'select "Id" as id from {child.table} where "{field}" in (select id from doomed){alive}'
