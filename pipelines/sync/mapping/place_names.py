"""How people write countries and their parts: the lines of ``place_names.csv``.

The file is made by ``.ci/place_names.py`` of ISO 3166, CLDR and other lists; nothing here is of an
org. Which line an org's country or state is, is found by its name before its code: codes of states
are older than ISO's in some countries, and an admin may make others.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

FILE = Path(__file__).parent / "place_names.csv"

KINDS = {
    "County": ("county {}", "co {}", "{} county", "{} co"),
    "Province": ("province of {}", "{} province", "provincia di {}", "provincia de {}"),
    "State": ("state of {}", "{} state", "estado de {}", "estado do {}"),
    "Metropolitan city": ("provincia di {}", "province of {}", "città metropolitana di {}"),
    "Territory": ("{} territory",),
}
"""What people write beside the name of a part to say what kind of thing it is."""


@dataclass(frozen=True)
class IsoPlace:
    """A country, or a part of one, by ISO 3166.

    Attributes:
        country: alpha-2 code.
        part: code of the subdivision without its country's; blank for the country itself.
        postcode: a regular expression: what postcodes of the country look like, or how those of
            the part begin; blank where there are none, or nobody says.
        names: the first is its name, the others are other ways to write it.
    """

    country: str
    part: str
    kind: str
    postcode: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """What ISO calls it."""
        return self.names[0]

    @property
    def others(self) -> Iterator[str]:
        """The other ways to write it."""
        yield from self.names[1:]
        forms = KINDS.get(self.kind, ())
        yield from (form.format(name) for form in forms for name in self.names)

    @cached_property
    def folded(self) -> frozenset[str]:
        """All of its names in a form for comparing."""
        return frozenset(map(folded, (self.name, *self.others)))


@cache
def iso_countries() -> Mapping[str, IsoPlace]:
    """Alpha-2 code → country."""
    return {place.country: place for place in _lines() if not place.part}


@cache
def iso_parts() -> Mapping[str, Sequence[IsoPlace]]:
    """Alpha-2 code → the parts of the country."""
    parts: dict[str, list[IsoPlace]] = defaultdict(list)
    for place in _lines():
        if place.part:
            parts[place.country].append(place)
    return parts


def country_of(code: str, label: str) -> IsoPlace | None:
    """The country that an org lists by this code and label."""
    return iso_countries().get(code) or _only(
        [place for place in iso_countries().values() if folded(label) in place.folded]
    )


def parts_of(country: str, listed: Mapping[str, str]) -> dict[str, IsoPlace]:
    """The parts of a country that an org lists, code → label; those that no line is of are left."""
    tests: tuple[Callable[[IsoPlace, str, str], bool], ...] = (
        lambda part, _, label: folded(label) == folded(part.name),
        lambda part, _, label: folded(label) in part.folded,
        lambda part, code, _: part.part == code,
    )
    found: dict[str, IsoPlace] = {}
    for is_same in tests:
        free = [part for part in iso_parts().get(country, ()) if part not in found.values()]
        for code, label in listed.items():
            same = _only([part for part in free if is_same(part, code, label)])
            if code not in found and same is not None:
                found[code] = same
    return found


def folded(name: str) -> str:
    """A name for comparing: no case, no accents, nothing but words."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("&", " and "))
    return " ".join(re.findall(r"\w+", "".join(c for c in letters if not unicodedata.combining(c))))


def _only(places: Sequence[IsoPlace]) -> IsoPlace | None:
    return places[0] if len(places) == 1 else None


@cache
def _lines() -> tuple[IsoPlace, ...]:
    with FILE.open(newline="", encoding="utf-8") as lines:
        return tuple(
            IsoPlace(country, part, kind, postcode, tuple(names.split("|")))
            for country, part, kind, postcode, names in list(csv.reader(lines))[1:]
        )
