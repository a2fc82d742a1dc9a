"""Cells as people and programs write them: what counts of them, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import PROJECT
from pipelines.project import FUNCTIONS
from pipelines.sources.texts import plain_text, unescaped, why_altered, why_not
from pipelines.sources.written import email_cell, phone_cell, with_further
from pipelines.warehouse import Warehouse

KINDS = ("text", "lines", "company", "place", "name")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "  Head \u00a0 of\u200b Sales ", "Head of Sales"),
        ("text", "Caf&eacute; &amp; Bar", "Café & Bar"),
        ("text", "R&D; ops", "R&D; ops"),
        ("text", '="007"', "007"),
        ("text", "'+1 415", "+1 415"),
        ("text", "'t Hooft", "'t Hooft"),
        ("text", "N/A", None),
        ("text", "na", None),
        ("text", "(unknown)", None),
        ("text", "[not provided]", None),
        ("text", "-None-", None),
        ("text", "#REF!", None),
        ("text", "-- / --", None),
        ("text", "Unknown Pleasures", "Unknown Pleasures"),
        ("text", "Nonesuch", "Nonesuch"),
        ("text", "#1 Bakery", "#1 Bakery"),
        ("lines", "1 Mill Road\r\n\r\n  Flat 2 ", "1 Mill Road\nFlat 2"),
        ("company", "Private", None),
        ("text", "Private", "Private"),
        ("place", "NA", "NA"),
        ("place", "n/a", None),
        ("name", "Null", "Null"),
        ("name", "None", "None"),
        ("name", "Na", "Na"),
        ("name", "-", None),
        ("name", "[not provided]", None),
    ],
)
def test_a_text_is_what_somebody_wrote(kind: str, text: str, value: str | None) -> None:
    assert plain_text(text, kind) == value


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Warehouse(tmp_path_factory.mktemp("home"), functions=FUNCTIONS).connect() as connection:
        for name in ("macros", "cells"):
            connection.execute((PROJECT / f"assets/{name}.sql").read_text(encoding="utf-8"))
        yield connection


ODD = st.text(
    st.one_of(
        st.sampled_from(" \t\n\u00a0\u200b-_.?*/#()[]<>=\"'&;"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)
WORDS = st.sampled_from(
    [
        "n/a",
        "NA",
        "None",
        "null",
        "(unknown)",
        "tbd",
        "not known",
        "private",
        "#N/A",
        "&amp;",
        "<nil>",
    ]
)


@given(texts=st.lists(st.one_of(ODD, WORDS), min_size=1, max_size=40))
def test_what_is_rewritten_is_looked_at(connection: Any, texts: list[str]) -> None:
    rows = connection.execute(
        "select x, coalesce(is_odd(nfc_normalize(x)), false), nfc_normalize(x)"
        " from (select unnest($1::varchar[]) as x)",
        [[text.replace("\0", "") for text in texts]],
    ).fetchall()
    for text, odd, composed in rows:
        changed = [kind for kind in KINDS if plain_text(composed, kind) != composed]
        assert odd or not changed, (text, changed)


@given(text=st.one_of(ODD, WORDS), kind=st.sampled_from(KINDS))
def test_a_plain_text_stays(text: str, kind: str) -> None:
    once = plain_text(text, kind)
    if once is not None and unescaped(once) == once and not once.startswith(("'", '="')):
        assert plain_text(once, kind) == once


def test_why_a_cell_has_nothing_in_its_column() -> None:
    assert why_not("\u200b \u00a0", "title") == "title invisible"
    assert why_not("4.15556E+11", "phone") == "phone digits_lost"
    assert why_not("n/a", "title") == "title placeholder"
    assert why_altered("A &amp; B", "company") == "company entities"
    assert why_altered("MÃ¼ller", "last_name") == "last_name mojibake"
    assert why_altered("JOÃO & Co", "company") is None


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Ada <ADA@x.org>", {"value": "ada@x.org", "left": "remark"}),
        ("mailto:ada@x.org?subject=hi", {"value": "ada@x.org"}),
        ("ada@x.org; ben@x.org", {"value": "ada@x.org", "further": {"email_2": "ben@x.org"}}),
        ("ada@bäcker.example", {"value": "ada@xn--bcker-gra.example"}),
        ("none", {"value": None}),
        ("ask Ada", {"value": "ask ada"}),
    ],
)
def test_an_address_as_people_write_it(text: str, cell: dict[str, Any]) -> None:
    assert json.loads(email_cell(text, "email") or "") == cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("tel:+1 212 555 0101", {"value": "+1 212 555 0101"}),
        ("4155552016.0", {"value": "4155552016"}),
        ("4.15556E+11", {"value": None, "left": "digits_lost"}),
        ("٢١٢ ٥٥٥ ٠١٠١", {"value": "212 555 0101"}),
        ("212 555 0101 ext. 7", {"value": "212 555 0101 ext. 7"}),
        ("n/a", {"value": None}),
    ],
)
def test_a_number_as_people_write_it(text: str, cell: dict[str, Any]) -> None:
    assert json.loads(phone_cell(text, "phone") or "") == cell


def test_a_further_value_takes_the_next_number_that_is_free() -> None:
    cells = [email_cell("a@x.org, b@x.org", "email"), None]
    kept = with_further('{"email_2": "c@x.org"}', json.dumps(cells))
    assert json.loads(kept or "") == {"email_2": "c@x.org", "email_3": "b@x.org"}
