"""State and Country picklists as fields: the codes beside the texts of every address."""

import base64
import csv
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from pipelines.local_org.catalog.model import Field, PicklistValue

FILE = Path(__file__).parent / "countries.csv"
CODE_LENGTH = 10


@cache
def places() -> tuple[tuple[str, str | None, str], ...]:
    """Country code, state code (None for the country itself) and name."""
    with FILE.open(newline="", encoding="utf-8") as lines:
        return tuple((r["country"], r["state"] or None, r["name"]) for r in csv.DictReader(lines))


def with_codes(fields: list[Field]) -> Iterator[Field]:
    """The fields of an object, with code fields behind the state and the country of addresses."""
    for field in fields:
        yield field
        part = next((p for p in ("State", "Country") if field.name.endswith(p)), None)
        if part is None or field.compound is None:
            continue
        stem = field.name.removesuffix(part)
        yield replace(
            field,
            name=f"{field.name}Code",
            label=f"{field.label} Code",
            type="picklist",
            length=CODE_LENGTH,
            # The rule about addresses judges codes, with a text of its own.
            restricted=True,
            controller=f"{stem}CountryCode" if part == "State" else None,
            values=_states() if part == "State" else _countries(),
        )


@cache
def _countries() -> tuple[PicklistValue, ...]:
    return tuple(PicklistValue(code, name) for code, state, name in places() if state is None)


@cache
def _states() -> tuple[PicklistValue, ...]:
    order = [value.value for value in _countries()]
    return tuple(
        PicklistValue(state, name, valid_for=_bits(order.index(country), len(order)))
        for country, state, name in places()
        if state is not None
    )


def _bits(place: int, width: int) -> str:
    """The controlling value at `place` as describe's bit map, first value in the highest bit."""
    bits = bytearray((width + 7) // 8)
    bits[place // 8] |= 0x80 >> (place % 8)
    return base64.b64encode(bytes(bits)).decode()
