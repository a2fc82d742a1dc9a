"""Countries and states as the org lists them, under every name that people write: ``org_place``.

Which codes there are is the org's to say (describe: the values of its ``…CountryCode`` and
``…StateCode`` fields, and which states belong to which country). How people spell them is not in
it; ISO 3166 (pycountry) and a few names of daily use add that.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("within", "spelling", "country", "state")
"""``within`` is null where a country is spelled, else the country whose state is spelled."""

ALIASES = {
    "AE": ("UAE",),
    "AT": ("Österreich",),
    "BR": ("Brasil",),
    "CH": ("Schweiz", "Suisse", "Svizzera"),
    "CI": ("Ivory Coast",),
    "CZ": ("Czech Republic",),
    "DE": ("Deutschland",),
    "DK": ("Danmark",),
    "ES": ("España",),
    "GB": ("UK", "U.K.", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "IT": ("Italia",),
    "JP": ("Nippon",),
    "KR": ("South Korea", "Korea"),
    "NL": ("Holland", "The Netherlands", "Nederland"),
    "RU": ("Russia",),
    "SE": ("Sverige",),
    "TR": ("Turkey", "Türkiye"),
    "TW": ("Taiwan",),
    "US": ("U.S.", "U.S.A.", "America", "United States of America"),
    "VN": ("Vietnam", "Viet Nam"),
}
"""Names that are not in ISO 3166, by ISO code."""

STATE_ALIASES = {("US", "DC"): ("D.C.", "Washington DC", "Washington, D.C.")}


@dataclass(frozen=True)
class Place:
    """One way to write a country, or a state within a country, and what it means in the org.

    Where two places of one rank are spelled alike, the first in the alphabet is meant; the lower
    rank wins: the org's codes, its labels, other codes, names of ISO 3166, names of daily use.
    """

    within: str | None
    name: str
    country: str
    state: str | None
    rank: int


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
    """Every spelling that is understood, of every place the org lists."""
    iso = {code: _iso_country(code, label) for code, label in org.countries.items()}
    for code, label in org.countries.items():
        for rank, name in _country_names(code, label, iso[code]):
            yield Place(None, name, code, None, rank)
    for country, states in org.states.items():
        for code, label in states.items():
            for rank, name in _state_names(iso.get(country), code, label):
                yield Place(country, name, country, code, rank)
    yield from _territories(org, iso)


def places_table(org: Listed) -> pa.Table:
    """The places as an Arrow table for ``places_sql``: ``within, name, country, state, rank``."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("within", "name", "country", "state")]
    rows = [vars(place) for place in places(org)]
    return pa.Table.from_pylist(rows, schema=pa.schema([*texts, ("rank", pa.int32())]))


def places_sql(table: str) -> str:
    """The relation ``org_place`` from ``places_table``: each spelling once, in its normal form."""
    return f"""\
select within, spelling, country, state
from (select *, norm_text(name) as spelling from {table}) as spelled
where spelling is not null
qualify row_number() over (
    partition by within, spelling order by rank, country, state
) = 1"""


def _active(field: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (value for value in field["picklistValues"] if value["active"])


def _bits(valid_for: str | None) -> Iterator[int]:
    """The places that describe's bit map names, its first bit the highest of the first byte."""
    for at, byte in enumerate(base64.b64decode(valid_for or "")):
        yield from (at * 8 + bit for bit in range(8) if byte & (0x80 >> bit))


def _iso_country(code: str, label: str) -> Any:
    """The ISO country of an org's, whose codes an admin may have made anew."""
    import pycountry

    countries = pycountry.countries
    return countries.get(alpha_2=code) or countries.get(alpha_3=code) or countries.get(name=label)


def _country_names(code: str, label: str, iso: Any) -> Iterator[tuple[int, str]]:
    yield from ((0, code), (1, label))
    if iso is not None:
        yield from ((2, iso.alpha_2), (2, iso.alpha_3))
        names = (getattr(iso, name, None) for name in ("name", "common_name", "official_name"))
        yield from ((3, name) for name in names if name)
        yield from ((4, name) for name in ALIASES.get(iso.alpha_2, ()))


def _state_names(iso: Any, code: str, label: str) -> Iterator[tuple[int, str]]:
    yield from ((0, code), (1, label))
    if iso is None:
        return
    for subdivision in _subdivisions(iso):
        short = subdivision.code.partition("-")[2]
        # Codes of the org may be older than ISO's; then the name tells that they are the same.
        if short == code or subdivision.name.lower() == label.lower():
            yield from ((2, short), (2, subdivision.code), (3, subdivision.name))
    yield from ((4, name) for name in STATE_ALIASES.get((iso.alpha_2, code), ()))


def _territories(org: Listed, iso: Mapping[str, Any]) -> Iterator[Place]:
    """What ISO lists as a part of a country and the org as a country: Puerto Rico, Guam."""
    named = {country.name: code for code, country in iso.items() if country is not None}
    for within in org.states:
        if iso.get(within) is None:
            continue
        for part in _subdivisions(iso[within]):
            code = named.get(part.name)
            if code is not None and code not in org.states[within]:
                for rank, name in _country_names(code, org.countries[code], iso[code]):
                    yield Place(within, name, code, None, rank)


def _subdivisions(iso: Any) -> Iterable[Any]:
    import pycountry

    subdivisions: Any = pycountry.subdivisions
    return subdivisions.get(country_code=iso.alpha_2) or ()
