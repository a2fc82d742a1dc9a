"""sObject Collections: up to 200 records a call, all or none or each on its own (api-facts 2.4)."""

from itertools import groupby
from typing import Any

from pipelines.local_org import ids, unconfirmed
from pipelines.local_org.api.discovery import sobject_of
from pipelines.local_org.api.query import select_records
from pipelines.local_org.api.router import Answer, ApiError, Call, Router, refusal
from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.dml.outcome import Outcome
from pipelines.local_org.dml.records import Batch, JsonTypeError, delete_records, write_records

router = Router()
MOST = 200
MOST_RETRIEVED = 2000
MOST_CHUNKS = 10
"""Runs of records of one object in a call."""


@router.route("POST", "/services/data/v{version}/composite/sobjects")
def insert(call: Call) -> Answer:
    """Make records of one or several objects."""
    return _write(call, "insert")


@router.route("PATCH", "/services/data/v{version}/composite/sobjects")
def update(call: Call) -> Answer:
    """Change records of one or several objects by their ids."""
    return _write(call, "update")


@router.route("DELETE", "/services/data/v{version}/composite/sobjects")
def delete(call: Call) -> Answer:
    """Delete records by their ids."""
    record_ids = [text for text in call.query.get("ids", "").split(",") if text]
    if not record_ids:
        raise refusal(unconfirmed.NO_IDS)
    _check_number(record_ids, MOST)
    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    outcomes = delete_records(call.writer, record_ids, call.user, all_or_none=all_or_none)
    return Answer(content=[result(outcome) for outcome in outcomes])


@router.route("PATCH", "/services/data/v{version}/composite/sobjects/{name}/{field}")
def upsert(call: Call) -> Answer:
    """Change or make records by an External Id."""
    sobject = sobject_of(call)
    key = sobject.get(call["field"])
    if key is None or not (key.external_id or key.id_lookup):
        raise ApiError(
            400,
            "INVALID_FIELD",
            f"Field name provided, {call['field']} is not an External ID or indexed field for "
            f"{sobject.name}",
        )
    records, all_or_none = _records(call)
    batches = [Batch(sobject, "upsert", records, key)]
    try:
        outcomes = write_records(
            call.writer,
            batches,
            call.user,
            all_or_none=all_or_none,
            options=call.write_options(),
        )
    except JsonTypeError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", str(error)) from error
    return Answer(content=[result(o) | {"created": o.created} for o in outcomes])


@router.route("POST", "/services/data/v{version}/composite/sobjects/{name}")
def retrieve(call: Call) -> Answer:
    """Read records by their ids; null for those that are not there."""
    body = call.json_object()
    return _retrieve(call, body.get("ids"), body.get("fields"))


@router.route("GET", "/services/data/v{version}/composite/sobjects/{name}")
def retrieve_by_url(call: Call) -> Answer:
    """Read records whose ids stand in the URL."""
    names = call.query.get("fields", "").split(",")
    return _retrieve(call, call.query.get("ids", "").split(","), names)


def result(outcome: Outcome) -> dict[str, Any]:
    """One line of a collection's answer."""
    if outcome.success:
        return {"id": outcome.id, "success": True, "errors": []}
    return {"success": False, "errors": [error.as_collection() for error in outcome.errors]}


def _retrieve(call: Call, record_ids: Any, names: Any) -> Answer:
    sobject = sobject_of(call)
    if not isinstance(record_ids, list) or not isinstance(names, list) or not names:
        raise ApiError(400, "MALFORMED_QUERY", "ids and fields must be given")
    _check_number(record_ids, MOST_RETRIEVED)
    bad = [text for text in record_ids if not ids.is_id(str(text))]
    if bad:
        raise ApiError(400, "MALFORMED_ID", f"malformed id {bad[0]}")
    full_ids = [ids.to18(text) for text in record_ids]
    records = (
        select_records(call, sobject, [str(name) for name in names], full_ids) if full_ids else {}
    )
    return Answer(content=[records.get(record_id) for record_id in full_ids])


def _write(call: Call, operation: str) -> Answer:
    records, all_or_none = _records(call)
    typed = [(_sobject(call, record), record) for record in records]
    batches = [
        Batch(sobject, operation, [record for _, record in group])
        for sobject, group in groupby(typed, key=lambda pair: pair[0])
    ]
    if len(batches) > MOST_CHUNKS:
        raise refusal(unconfirmed.TOO_MANY_CHUNKS, most=MOST_CHUNKS)
    try:
        outcomes = write_records(
            call.writer,
            batches,
            call.user,
            all_or_none=all_or_none,
            options=call.write_options(),
        )
    except JsonTypeError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", str(error)) from error
    return Answer(content=[result(outcome) for outcome in outcomes])


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise ApiError(400, "JSON_PARSER_ERROR", "records must be a list of objects")
    if not records:
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required", ())
    _check_number(records, MOST)
    return records, body.get("allOrNone") is True


def _sobject(call: Call, record: dict[str, Any]) -> SObject:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise ApiError(
            400,
            "INVALID_INPUT",
            "Include a type in the attributes of each record, so that its object is known.",
        )
    sobject = call.catalog.get(name)
    if sobject is None:
        raise ApiError(
            400,
            "INVALID_TYPE",
            f"sObject type '{name}' is not supported. If you are attempting to use a custom "
            "object, be sure to append the '__c' after the entity name. Please reference your "
            "WSDL or the describe call for the appropriate names.",
        )
    return sobject


def _check_number(items: list[Any], most: int) -> None:
    if len(items) > most:
        raise refusal(unconfirmed.TOO_MANY_RECORDS, most=most)
