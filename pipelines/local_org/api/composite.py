"""Several calls in one: composite, composite/batch, composite/tree (api-facts 2.4)."""

import json
import re
from dataclasses import replace
from typing import Any

from pipelines.local_org import unconfirmed
from pipelines.local_org.api.discovery import sobject_of
from pipelines.local_org.api.router import (
    Answer,
    ApiError,
    Call,
    Router,
    refusal,
    split_url,
    unexpected,
)
from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.dml.outcome import Outcome, RolledBack
from pipelines.local_org.dml.records import Batch, JsonTypeError, write_records

router = Router()
MOST_CALLS = 25
MOST_LARGE_CALLS = 5
LARGE = re.compile(r"/(query(All)?|composite/sobjects)([/?]|$)", re.IGNORECASE)
"""Calls of which one request holds fewer than of others: queries and collections."""
MOST_TREE_RECORDS = 200
MOST_TREE_LEVELS = 5
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
HALTED = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction "
    "failed.",
}
BATCH_HALTED = {
    "errorCode": "BATCH_PROCESSING_HALTED",
    "message": "Batch processing halted per request",
}
_REFERENCE = re.compile(r"@\{([^}]+)\}")


class UnknownReference(Exception):
    """A `@{…}` that no earlier answer resolves."""


@router.route("POST", "/services/data/v{version}/composite")
def composite(call: Call) -> Answer:
    """Run calls one after the other; later ones may use what earlier ones answered."""
    body = call.json_object()
    parts = _list_of_objects(body, "compositeRequest")
    if sum(LARGE.search(str(part.get("url", ""))) is not None for part in parts) > MOST_LARGE_CALLS:
        raise refusal(unconfirmed.TOO_MANY_LARGE_PARTS, most=MOST_LARGE_CALLS)
    if body.get("allOrNone") is not True:
        return Answer(content={"compositeResponse": _run_all(call, parts, stop_at_error=False)})
    answers: list[dict[str, Any]] = []
    try:
        with call.org.store.write():
            answers = _run_all(call, parts, stop_at_error=True)
            _undo_if_failed(answers)
    except RolledBack:
        answers = [a if a["httpStatusCode"] >= 400 else _halted(a) for a in answers]
    return Answer(content={"compositeResponse": answers})


@router.route("POST", "/services/data/v{version}/composite/batch")
def batch(call: Call) -> Answer:
    """Run independent calls one after the other."""
    body = call.json_object()
    halt = body.get("haltOnError") is True
    results: list[dict[str, Any]] = []
    failed = False
    for part in _list_of_objects(body, "batchRequests"):
        if failed and halt:
            results.append({"statusCode": 412, "result": [BATCH_HALTED]})
            continue
        url = "/services/data/" + str(part.get("url", "")).lstrip("/").removeprefix(
            "services/data/"
        )
        answer = _run(call, str(part.get("method", "GET")), url, part.get("richInput"), {})
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.content})
    return Answer(content={"hasErrors": failed, "results": results})


@router.route("POST", "/services/data/v{version}/composite/tree/{name}")
def tree(call: Call) -> Answer:
    """Make records with their children, all or none."""
    sobject = sobject_of(call)
    ids_by_reference: dict[str, str] = {}
    try:
        with call.org.store.write():
            roots = _list_of_objects(call.json_object(), "records")
            _plant(call, sobject, roots, None, ids_by_reference, 1)
    except _TreeRefused as refused:
        return Answer(400, {"hasErrors": True, "results": refused.results})
    results = [
        {"referenceId": name, "id": record_id} for name, record_id in ids_by_reference.items()
    ]
    return Answer(201, {"hasErrors": False, "results": results})


# -- composite -------------------------------------------------------------------------------------


def _run_all(
    call: Call, parts: list[dict[str, Any]], *, stop_at_error: bool
) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    contents: dict[str, Any] = {}
    broken = False
    for part in parts:
        name = str(part.get("referenceId", ""))
        if broken and stop_at_error:
            answers.append(_halted({"referenceId": name}))
            continue
        try:
            url = _resolve(str(part.get("url", "")), contents)
            body = _resolve_all(part.get("body"), contents)
        except UnknownReference as missing:
            error = {"errorCode": "PROCESSING_HALTED", "message": str(missing)}
            answers.append(_answer(name, Answer(400, [error])))
            broken = True
            continue
        given = part.get("httpHeaders") or {}
        if not isinstance(given, dict):
            raise ApiError(400, "JSON_PARSER_ERROR", "httpHeaders must be an object")
        headers = {str(name).lower(): str(value) for name, value in given.items()}
        answer = _run(call, str(part.get("method", "")), url, body, headers)
        if answer.status < 400:
            contents[name] = answer.content
        else:
            broken = True
        answers.append(_answer(name, answer))
    return answers


def _undo_if_failed(answers: list[dict[str, Any]]) -> None:
    if any(answer["httpStatusCode"] >= 400 for answer in answers):
        raise RolledBack


def _answer(name: str, answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.content,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": name,
    }


def _halted(answer: dict[str, Any]) -> dict[str, Any]:
    return _answer(answer["referenceId"], Answer(400, [HALTED]))


def _run(call: Call, method: str, url: str, body: Any, headers: dict[str, str]) -> Answer:
    """Run one part through the table of routes, in the name of the same user."""
    try:
        path, query = split_url(url)
    except ValueError:  # such as an unclosed bracket where the host stands
        path, query = "", {}
    method = method.upper()
    if method not in METHODS or not path.lower().startswith("/services/data/"):
        return Answer(400, [{"errorCode": "INVALID_URL", "message": f"Invalid request: {url}"}])
    part = replace(
        call,
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=json.dumps(body).encode() if body is not None else b"",
        json_body=body,
    )
    try:
        return call.routes.dispatch(part)
    except ApiError as error:
        return Answer(error.status, error.body)
    except Exception as error:
        message = unexpected(error, f"{method} {path} in {call.path}")
        return Answer(500, [{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}])


def _resolve_all(value: Any, contents: dict[str, Any]) -> Any:
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return _look_up(whole[1], contents) if whole else _resolve(value, contents)
    if isinstance(value, dict):
        return {k: _resolve_all(v, contents) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolve_all(v, contents) for v in value]
    return value


def _resolve(text: str, contents: dict[str, Any]) -> str:
    return _REFERENCE.sub(lambda match: str(_look_up(match[1], contents)), text)


def _look_up(path: str, contents: dict[str, Any]) -> Any:
    steps = re.findall(r"[^.\[\]]+", path)
    value: Any = contents
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise UnknownReference(
                f"Invalid reference specified. No value for {path} found in {steps[0]}"
            )
    return value


def _list_of_objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ApiError(400, "JSON_PARSER_ERROR", f"{name} must be a list of objects")
    most = MOST_TREE_RECORDS if name == "records" else MOST_CALLS
    if len(parts) > most:
        raise refusal(unconfirmed.TOO_MANY_PARTS, most=most, name=name)
    return parts


# -- tree ------------------------------------------------------------------------------------------


class _TreeRefused(Exception):
    def __init__(self, results: list[dict[str, Any]]) -> None:
        super().__init__("tree refused")
        self.results = results


def _plant(
    call: Call,
    sobject: SObject,
    records: list[dict[str, Any]],
    parent: tuple[str, str] | None,
    ids_by_reference: dict[str, str],
    level: int,
) -> None:
    """Make the records of one level, then those below each of them."""
    names = [_reference(record) for record in records]
    if level > MOST_TREE_LEVELS or len(ids_by_reference) + len(records) > MOST_TREE_RECORDS:
        raise refusal(
            unconfirmed.TREE_TOO_LARGE, records=MOST_TREE_RECORDS, levels=MOST_TREE_LEVELS
        )
    nests = [
        {k: v for k, v in record.items() if isinstance(v, dict) and "records" in v}
        for record in records
    ]
    flat = [
        {k: v for k, v in record.items() if k not in nest}
        | ({parent[0]: parent[1]} if parent is not None else {})
        for record, nest in zip(records, nests, strict=True)
    ]
    try:
        batch = Batch(sobject, "insert", flat)
        options = call.write_options()
        outcomes = write_records(call.writer, [batch], call.user, options=options)
    except JsonTypeError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", str(error)) from error
    _check_all(names, outcomes)
    for name, outcome, nest in zip(names, outcomes, nests, strict=True):
        ids_by_reference[name] = outcome.id or ""
        for relationship, children in nest.items():
            relation = next((c for c in sobject.children if (c.name or "") == relationship), None)
            if relation is None:
                raise ApiError(
                    400, "INVALID_FIELD", f"No such relation '{relationship}' on {sobject.name}"
                )
            child = call.catalog[relation.child]
            inner = _list_of_objects(children, "records")
            _plant(
                call,
                child,
                inner,
                (relation.field, ids_by_reference[name]),
                ids_by_reference,
                level + 1,
            )


def _reference(record: dict[str, Any]) -> str:
    """What a record of a tree is called in the answer."""
    attributes = record.get("attributes")
    return str(attributes.get("referenceId", "")) if isinstance(attributes, dict) else ""


def _check_all(names: list[str], outcomes: list[Outcome]) -> None:
    bad = [
        {"referenceId": name, "errors": [error.as_collection() for error in outcome.errors]}
        for name, outcome in zip(names, outcomes, strict=True)
        if not outcome.success
    ]
    if bad:
        raise _TreeRefused(bad)
