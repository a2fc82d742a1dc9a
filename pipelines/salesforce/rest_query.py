"""SOQL over REST: counts, and results of a few pages as the same CSV files that Bulk jobs make."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Response

    from pipelines.salesforce.session import Session


def count(session: Session, soql: str, *, include_deleted: bool = False) -> int:
    """Ask, in one call, how many records a query without fields finds."""
    answer = session.get(_url(include_deleted), params={"q": soql})
    return int(answer.json()["totalSize"])


def query(session: Session, soql: str, *, include_deleted: bool = False) -> Iterator[Any]:
    """Each record of a query, as the answer has it."""
    for answer in _answers(session, soql, include_deleted):
        yield from answer.json()["records"]


def page(
    session: Session,
    soql: str,
    fields: Sequence[str],
    file: Path,
    *,
    include_deleted: bool = False,
) -> Path:
    """Write the records of a query to one CSV file, as a Bulk query job would.

    Every value is text as it stood in the answer, quoted; null is empty. Instants have the form
    that REST gives them, ``2026-01-02T03:04:05.000+0000``. The rows pass through Python: meant
    for thousands of records, not for millions.

    Args:
        session: to ask.
        soql: the query; it travels in a URL of at most 16 KB.
        fields: what it selects, in the order of the columns.
        file: to write.
        include_deleted: also records that were deleted or merged away.
    """
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(fields)
        for record in _records(session, soql, include_deleted):
            writer.writerow([_text(record[name]) for name in fields])
    return file


def _records(session: Session, soql: str, include_deleted: bool) -> Iterator[Mapping[str, Any]]:
    for answer in _answers(session, soql, include_deleted):
        # A number that became a float would come out with other digits.
        yield from json.loads(answer.content, parse_float=str, parse_int=str)["records"]


def _answers(session: Session, soql: str, include_deleted: bool) -> Iterator[Response]:
    """One answer for each page of the result."""
    answer = session.get(_url(include_deleted), params={"q": soql})
    yield answer
    while not (found := answer.json())["done"]:
        answer = session.get(found["nextRecordsUrl"])
        yield answer


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _url(include_deleted: bool) -> str:
    return "queryAll" if include_deleted else "query"
