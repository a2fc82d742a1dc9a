"""The statements that put judged rows (the temporary table `work`) into the record tables."""

from collections.abc import Iterator

from pipelines.local_org.catalog.model import Field, literal
from pipelines.local_org.dml.request import Column, WriteRequest
from pipelines.local_org.dml.stages import moved_sql, of_stage_sql
from pipelines.local_org.store.history import Write, changed_sql, note
from pipelines.local_org.store.store import Store

STAMPS = ("LastModifiedDate", "SystemModstamp")
"""Set to the moment of the write by every change."""


def insert_sql(request: WriteRequest) -> str:
    """SQL that inserts the good new rows of `work`.

    Parameters: `$user` (id), `$now` (timestamp).
    """
    sobject = request.sobject
    columns = {"_n": "w._n", '"Id"': "w._id"}
    for field in sobject.stored:
        value = new_value_sql(request, field)
        if value is not None and field.name != "Id":
            columns[field.column] = value
    return (
        f"insert into {sobject.table} ({', '.join(columns)}) "
        f"select {', '.join(columns.values())} from work w where w._error is null and w._created"
    )


def changed_fields_sql(request: WriteRequest) -> str:
    """SQL that notes what `update_sql` is about to change. Parameter: `$write`."""
    changes = {c.field.name: _changed_sql(request, c) for c in _changing(request)}
    return changed_sql(
        request.sobject,
        changes,
        f"from work w, {request.sobject.table} t "
        "where t._n = w._n and w._error is null and not w._created",
    )


def update_sql(request: WriteRequest) -> str:
    """SQL that changes the records of the good old rows of `work`.

    Parameters: `$user` (id), `$now` (timestamp).
    """
    changes = [f"{c.field.column} = {_changed_sql(request, c)}" for c in _changing(request)]
    changes += [f"{literal_name} = $now" for literal_name in map(_quoted_stamp, STAMPS)]
    changes.append('"LastModifiedById" = $user')
    return (
        f"update {request.sobject.table} t set {', '.join(changes)} from work w "
        "where t._n = w._n and w._error is null and not w._created"
    )


def note_write(store: Store, request: WriteRequest, user: str, first: int, count: int) -> int:
    """Note an insert, update or upsert whose new records take `count` numbers from `first` on."""
    first_new = None if request.operation == "update" else first
    name, operation = request.sobject.name, request.operation
    return note(store, Write(name, operation, user, changing_fields(request), first_new, count))


def changing_fields(request: WriteRequest) -> list[str]:
    """The fields that a request may change in records that are there."""
    return [column.field.name for column in _changing(request)]


def _changing(request: WriteRequest) -> Iterator[Column]:
    for column in request.data_columns:
        field = column.field
        if field.stored and field.updateable and field is not request.key:
            yield column


def _changed_sql(request: WriteRequest, column: Column) -> str:
    old = f"t.{column.field.column}"
    of_stage = of_stage_sql(request, column.field.name)
    moved = "" if of_stage is None else f"when {moved_sql(request)} then {of_stage} "
    return f"case when w.g{column.position} then w.{column.value} {moved}else {old} end"


def _quoted_stamp(name: str) -> str:
    return f'"{name}"'


def new_value_sql(request: WriteRequest, field: Field) -> str | None:
    """SQL, over `work w`, for a new record's value of a field; None when it stays empty.

    Parameters: `$user`, `$now`.
    """
    if field.name in {"CreatedDate", *STAMPS}:
        return "$now"
    if field.name in {"CreatedById", "LastModifiedById"}:
        return "$user"
    if field.name == "CaseNumber":
        return "lpad(w._n::varchar, 8, '0')"
    column = request.by_field.get(field.name)
    value = f"w.{column.value}" if column is not None and field.createable else None
    default = of_stage_sql(request, field.name)
    if default is None:
        default = "$user" if field.name == "OwnerId" else _default_sql(field)
    if value is None:
        return default
    return value if default is None else f"coalesce({value}, {default})"


def _default_sql(field: Field) -> str | None:
    if field.default_sql is not None:
        return field.default_sql
    default = field.default_value
    if default is None:
        return None
    return f"{literal(default)}::{field.column_type}"
