"""Countries and states as the org lists them, under every name that people write: ``org_place``.

Which codes there are is the org's to say (describe: the values of its ``…CountryCode`` and
``…StateCode`` fields, and which states belong to which country). How people spell them is not in
it; ``place_names`` adds that, and never beats the org's own codes and labels.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.sync.mapping.place_names import IsoPlace, country_of, iso_parts, parts_of

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = {
    **dict.fromkeys(("within", "spelling", "country", "state", "postcode", "begins"), "varchar"),
    "proper": "boolean",
}
"""``within`` is null where a country is spelled, else the country whose state is spelled. Both
codes are null where the org does not list that state: it is known to be one, no more. ``postcode``
and ``begins`` are regular expressions, for a whole postcode of the country and for its first signs
in the state. ``proper`` is what an official list says: a code or the name, and no other way to
write it."""

CODE, LABEL, OTHER_CODE, NAME, OTHER_NAME, TERRITORY, UNLISTED = range(7)
"""Ranks of spellings: where two places are spelled alike, the lower one is meant."""


@dataclass(frozen=True)
class Place:
    """One way to write a country, or a state within a country, and what it means in the org."""

    within: str | None
    name: str
    country: str | None
    state: str | None
    rank: int
    postcode: str | None = None
    begins: str | None = None


@dataclass(frozen=True)
class Listed:
    """The countries (code → label) and states (country → code → label) of an org."""

    countries: Mapping[str, str]
    states: Mapping[str, Mapping[str, str]]


def together(parts: Iterable[Listed]) -> Listed:
    """What all objects of an org list: the same, where they have such fields at all."""
    countries: dict[str, str] = {}
    states: dict[str, Mapping[str, str]] = {}
    for part in parts:
        countries |= part.countries
        states |= part.states
    return Listed(countries, states)


def listed(describes: Iterable[Mapping[str, Any]]) -> Listed:
    """What an org lists, from the describes of its objects; nothing where it has no picklists."""
    countries: dict[str, str] = {}
    states: dict[str, dict[str, str]] = {}
    for describe in describes:
        fields = {field["name"]: field for field in describe["fields"]}
        for field in fields.values():
            controller = fields.get(field.get("controllerName") or "")
            if not field["name"].endswith("StateCode") or controller is None:
                continue
            order = [value["value"] for value in controller["picklistValues"]]
            countries |= {v["value"]: v["label"] for v in _active(controller)}
            for value in _active(field):
                for at in _bits(value["validFor"]):
                    states.setdefault(order[at], {})[value["value"]] = value["label"]
    return Listed(countries, states)


def places(org: Listed) -> Iterator[Place]:
    """Every spelling that is understood, of every place the org lists, and of parts it does not."""
    iso = {code: country_of(code, label) for code, label in org.countries.items()}
    for code, label in org.countries.items():
        for rank, name in _country_names(code, label, iso[code]):
            yield Place(None, name, code, None, rank, _postcode(iso[code]))
        yield from _parts(org, iso, code)


def places_table(org: Listed) -> pa.Table:
    """The places as an Arrow table for ``places_sql``: the attributes of ``Place``."""
    import pyarrow as pa

    texts = ("within", "name", "country", "state", "postcode", "begins")
    types = [*((name, pa.string()) for name in texts), ("rank", pa.int32())]
    return pa.Table.from_pylist([vars(place) for place in places(org)], schema=pa.schema(types))


def places_sql(table: str) -> str:
    """The relation ``org_place`` from ``places_table``: each spelling once, in its normal form.

    Of two places that are spelled alike the one of the lower rank is meant; of one rank, neither.
    What other lists call a country is no country where the org calls a state elsewhere so.
    """
    return f"""\
with spelled as (
    select *, place_words(name) as spelling
    from {table}
    where place_words(name) is not null
),

own_states as (
    select within, spelling
    from spelled
    where within is not null and rank <= {LABEL}
),

meant as (
    select *
    from spelled
    where
        within is not null
        or rank <= {LABEL}
        or not exists (
            select 1
            from own_states
            where own_states.spelling = spelled.spelling and own_states.within <> spelled.country
        )
    qualify rank = min(rank) over (partition by within, spelling)
)

select
    within,
    spelling,
    any_value(country) as country,
    any_value(state) as state,
    any_value(postcode) as postcode,
    any_value(begins) as begins,
    min(rank) <= {NAME} or min(rank) = {UNLISTED} as proper
from meant
group by within, spelling
having count(distinct coalesce(country, '') || '/' || coalesce(state, '')) = 1"""


def _active(field: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (value for value in field["picklistValues"] if value["active"])


def _bits(valid_for: str | None) -> Iterator[int]:
    """The places that describe's bit map names, its first bit the highest of the first byte."""
    for at, byte in enumerate(base64.b64decode(valid_for or "")):
        yield from (at * 8 + bit for bit in range(8) if byte & (0x80 >> bit))


def _country_names(code: str, label: str, iso: IsoPlace | None) -> Iterator[tuple[int, str]]:
    yield from ((CODE, code), (LABEL, label))
    if iso is not None:
        yield from ((OTHER_CODE, iso.country), (NAME, iso.name))
        yield from ((OTHER_NAME, name) for name in iso.others)


def _parts(org: Listed, iso: Mapping[str, IsoPlace | None], within: str) -> Iterator[Place]:
    """States of a country, what the org lists as a country itself, and what it does not list."""
    country, states = iso[within], org.states.get(within, {})
    matched = {} if country is None else parts_of(country.country, states)
    for code, label in states.items():
        part = matched.get(code)
        for rank, name in _state_names(code, label, part):
            yield Place(within, name, within, code, rank, _postcode(country), _postcode(part))
    for part in () if country is None else iso_parts().get(country.country, ()):
        if part in matched.values():
            continue
        other = iso.get(part.part)
        if other is not None and part.folded & other.folded:
            label = org.countries[part.part]
            for _, name in _country_names(part.part, label, other):
                yield Place(within, name, part.part, None, TERRITORY, _postcode(other))
        else:
            facts = (None, None, UNLISTED, _postcode(country), _postcode(part))
            yield from (Place(within, name, *facts) for name in part.names)


def _state_names(code: str, label: str, iso: IsoPlace | None) -> Iterator[tuple[int, str]]:
    yield from ((CODE, code), (LABEL, label))
    if iso is not None:
        yield from ((OTHER_CODE, iso.part), (OTHER_CODE, f"{iso.country}-{iso.part}"))
        yield (NAME, iso.name)
        yield from ((OTHER_NAME, name) for name in iso.others)


def _postcode(place: IsoPlace | None) -> str | None:
    return None if place is None else place.postcode or None
