"""What people write for a country and a state, against all that an org lists."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import PROJECT
from pipelines.local_org.catalog.countries import places as listed_places
from pipelines.sync.mapping.addresses import Block, places_cte
from pipelines.sync.mapping.place_names import iso_countries, iso_parts
from pipelines.sync.mapping.places import Listed, places_sql, places_table
from pipelines.sync.mapping.policies import Addresses
from pipelines.warehouse import literal

Written = tuple[str | None, str | None, str | None]
"""Country, state and postcode as somebody wrote them."""
Read = tuple[str | None, str | None, str | None, str | None]
"""Codes of country and state, and what is told of either."""

BLOCK = Block("", "CountryCode", "StateCode", None, "PostalCode")
MACROS = PROJECT / "assets" / "macros.sql"


def _org() -> Listed:
    """The countries and states of the local org, which are those of a new one."""
    countries = {code: name for code, state, name in listed_places() if state is None}
    states: dict[str, dict[str, str]] = {}
    for code, state, name in listed_places():
        if state is not None:
            states.setdefault(code, {})[state] = name
    return Listed(countries, states)


ORG = _org()


def _reader(
    org: Listed, policy: Addresses | None = None
) -> Callable[[Iterable[Written]], list[Read]]:
    db = duckdb.connect()
    db.execute(MACROS.read_text(encoding="utf-8"))
    db.register("spelled_places", places_table(org))
    db.execute(f"create table org_place as {places_sql('spelled_places')}")
    policy = policy or Addresses()
    ctes = ",\n".join(f"{name} as (\n{sql}\n)" for name, sql in places_cte([BLOCK], policy).items())
    wanted = ", ".join(
        [*(str(BLOCK.wired(name, policy)) for name in (BLOCK.country, BLOCK.state)), *BLOCK.misfits]
    )

    def read(written: Iterable[Written]) -> list[Read]:
        rows = ",".join(
            f"({at}, {', '.join('null' if t is None else literal(t) for t in parts)})"
            for at, parts in enumerate(written)
        )
        return db.execute(
            f"""
            with valued as (
                select *
                from (values {rows}) as rows(place, "CountryCode", "StateCode", "PostalCode")
            ), {ctes}
            select {wanted} from valued {BLOCK.joined} order by place
            """
        ).fetchall()

    return read


@pytest.fixture(scope="module")
def read() -> Callable[[Iterable[Written]], list[Read]]:
    return _reader(ORG)


def test_every_country_of_the_org_is_read_by_its_label_and_code(
    read: Callable[..., list[Read]],
) -> None:
    wanted = {(name, code) for code, label in ORG.countries.items() for name in (code, label)}
    found = read((name, None, None) for name, _ in wanted)
    assert found == [(code, None, None, None) for _, code in wanted]


def test_every_state_of_the_org_is_read_within_its_country(read: Callable[..., list[Read]]) -> None:
    wanted = [
        ((country, name, None), (code, state, None, None))
        for code, states in ORG.states.items()
        for state, label in states.items()
        for country in (code, ORG.countries[code])
        for name in (state, label)
    ]
    assert len(wanted) > 1000
    found = read(written for written, _ in wanted)
    assert found == [place for _, place in wanted]


@pytest.mark.parametrize("country", sorted(ORG.states))
def test_a_state_needs_no_country_where_one_is_meant(country: str) -> None:
    states = ORG.states[country]
    read = _reader(Listed(ORG.countries, {country: states}), Addresses(default_country=country))
    found = read((None, name, None) for state in states.items() for name in state)
    assert found == [(country, code, None, None) for code in states for _ in range(2)]


NAMES = sorted(
    {name for place in iso_countries().values() for name in (place.name, place.names[-1])}
    | {part.name for parts in iso_parts().values() for part in parts}
)
CODES = sorted({*iso_countries(), *(code for states in ORG.states.values() for code in states)})


@st.composite
def orgs(draw: st.DrawFn) -> Listed:
    """An org whose admin has made lists of codes and labels that all mean something elsewhere."""
    names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique_by=_fold)
    codes = st.lists(st.sampled_from(CODES), min_size=1, max_size=5, unique=True)
    countries = dict(zip(draw(codes), draw(names), strict=False))
    return Listed(
        countries, {code: dict(zip(draw(codes), draw(names), strict=False)) for code in countries}
    )


def _fold(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@settings(max_examples=20, deadline=None)
@given(orgs())
def test_no_other_name_beats_a_label_or_code_of_the_org(org: Listed) -> None:
    read = _reader(org)
    alone = {
        name: code for code, label in reversed(org.countries.items()) for name in (label, code)
    } | {code: code for code in org.countries}
    found = read((name, None, None) for name in alone)
    assert found == [(code, None, None, None) for code in alone.values()]
    for country, states in org.states.items():
        wanted = {label: code for code, label in states.items()} | {code: code for code in states}
        found = read((country, name, None) for name in wanted)
        assert found == [(country, code, None, None) for code in wanted.values()]


SPELLINGS = [
    ("Republic of Ireland", "Co. Cork", ("IE", "CO")),
    ("Éire", "County Cork", ("IE", "CO")),
    ("India", "Orissa", ("IN", "OR")),
    ("Mexico", "Distrito Federal", ("MX", "DF")),
    ("México", "CDMX", ("MX", "DF")),
    ("MX", "Estado de México", ("MX", "ME")),
    ("Brasil", "Distrito Federal", ("BR", "DF")),
    ("USA", "Mass.", ("US", "MA")),
    ("U.S.A.", "Calif.", ("US", "CA")),
    ("the United States of America", "Washington, D.C.", ("US", "DC")),
    ("Italia", "Provincia di Roma", ("IT", "RM")),
    ("中国", "广东省", ("CN", "44")),
    ("Deutschland", None, ("DE", None)),
    ("Allemagne", None, ("DE", None)),
    ("England", None, ("GB", None)),
    ("SCOTLAND", None, ("GB", None)),
    ("UK", None, ("GB", None)),
    ("Ivory Coast", None, ("CI", None)),
    ("Россия", None, ("RU", None)),
]


@pytest.mark.parametrize(("country", "state", "codes"), SPELLINGS)
def test_what_people_write_is_understood(
    read: Callable[..., list[Read]], country: str, state: str | None, codes: tuple[str, str | None]
) -> None:
    assert read([(country, state, None)]) == [(*codes, None, None)]


def test_hong_kong_is_a_country_where_the_org_lists_it() -> None:
    read = _reader(Listed({"HK": "Hong Kong", "CN": "China"}, {}))
    assert read([("Hong Kong SAR China", None, None)]) == [("HK", None, None, None)]


DECORATED: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda name: f"  {name}. ",
    lambda name: f"({name})",
    lambda name: f"The {name}",
    lambda name: name.replace(" and ", " & "),
    lambda name: unicodedata.normalize("NFD", name),
    lambda name: "".join(
        letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter)
    ),
)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(DECORATED), st.data())
def test_case_accents_dots_and_brackets_do_not_matter(
    read: Callable[..., list[Read]], decorated: Callable[[str], str], data: st.DataObject
) -> None:
    country = data.draw(st.sampled_from(sorted(ORG.states)))
    state = data.draw(st.sampled_from(sorted(ORG.states[country])))
    label = decorated(ORG.states[country][state])
    assert read([(decorated(ORG.countries[country]), label, None)]) == [
        (country, state, None, None)
    ]


OPEN = "{} may be a country or a state of another, and nothing beside it says which"

WEIGHED = [
    # The column of states says which.
    (("Georgia", "GA", None), ("US", "GA", None, None)),
    (("GA", "Georgia", None), ("US", "GA", None, None)),
    (("DE", "Delaware", None), ("US", "DE", None, None)),
    (("CA", "USA", None), ("US", "CA", None, None)),
    (("California", None, None), ("US", "CA", None, None)),
    (("California", "United States", None), ("US", "CA", None, None)),
    (("CO", "Antioquia", "80202"), ("CO", None, None, "Antioquia")),
    # The postcode says which.
    (("Georgia", None, "0108"), ("GE", None, None, None)),
    (("Georgia", None, "30309"), ("US", "GA", None, None)),
    (("CA", None, "K1A 0B1"), ("CA", None, None, None)),
    (("CA", None, "94107-1234"), ("US", "CA", None, None)),
    (("CA", "CA", "94107"), ("US", "CA", None, None)),
    (("DE", None, "10115"), ("DE", None, None, None)),
    (("NL", None, "1012 AB"), ("NL", None, None, None)),
    (("NL", None, "A1A 1A1"), ("CA", "NL", None, None)),
    (("AR", None, "52100"), ("IT", "AR", None, None)),
    (("WA", None, "98101"), ("US", "WA", None, None)),
    (("WA", None, "6000"), ("AU", "WA", None, None)),
    (("Punjab", None, "141001"), ("IN", "PB", None, None)),
    # Nothing says which: it is left out and told.
    (("DE", None, "19801"), (None, None, OPEN.format("DE"), None)),
    (("CA", "CA", None), (None, None, OPEN.format("CA"), "CA")),
    (("WA", None, None), (None, None, "the org lists no country WA", None)),
    (("Punjab", None, None), (None, None, "the org lists no country Punjab", None)),
]


@pytest.mark.parametrize(("written", "found"), WEIGHED)
def test_a_word_for_a_country_and_a_state_is_decided_by_the_rest(
    read: Callable[..., list[Read]], written: Written, found: Read
) -> None:
    assert read([written]) == [found]


def test_what_is_not_understood_is_told(read: Callable[..., list[Read]]) -> None:
    words = [*NAMES, *CODES, "Atlantis", "X"]
    written = [(words[at], words[-at], None) for at in range(len(words))]
    territories = {"MO", "TW"}  # parts of a country for ISO, countries for the org
    for (_, state, _), (found, code, no_country, no_state) in zip(
        written, read(written), strict=True
    ):
        assert (found is None) == (no_country is not None)
        left_out = state is not None and (no_state or "").split() == state.split()
        assert code is not None or left_out or found in territories
