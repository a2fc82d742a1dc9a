"""Rows written one by one, 25 in a call: what refuses one says more of it than a collection does.

Where a duplicate rule objects, only the answer to a single record names the records it found. The
requests of one composite call count as one call of the day
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.salesforce.rows import Load, RowError, RowResult, json_text

if TYPE_CHECKING:
    from pipelines.salesforce.session import Session

AT_ONCE = 25
"""Requests that one composite call may hold."""


def write_singly(
    session: Session, load: Load, records: Sequence[Mapping[str, Any]], headers: Mapping[str, str]
) -> list[RowResult]:
    """Upsert or update up to 25 records, each on its own; one result per record, in their order."""
    parts = ", ".join(_parts(session, load, records, headers))
    # Collated requests would be one transaction again, and told as shortly as a collection's.
    body = f'{{"allOrNone": false, "collateSubrequests": false, "compositeRequest": [{parts}]}}'
    answer = session.request(
        "POST",
        "composite",
        data=body.encode(),
        headers={**headers, "Content-Type": "application/json"},
    )
    responses = answer.json()["compositeResponse"]
    return [_result(load, record, part) for record, part in zip(records, responses, strict=True)]


def _parts(
    session: Session, load: Load, records: Sequence[Mapping[str, Any]], headers: Mapping[str, str]
) -> Iterator[str]:
    base = f"/services/data/v{session.connection.api_version}/sobjects/{load.object}"
    key_field = load.external_id or "Id"
    for place, record in enumerate(records):
        key = quote(str(record[key_field]), safe="")
        values = {name: value for name, value in record.items() if name != key_field}
        request = {
            "method": "PATCH",
            "url": f"{base}/{key_field}/{key}" if load.external_id else f"{base}/{key}",
            "referenceId": f"row{place}",
            "httpHeaders": headers,
            "body": values,
        }
        yield json_text([request])[1:-1]


def _result(load: Load, record: Mapping[str, Any], part: Mapping[str, Any]) -> RowResult:
    body = part["body"]
    if part["httpStatusCode"] < 300:
        fields = body or {}
        sf_id = fields.get("id") or (None if load.external_id else record["Id"])
        return RowResult(sf_id, success=True, created=bool(fields.get("created", False)))
    errors = tuple(map(RowError.from_rest, body))
    return RowResult(None, success=False, created=False, errors=errors)
