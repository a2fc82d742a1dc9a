"""A record's past, and what was written last, as the pages tell it."""

from typing import Any

import duckdb

from pipelines.local_org.api.web import Cell, Names, cell, label, moment
from pipelines.local_org.catalog.model import SObject

DID = {
    "insert": "Created",
    "update": "Changed",
    "upsert": "Changed",
    "delete": "Deleted",
    "undelete": "Restored",
    "merge": "Merged",
    "convert": "Converted",
    "purge": "Purged",
    "cascade": "Deleted with its parent",
    "orphan": "Parent deleted",
}
MOST = 200
_CHANGES = """
select w.n, w.written_at, w.user_id, w.request, w.operation, w.fields, c.changed, c.old
from org.change c join org.write w on w.n = c.write
where c.record = $number and w.object = $object
order by w.n desc
limit $most
"""
_CREATION = """
select written_at, user_id, request from org.write
where object = $object and $number between first and last
"""
_LATEST = """
select written_at, user_id, request, operation, object, last - first + 1 as made
from org.write order by n desc limit $most
"""

Event = dict[str, Any]


def past_of(
    connection: duckdb.DuckDBPyConnection, sobject: SObject, number: int
) -> tuple[list[Event], list[Any]]:
    """What happened to a record, newest first, and every value that may be an id.

    An event has `did`, `moment`, `user`, `request`, and `changes`: (field, old, new) as texts.
    """
    columns = ", ".join(f"t.{field.column}::varchar" for field in sobject.stored)
    row = connection.execute(
        f"select {columns} from {sobject.table} t where t._n = ?", [number]
    ).fetchall()[0]
    after = dict(zip((field.name for field in sobject.stored), row, strict=True))
    parameters = {"object": sobject.name, "number": number}
    events, values = [], []
    for line in connection.execute(_CHANGES, {**parameters, "most": MOST}).fetchall():
        _, at, user, request, operation, fields, changed, old = line
        changes = []
        for position, before in zip(changed, old, strict=True):
            name = fields[position]
            changes.append((name, before, after.get(name)))
            values += [before, after.get(name)]
            after[name] = before
        values.append(user)
        events.append(_event(DID[operation], at, user, request, changes))
    creations = connection.execute(_CREATION, parameters).fetchall()
    if creations:
        at, user, request = creations[0]
        events.append(_event("Created", at, user, request, []))
        values.append(user)
    return events, values


def labelled(event: Event, sobject: SObject, names: Names) -> Event:
    """An event with names and labels in place of ids and fields."""
    changes = []
    for name, old, new in event["changes"]:
        field = sobject.get(name)
        changes.append(
            {
                "name": name,
                "label": label(field) if field is not None else name,
                "old": cell(field, old, names),
                "new": cell(field, new, names),
            }
        )
    return {**event, "user": names.link(event["user"]), "changes": changes}


def latest(connection: duckdb.DuckDBPyConnection, most: int) -> tuple[list[Event], list[str]]:
    """What was written last, and who wrote it."""
    events = []
    for at, user, request, operation, name, number in connection.execute(
        _LATEST, {"most": most}
    ).fetchall():
        did = "Wrote" if operation == "upsert" else DID[operation]
        count = f"{number:,} × " if number and number > 1 else ""
        events.append(_event(f"{did} {count}{name}", at, user, request, []))
    return events, [event["user"] for event in events]


def _event(did: str, at: Any, user: str, request: str, changes: list[Any]) -> Event:
    return {
        "did": did,
        "moment": moment(at),
        "user": user,
        "request": _request(request),
        "changes": changes,
    }


def _request(request: str) -> Cell | None:
    """What a write was done for; a Bulk job leads to its page."""
    if not request:
        return None
    job = request.removeprefix("Bulk job ")
    return Cell(request, f"/lightning/jobs/{job}" if job != request else None)
