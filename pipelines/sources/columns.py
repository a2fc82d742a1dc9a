"""Which columns of a file are which raw column, by what their headers say together.

One header alone is read in ``words.py``. Some hang on the others: *Nombre* is the first name beside
*Apellidos*, *Title* a salutation beside *Job Title*. Several for one raw column are an order of
preference. The parts of an address stay together: each address of a row is a *block* of columns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.sources.headers import plain, undistinguished
from pipelines.sources.words import PARTS, PHONES, Reading, read

Places = tuple[int, ...]
"""Positions in a file, the preferred one first."""

_PERSON = ("prefix", "first_name", "middle_name", "last_name", "suffix", "name")
_REACH = ("email", "phone", "mobile_phone")
_PLACE = ("street", "street2", "city", "postal_code", "country")

READABLE: Mapping[str, frozenset[str]] = {
    "raw_contacts": frozenset({
        *_PERSON, *_REACH, *_PLACE, "nickname", "title", "department", "company", "main_phone",
        "home_phone", "other_phone", "fax", "building", "state", "website", "linkedin", "birthdate",
        "assignee", "category", "tags", "note", "lead_source", "updated_at",
    }),
    "raw_customers": frozenset({
        *_PERSON, *_REACH, "company", "fax", "birthdate", "gender", "created_at", "updated_at",
    }),
    "raw_customer_addresses": frozenset({*_PLACE, "company", "phone", "fax", "region"}),
    "raw_subscribers": frozenset({*_PERSON, *_REACH, *_PLACE, "company", "state", "updated_at"}),
    "raw_orders": frozenset({"email", "first_name", "last_name", "created_at", "updated_at"}),
    "raw_order_addresses": frozenset(
        {*_PLACE, "first_name", "last_name", "company", "phone", "email", "region"}
    ),
}  # fmt: skip
"""Raw relation → the columns that words of a header can mean.

Ids, and what means something else in a shop (the website, the state of an order), are never read
by words: presets list them.
"""


def has_words(column: str, relation: str) -> bool:
    """Whether the name of a raw column, as a header, is read as that column."""
    return column.removeprefix("other_") in READABLE[relation]


@dataclass(frozen=True)
class Assigned:
    """What the headers of a file are, of one raw relation.

    Attributes:
        columns: raw column → the positions that give it, the preferred one first.
        blocks: the addresses of a row, the preferred one first: part → positions.
    """

    columns: Mapping[str, Places]
    blocks: Sequence[Mapping[str, Places]]


def assign(names: Mapping[int, str], relation: str, taken: Collection[str]) -> Assigned:
    """Read the headers that nobody declared.

    Args:
        names: position → header, of those that may be read.
        relation: the raw relation whose columns are looked for.
        taken: raw columns that have their header already.
    """
    found = {at: read(undistinguished(name)) for at, name in names.items()}
    readings = _together({at: reading for at, reading in found.items() if reading})
    twins = _twins(names)
    offers: dict[str, list[tuple[tuple[int, int, int], int]]] = defaultdict(list)
    parts: dict[tuple[str, int], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, reading in readings.items():
        column, rank = _column(reading.concept, relation)
        if column is None or column in taken:
            continue
        if reading.concept in PARTS:
            # The same header once more is another address.
            parts[reading.kind, reading.number + twins[place]][column].append(place)
        else:
            preference = _KIND_RANKS.get(reading.kind, 0) + rank
            offers[column].append(((reading.number, preference, place), place))
    columns = {column: tuple(at for _, at in sorted(found)) for column, found in offers.items()}
    return Assigned(columns, _blocks(parts, relation))


def _twins(names: Mapping[int, str]) -> dict[int, int]:
    """Position → how many columns before it have the very same header."""
    seen: Counter[str] = Counter()
    twins = {}
    for place, name in names.items():
        spelled = plain(undistinguished(name))
        twins[place] = seen[spelled]
        seen[spelled] += 1
    return twins


_KIND_RANKS = {
    "direct": -1, "": 0, "mailing": 0, "main": 1, "work": 1, "shipping": 3, "billing": 4, "home": 5,
    "company": 6, "other": 9,
}  # fmt: skip
"""Whose value counts where a row has several, the least first."""

_SHOP_RANKS = _KIND_RANKS | {"shipping": -1}
"""The same of a shop's customer, to whom things are sent."""

_STANDS_FOR: Mapping[str, tuple[str, ...]] = {
    "state": ("region",),
    "county": ("state", "region"),
    "street3": ("building",),
    "mobile_phone": ("phone",),
    "main_phone": ("phone",),
    "home_phone": ("phone",),
    "other_phone": ("phone",),
}
"""Concept → the columns that take it in a relation that has none of its name."""


def _column(concept: str, relation: str) -> tuple[str | None, int]:
    """The raw column that takes a concept, and how much it is a makeshift."""
    readable = READABLE[relation]
    if concept in readable:
        return concept, 0
    instead = next((one for one in _STANDS_FOR.get(concept, ()) if one in readable), None)
    return instead, 10 * (1 + PHONES.index(concept)) if concept in PHONES else 0


def _together(readings: Mapping[int, Reading]) -> dict[int, Reading]:
    """The readings, where what one says hangs on another decided by all of them."""
    concepts = {reading.concept for reading in readings.values()}
    firsts = [one for one in readings.values() if one.concept == "first_name"]
    has_last = "last_name" in concepts
    foreign_first = any(not first.english for first in firsts)
    titled = "title" in concepts or any(
        reading.concept == "prefix" and not reading.english for reading in readings.values()
    )
    meant: dict[str, str | None] = {
        "surname_or_name": "last_name" if foreign_first and not has_last else "name",
        "first_or_name": "first_name" if has_last and not firsts else "name",
        "title_or_prefix": "prefix" if titled else "title",
        "state_or_status": "state" if concepts & {"city", "postal_code"} else None,
        "county": None if "state" in concepts else "county",
    }
    result = {}
    for place, reading in readings.items():
        concept = meant.get(reading.concept, reading.concept)
        if concept is not None:
            result[place] = replace(reading, concept=concept)
    return result


def _blocks(
    parts: Mapping[tuple[str, int], Mapping[str, Sequence[int]]], relation: str
) -> list[dict[str, Places]]:
    """The addresses, the preferred one first; what lies apart of one address is put together.

    An address with a street counts before one without: *Country* alone is no address beside
    *Business Street* and *Business Country*. *City* and *Company Address* are one, *Home City* and
    *Business Street* are two.
    """
    ranks = _SHOP_RANKS if "customer" in relation else _KIND_RANKS
    order = sorted(parts, key=lambda one: ("street" not in parts[one], one[1], ranks[one[0]]))
    blocks: list[tuple[set[str], dict[str, Places]]] = []
    for kind, number in order:
        block = {column: tuple(places) for column, places in parts[kind, number].items()}
        for kinds, into in blocks:
            if into.keys().isdisjoint(block) and len({kind, *kinds} - {""}) < 2:
                kinds.add(kind)
                into.update(block)
                break
        else:
            blocks.append(({kind}, block))
    return [block for _, block in blocks]
