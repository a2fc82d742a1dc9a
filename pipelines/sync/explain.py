"""Where a golden value came from: which source record gave it, and which others said otherwise.

Survivorship is declared in ``assets/resolve/people.sql``; here its order is walked once more for
one person, so that the first record that holds the golden value is the one that gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SourceRecord = Mapping[str, Any]
"""A row of ``person_records``."""

PLACES = {"mailing": ("mailing", "other"), "other": ("other", "mailing")}
"""A block of a person's address → the blocks of a source record that it may come from."""

USED_FOR = {"mailing": "shipping", "other": "billing"}
"""A block of a person's address → what a shop uses that address for."""

ADDRESSES = {
    "customer": ("valid_customer_addresses", "customer_source_id"),
    "order": ("valid_order_addresses", "order_source_id"),
}
"""Entities whose addresses lie in rows of their own: the relation, and how it names its owner."""

OF_ADDRESS = {
    "street": "street",
    "city": "city",
    "state": "region",
    "postal_code": "postal_code",
    "country": "country",
    "phone": "phone",
    "fax": "fax",
    "company": "company",
}
"""Part of an address → its column in those relations."""

OF_MEMBER = {
    "name": "account_name",
    "phone": "phone",
    "fax": "fax",
    "website": "website",
    **{f"billing_{part}": f"other_{part}" for part in (*OF_ADDRESS,)[:5]},
    **{f"shipping_{part}": f"mailing_{part}" for part in (*OF_ADDRESS,)[:5]},
}
"""Column of ``accounts`` → the column of ``people`` that a member gave it from."""


@dataclass(frozen=True)
class SourceValue:
    """What one source record says.

    Attributes:
        value: as the golden relation would write it.
        file: below the inbox.
        line: of the file on which the record starts.
        as_of: when the source last changed it.
    """

    value: str
    source: str
    source_id: str
    entity: str
    file: str
    line: int
    as_of: datetime


def ranked(records: Sequence[SourceRecord]) -> list[SourceRecord]:
    """Records of one person, the one whose values count most first."""

    def rank(record: SourceRecord) -> tuple[Any, ...]:
        newest_first = -record["as_of"].timestamp()
        addresses_last = record["entity"] == "address"
        return (
            addresses_last,
            record["priority"],
            newest_first,
            record["source"],
            record["source_id"],
        )

    return sorted(records, key=rank)


def origin(
    column: str, value: str | None, records: Sequence[SourceRecord]
) -> tuple[SourceValue | None, list[SourceValue]]:
    """Who gave a golden value, and who said something else.

    Args:
        column: of ``people``.
        value: what it holds, as text.
        records: of the person, as ``ranked``.
    """
    gave: SourceValue | None = None
    other_values: dict[str, SourceValue] = {}
    for record in _by_age(records) if column in (*CHANNELS, "newsletter") else records:
        values = list(_values(column, record))
        if gave is None and value is not None and value in values:
            gave = _source_value(record, value)
        elif values and value not in values:
            other_values.setdefault(values[0], _source_value(record, values[0]))
    return gave, list(other_values.values())


def _values(column: str, record: SourceRecord) -> Iterator[str]:
    """What a record says of a column, the likeliest first."""
    block, _, part = column.partition("_")
    if block in PLACES and part:
        for place in PLACES[block]:
            address = record[place] or {}
            if address.get(part) is not None:
                yield str(address[part])
    elif column in CHANNELS:
        for cell in record.get("consent") or ():
            if CHANNELS[column] in cell["channels"] and cell["says"] in ("out", "in"):
                yield str(cell["says"] == "out").lower()
    elif column in ("account_key", "account_name") and record["company"] is not None:
        yield str(record["company"])
    elif column == "lists" and record["list"] is not None:
        yield str(record["list"])
    elif column in record and record[column] is not None:
        yield str(record[column])


CHANNELS = {"opted_out": "email", "do_not_call": "call"}
"""Golden column → the channel of which its statements are."""


def _by_age(records: Sequence[SourceRecord]) -> list[SourceRecord]:
    """The newest first: of consent the last word counts, whoever says it."""
    return sorted(records, key=lambda record: record["as_of"], reverse=True)


def _source_value(record: SourceRecord, value: str) -> SourceValue:
    return SourceValue(
        value=value,
        source=record["source"],
        source_id=record["source_id"],
        entity=record["entity"],
        file=record["_file"],
        line=record["_row"],
        as_of=record["as_of"],
    )
