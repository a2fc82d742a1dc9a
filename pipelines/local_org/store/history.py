"""Who wrote which field when, by which request: noted by every path that writes records.

A write is one line of `org.write`; a record that it changed is one line of `org.change`, made by
one set-based statement before the update. See `history.sql`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from pipelines.local_org.catalog.model import SObject, literal, quoted
from pipelines.local_org.moments import now
from pipelines.local_org.store.store import Store

_request: ContextVar[str] = ContextVar("request", default="")


@contextmanager
def doing(request: str) -> Iterator[None]:
    """Say what the writes inside are done for, such as `PATCH /services/data/v67.0/…`."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


@dataclass(frozen=True)
class Write:
    """One write as its line tells it."""

    object: str
    operation: str
    user: str
    fields: Sequence[str] = ()
    first: int | None = None
    """Number of the first record it makes, if it makes some."""
    count: int = 0
    """How many records it makes at most."""


_COLUMNS = ("bigint", "timestamp", *(["varchar"] * 4), "bigint", "bigint", "varchar[]")
_NOTE = "insert into org.write values (" + ", ".join(
    f"${place}::{kind}" for place, kind in enumerate(_COLUMNS, start=1)
) + ")"  # fmt: skip


CHANGE = "insert into org.change values ($1::bigint, $2::bigint, $3::usmallint[], $4::varchar[])"
"""SQL that notes what one write changed in one record."""


def note(store: Store, write: Write, number: int | None = None) -> int:
    """Write the line of a write, inside its transaction; its number, given or next."""
    number = number or store.numbers("write")
    last = None if write.first is None else write.first + write.count - 1
    texts = (write.user, _request.get(), write.object, write.operation)
    fields = ", ".join(literal(name) for name in write.fields)
    constants = [
        f"{number}::bigint",
        f"'{now()}'::timestamp",
        *(f"{literal(text)}::varchar" for text in texts),
        f"{'null' if write.first is None else write.first}::bigint",
        f"{'null' if last is None else last}::bigint",
        f"[{fields}]::varchar[]",
    ]
    store.run_kept(_NOTE, ", ".join(constants))
    return number


def changed_sql(sobject: SObject, changes: Mapping[str, str], source: str) -> str:
    """SQL that notes which of the fields change, and what stood there. Parameter: `$write`.

    Args:
        sobject: the object; its records go by `t`.
        changes: field → SQL for its new value.
        source: which records change, such as `from work w, … t where …`.
    """
    different = {
        name: f"t.{quoted(name)} is distinct from ({new})" for name, new in changes.items()
    }
    positions = ", ".join(
        f"case when {test} then {place} end" for place, test in enumerate(different.values())
    )
    olds = ", ".join(f"t.{sobject[name].column}::varchar" for name in changes)
    return (
        "insert into org.change select write, record, changed, "
        "list_select(olds, list_transform(changed, lambda place: place + 1)) from ("
        f"select $write as write, t._n as record, [{olds}] as olds, "
        f"list_filter([{positions}], lambda place: place is not null) as changed "
        f"{source} and ({' or '.join(different.values())}))"
    )


@dataclass(frozen=True)
class Update:
    """An update of records.

    Attributes:
        sobject: their object; the records go by `t`.
        changes: field → SQL for its new value.
        where: SQL for which of them change.
        beside: SQL for a relation that `changes` and `where` speak of.
        stamps: more fields, whose changes say nothing of their own.
    """

    sobject: SObject
    changes: Mapping[str, str]
    where: str
    beside: str = ""
    stamps: Mapping[str, str] = field(default_factory=dict)


def update(
    store: Store, change: Update, operation: str, user: str, values: Mapping[str, Any] | None = None
) -> None:
    """Change records, inside a transaction, and note it; `values` are the SQL's parameters.

    Where no value would change nothing is written, not even the stamps.
    """
    sobject, parameters = change.sobject, values or {}
    number = store.numbers("write")
    beside = f", {change.beside}" if change.beside else ""
    changes_sql = changed_sql(
        sobject, change.changes, f"from {sobject.table} t{beside} where ({change.where})"
    )
    assignments = {**change.changes, **change.stamps}
    assigned = ", ".join(f"{quoted(name)} = {new}" for name, new in assignments.items())
    source = f" from {change.beside}" if change.beside else ""
    update_sql = f"update {sobject.table} t set {assigned}{source} where {change.where}"
    with store.write() as connection:
        changed = connection.execute(
            changes_sql, _used(changes_sql, {**parameters, "write": number})
        ).fetchall()
        if changed[0][0]:
            note(store, Write(sobject.name, operation, user, list(change.changes)), number)
            connection.execute(update_sql, _used(update_sql, parameters))


def _used(sql: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a statement speaks of; DuckDB refuses others."""
    return {name: value for name, value in values.items() if f"${name}" in sql}
