"""JSON records as write requests: every call that sends records as JSON or SOAP comes through."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.catalog.model import NUMBER_TYPES, Catalog, Field, SObject
from pipelines.local_org.dml.orgrules import PLAIN, WriteOptions
from pipelines.local_org.dml.outcome import (
    CLEAR,
    Outcome,
    RolledBack,
    RowError,
    rolled_back,
    undo_unless_all_good,
)
from pipelines.local_org.dml.request import Column, ColumnError, WriteRequest, columns_of
from pipelines.local_org.dml.values import DATE, DATETIME
from pipelines.local_org.dml.write import Writer, texts_of

_JSON_KINDS = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}


class JsonTypeError(Exception):
    """A value of a JSON type that the field does not take; the whole request is refused."""


@dataclass(frozen=True)
class Batch:
    """Records of one object with one operation, in the order they came."""

    sobject: SObject
    operation: str
    records: Sequence[dict[str, Any]]
    key: Field | None = None


def write_records(
    writer: Writer,
    batches: Sequence[Batch],
    user: str,
    *,
    all_or_none: bool = False,
    options: WriteOptions = PLAIN,
) -> list[Outcome]:
    """Write batches one after the other; with `all_or_none` all of them or none.

    Raises:
        JsonTypeError: a value is of the wrong JSON type.
    """
    outcomes: list[Outcome] = []
    try:
        with writer.store.write():
            for batch in batches:
                outcomes += _write(writer, batch, user, options)
            if all_or_none:
                undo_unless_all_good(outcomes)
    except RolledBack:
        return rolled_back(outcomes)
    return outcomes


def delete_records(
    writer: Writer,
    record_ids: Sequence[str],
    user: str,
    *,
    all_or_none: bool = False,
    hard: bool = False,
) -> list[Outcome]:
    """Delete records of any objects, in the order of their ids; `hard`: for good."""
    outcomes: list[Outcome] = []
    try:
        with writer.store.write():
            for row, record_id in enumerate(record_ids):
                outcomes.append(_delete(writer, row, record_id, user, hard=hard))
            if all_or_none:
                undo_unless_all_good(outcomes)
    except RolledBack:
        return rolled_back(outcomes)
    return outcomes


def _delete(writer: Writer, row: int, record_id: str, user: str, *, hard: bool) -> Outcome:
    sobject = writer.catalog.of_id(record_id) if ids.is_id(record_id) else None
    if sobject is None or "delete" not in sobject.verbs:
        return Outcome(row, None, False, (RowError("MALFORMED_ID", f"malformed id {record_id}"),))
    request = WriteRequest(sobject, "delete", columns_of(writer.catalog, sobject, ["Id"]))
    if hard:
        return writer.delete(request, texts_of([{0: record_id}], 1, row), user, hard=True)[0]
    return replace(writer.delete_one(request, record_id, user), row=row)


def _write(writer: Writer, batch: Batch, user: str, options: WriteOptions) -> list[Outcome]:
    flat = [flatten(record) for record in batch.records]
    refused: dict[int, Outcome] = {}
    columns: dict[str, Column] = {}
    if batch.operation != "insert":
        # What finds a record is asked of each, also where none says it.
        _learn(writer.catalog, batch, columns, batch.key.name if batch.key is not None else "Id")
    for row, record in enumerate(flat):
        problems = [
            problem for name in record if (problem := _learn(writer.catalog, batch, columns, name))
        ]
        if problems:
            refused[row] = Outcome(row, None, created=False, errors=tuple(problems))
    rows = [
        {
            columns[name.lower()].position: json_text(columns[name.lower()], value)
            for name, value in record.items()
        }
        for row, record in enumerate(flat)
        if row not in refused
    ]
    outcomes: list[Outcome] = []
    if rows:
        request = WriteRequest(batch.sobject, batch.operation, tuple(columns.values()), batch.key)
        if len(rows) == 1:
            outcomes = [writer.write_one(request, rows[0], user, options)]
        else:
            outcomes = writer.write(request, texts_of(rows, len(columns)), user, options)
    remaining = iter(outcomes)
    return [refused.get(row) or next(remaining) for row in range(len(flat))]


def flatten(record: dict[str, Any]) -> dict[str, Any]:
    """One level of parents becomes `Account.Causeway_Key__c`; `attributes` say nothing new."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if name.lower() == "attributes":
            continue
        if isinstance(value, dict):
            attributes = value.get("attributes")
            kind = attributes.get("type") if isinstance(attributes, dict) else None
            prefix = f"{kind}:{name}" if kind else name
            for inner, text in value.items():
                if inner.lower() != "attributes":
                    flat[f"{prefix}.{inner}"] = text
        else:
            flat[name] = value
    return flat


def _learn(
    catalog: Catalog, batch: Batch, columns: dict[str, Column], name: str
) -> RowError | None:
    if name.lower() in columns:
        return None
    try:
        column = columns_of(catalog, batch.sobject, [name])[0]
    except ColumnError:
        return RowError(
            "INVALID_FIELD", f"No such column '{name}' on sobject of type {batch.sobject.name}"
        )
    columns[name.lower()] = Column(name, len(columns), column.field, column.via)
    return None


def json_text(column: Column, value: Any) -> str:
    """The text that a JSON value stands for.

    Raises:
        JsonTypeError: the field does not take values of this JSON type.
    """
    if value is None:
        return CLEAR
    if column.via is not None:
        return str(value)
    field = column.field
    if isinstance(value, (dict, list)):
        raise JsonTypeError(_cannot(field, "START_OBJECT", ""))
    if isinstance(value, str):
        return _string(field, value)
    if isinstance(value, bool):
        if field.type != "boolean":
            raise JsonTypeError(_cannot(field, f"VALUE_{str(value).upper()}", ""))
        return str(value).lower()
    if field.type not in NUMBER_TYPES:
        raise JsonTypeError(_cannot(field, _JSON_KINDS[type(value)], f" value {value}"))
    if field.type == "int" and isinstance(value, float):
        raise JsonTypeError(_cannot(field, "VALUE_NUMBER_FLOAT", f" value {value}"))
    return repr(value)


def _string(field: Field, value: str) -> str:
    value = value.replace(CLEAR, "")
    wrong = (
        (field.type == "date" and not _is_date(value))
        or (field.type == "datetime" and not re.fullmatch(DATETIME.strip("^$"), value))
        or (field.type in NUMBER_TYPES and not _is_number(value, whole=field.type == "int"))
        or (field.type == "boolean" and value.lower() not in {"true", "false", "1", "0"})
    )
    if wrong:
        raise JsonTypeError(_cannot(field, "VALUE_STRING", f" value {value}"))
    return value or CLEAR


def _is_date(value: str) -> bool:
    if not re.fullmatch(DATE.strip("^$"), value[:10]):
        return False
    try:
        dt.date.fromisoformat(value[:10])
    except ValueError:
        return False
    return len(value) == 10


def _is_number(value: str, *, whole: bool) -> bool:
    return (
        re.fullmatch(r"[+-]?\d+" if whole else r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value)
        is not None
    )


def _cannot(field: Field, token: str, value: str) -> str:
    kind = {"reference": "id", "datetime": "datetime", "int": "int"}.get(field.type, field.type)
    kind = "string" if field.column_type == "varchar" and field.type != "reference" else kind
    return (
        f"Cannot deserialize instance of {kind} from {token}{value} or request may be missing a "
        "required field at [line:1, column:1]"
    )
