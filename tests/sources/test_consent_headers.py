"""Which headers are read as statements of consent, and that none of anything else is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.columns import READABLE
from pipelines.sources.consent import read_header
from pipelines.sources.model import Source
from pipelines.sources.shapes import fit
from pipelines.sources.words import FILE, read

TABLE = yaml.safe_load((Path(__file__).parent / "consent_headers.yaml").read_text("utf-8"))
HEADERS = [(str(header), kind) for kind, headers in TABLE.items() for header in headers]
SPEAKING = [(header, kind) for header, kind in HEADERS if kind not in ("nothing", "unread")]


def said(header: str) -> str:
    reading = read_header(header)
    return "unread" if reading.unread else reading.kind or "nothing"


@pytest.mark.parametrize(("header", "kind"), HEADERS, ids=lambda one: one)
def test_a_header_is_read_by_its_words(header: str, kind: str) -> None:
    assert said(header) == kind


@given(st.sampled_from(SPEAKING), st.data())
@settings(max_examples=1000, deadline=None)
def test_case_and_signs_change_nothing(one: tuple[str, str], data: st.DataObject) -> None:
    header, kind = one
    case = data.draw(st.sampled_from([str.upper, str.lower, str]))
    sign = data.draw(st.sampled_from([" ", "_", "-", ".", "  "]))
    words = header if "'" in header else sign.join(header.split(" "))
    spelled = words if case is not str and any(_is_hump(header)) else case(words)
    around = data.draw(st.sampled_from(["{}", " {} ", "{}?", "{} *", "({})"]))
    assert said(around.format(spelled)) == kind


def _is_hump(header: str) -> list[bool]:
    return [one.islower() and two.isupper() for one, two in pairwise(header)]


def test_no_word_of_anything_else_is_taken_for_consent() -> None:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    phrases = [
        phrase
        for languages in (document["heads"] | document["weak"]).values()
        for listed in languages.values()
        for phrase in listed
    ]
    taken = [phrase for phrase in phrases if said(phrase) not in ("nothing", "any_status")]
    assert taken == []


@pytest.mark.parametrize(("header", "kind"), SPEAKING, ids=lambda one: one)
def test_what_speaks_of_consent_is_nothing_else_and_is_read_in_every_kind_of_list(
    header: str, kind: str
) -> None:
    for entity in ("contacts", "customers"):
        fitted = fit(["Email", "Last Name", "City", header], Source(entity=entity))
        if kind == "any_status" and 3 in fitted.used:
            assert read(header) is not None  # the state of an address
        else:
            assert fitted.consent == ((3, kind),)
            assert 3 not in fitted.used


@pytest.mark.parametrize("header", TABLE["unread"])
def test_what_nobody_can_read_is_told(header: str) -> None:
    fitted = fit(["Email", "Last Name", header], Source())
    assert fitted.unread == (2,)
    ignoring = Source(columns={header: "ignore"})
    assert fit(["Email", "Last Name", header], ignoring).unread == ()
    naming = Source(columns={header: "opted_out"})
    assert fit(["Email", "Last Name", header], naming).consent == ((2, "opt_out"),)


def test_a_column_that_the_source_names_is_what_it_says() -> None:
    header = ["Email", "Last Name", "Newsletter"]
    assert fit(header, Source(columns={"Newsletter": "note"})).consent == ()
    assert fit(header, Source(columns={"Newsletter": "ignore"})).consent == ()
    assert "note" in READABLE["raw_contacts"]
    ignored = fit([*header, "Note"], Source(columns={"Note": "ignore"}))
    assert "note" not in ignored.columns


def test_an_address_says_nothing_and_its_column_is_told() -> None:
    header = ["Customer ID", "Street", "City", "Email Opt Out"]
    fitted = fit(header, Source(entity="customers", preset=("magento_customer_address", "generic")))
    assert fitted.consent == ()
    assert fitted.unread == (3,)
