"""Single records: create, read, change, delete, by id and by External Id (api-facts 2.3)."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pipelines.local_org import ids, unconfirmed
from pipelines.local_org.api.discovery import sobject_of
from pipelines.local_org.api.duplicates import duplicate_result
from pipelines.local_org.api.query import select_records
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.catalog.model import Field, SObject, literal
from pipelines.local_org.dml.lookups import match_sql
from pipelines.local_org.dml.outcome import Outcome
from pipelines.local_org.dml.records import Batch, JsonTypeError, delete_records, write_records

router = Router()
UPSERT_ANSWERS_200_FROM = 46.0
MISSING = ApiError(404, "NOT_FOUND", "The requested resource does not exist")


@router.route("POST", "/services/data/v{version}/sobjects/{name}")
@router.route("POST", "/services/data/v{version}/sobjects/{name}/Id")
def create(call: Call) -> Answer:
    """Make a record."""
    sobject = _allowed(call, "create")
    outcome = _write(call, Batch(sobject, "insert", [call.json_object()]))
    return _created(call, sobject, outcome)


@router.route("GET", "/services/data/v{version}/sobjects/{name}/{id}")
def read(call: Call) -> Answer:
    """Read a record, all fields or those asked for."""
    sobject = sobject_of(call)
    return _record(call, sobject, _id_of(call, sobject))


@router.route("PATCH", "/services/data/v{version}/sobjects/{name}/{id}")
def update(call: Call) -> Answer:
    """Change a record."""
    sobject = _allowed(call, "update")
    record_id = _id_of(call, sobject)
    body = call.json_object()
    if any(name.lower() == "id" for name in body):
        raise _key_in_body("Id")
    try:
        _write(call, Batch(sobject, "update", [{"Id": record_id} | body]))
    except ApiError:
        _check_alive(call, sobject, record_id)
        raise
    return Answer(204)


@router.route("DELETE", "/services/data/v{version}/sobjects/{name}/{id}")
def delete(call: Call) -> Answer:
    """Delete a record."""
    sobject = _allowed(call, "delete")
    record_id = _id_of(call, sobject)
    try:
        _good(delete_records(call.writer, [record_id], call.user)[0])
    except ApiError:
        _check_alive(call, sobject, record_id)
        raise
    return Answer(204)


@router.route("GET", "/services/data/v{version}/sobjects/{name}/{field}/{value*}")
def read_by_key(call: Call) -> Answer:
    """Read the record with this value of an External Id."""
    sobject, record_ids = _by_key(call)
    if not record_ids:
        raise MISSING
    return _several(call, sobject, record_ids) or _record(call, sobject, record_ids[0])


@router.route("PATCH", "/services/data/v{version}/sobjects/{name}/{field}/{value*}")
def upsert(call: Call) -> Answer:
    """Change the record with this value of an External Id, or make it."""
    sobject = _allowed(call, "update")
    key, body = _key_field(call, sobject), call.json_object()
    if any(name.lower() == key.name.lower() for name in body):
        raise _key_in_body(key.name)
    if call.query.get("updateOnly", "").lower() == "true" and not _by_key(call)[1]:
        raise MISSING
    try:
        outcome = _write(call, Batch(sobject, "upsert", [body | {key.name: call["value"]}], key))
    except ApiError:
        several = _several(call, sobject, _by_key(call)[1])
        if several is None:
            raise
        return several
    if outcome.created:
        return _created(call, sobject, outcome)
    if float(call.version) < UPSERT_ANSWERS_200_FROM:
        return Answer(204)
    return Answer(content=_success(call, outcome))


@router.route("DELETE", "/services/data/v{version}/sobjects/{name}/{field}/{value*}")
def delete_by_key(call: Call) -> Answer:
    """Delete the record with this value of an External Id."""
    _allowed(call, "delete")
    sobject, record_ids = _by_key(call)
    if not record_ids:
        raise MISSING
    several = _several(call, sobject, record_ids)
    if several is None:
        _good(delete_records(call.writer, record_ids, call.user)[0])
    return several or Answer(204)


def _allowed(call: Call, verb: str) -> SObject:
    sobject = sobject_of(call)
    if verb not in sobject.verbs:
        raise ApiError(
            405,
            "METHOD_NOT_ALLOWED",
            f"HTTP Method '{call.method}' not allowed. Allowed are HEAD,GET",
        )
    return sobject


def _id_of(call: Call, sobject: SObject) -> str:
    """The 18-character id in the path."""
    text = call["id"]
    if not ids.is_id(text) or text[:3] != sobject.prefix:
        raise (
            ApiError(
                404,
                "NOT_FOUND",
                "Provided external ID field does not exist or is not accessible: Id",
            )
            if not re.fullmatch("[A-Za-z0-9]{15,18}", text)
            else MISSING
        )
    return ids.to18(text)


def _check_alive(call: Call, sobject: SObject, record_id: str) -> None:
    """Tell of a record that is not there, or deleted, before anything else is told.

    Raises:
        ApiError: 404.
    """
    lines = call.org.store.run_kept(
        _state_sql(sobject),
        f"{ids.record_number(record_id)}::bigint, {literal(record_id)}::varchar",
    )
    if not lines:
        raise MISSING
    if lines[0][0]:
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", ())


def _key_in_body(name: str) -> ApiError:
    message = unconfirmed.KEY_IN_BODY
    return ApiError(400, message.code, message(field=name), ())


def _key_field(call: Call, sobject: SObject) -> Field:
    field = sobject.get(call["field"])
    if field is None or not (field.id_lookup or field.external_id):
        raise ApiError(
            404,
            "NOT_FOUND",
            f"Provided external ID field does not exist or is not accessible: {call['field']}",
        )
    return field


def _by_key(call: Call) -> tuple[SObject, list[str]]:
    """The ids of the live records with the value in the path."""
    sobject = sobject_of(call)
    key = _key_field(call, sobject)
    with call.org.store.read() as connection:
        lines = connection.execute(_carriers_sql(sobject, key), [call["value"]]).fetchall()
    return sobject, [row[0] for row in lines]


def _state_sql(sobject: SObject) -> str:
    """SQL: is the record with this number and id deleted? No line when there is none."""
    return f'select "IsDeleted" from {sobject.table} where _n = $1 and "Id" = $2'


def _carriers_sql(sobject: SObject, key: Field) -> str:
    """SQL for the ids of the live records whose field has a value, given as a text."""
    stored = match_sql(key, f"t.{key.column}")
    if key.column_type != "varchar":
        stored = f"{stored}::varchar"
    return (
        f'select t."Id" from {sobject.table} t where not t."IsDeleted" '
        f"and {stored} = {match_sql(key, '?::varchar')} order by t._n"
    )


def _several(call: Call, sobject: SObject, record_ids: Sequence[str]) -> Answer | None:
    if len(record_ids) < 2:
        return None
    path = f"/services/data/v{call.version}/sobjects/{sobject.name}"
    return Answer(300, [f"{path}/{record_id}" for record_id in record_ids])


def _record(call: Call, sobject: SObject, record_id: str) -> Answer:
    requested = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    names = requested or [field.name for field in sobject.fields]
    records = select_records(call, sobject, names, [record_id])
    if record_id not in records:
        _check_alive(call, sobject, record_id)
        raise MISSING
    return Answer(content=records[record_id])


def _write(call: Call, batch: Batch) -> Outcome:
    options = call.write_options()
    try:
        with call.org.store.write() as connection:
            outcome = write_records(call.writer, [batch], call.user, options=options)[0]
            duplicates = duplicate_result(call, connection, batch.sobject, outcome)
    except JsonTypeError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", str(error)) from error
    return _good(outcome, duplicates)


def _good(outcome: Outcome, duplicates: dict[str, Any] | None = None) -> Outcome:
    if outcome.errors:
        first = outcome.errors[0]
        error = ApiError(400, first.code, first.message, first.fields)
        error.body = [e.as_record() for e in outcome.errors]
        if duplicates is not None:
            error.body[0] = {"duplicateResult": duplicates} | error.body[0]
        raise error
    return outcome


def _success(call: Call, outcome: Outcome) -> dict[str, Any]:
    content: dict[str, Any] = {"id": outcome.id, "success": True, "errors": []}
    if float(call.version) >= UPSERT_ANSWERS_200_FROM and call.method == "PATCH":
        content["created"] = outcome.created
    return content


def _created(call: Call, sobject: SObject, outcome: Outcome) -> Answer:
    path = f"/services/data/v{call.version}/sobjects/{sobject.name}/{quote(outcome.id or '')}"
    return Answer(201, _success(call, outcome), headers={"Location": path})
