"""Dates, moments and numbers as files write them, read back from the org."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from datetime import date
from typing import Any

import pytest

from pipelines.summary import summary

DAY = date(2026, 11, 5)
SOURCES = """\
sources:
  zoned: {entity: contacts, preset: generic, as: contact}
  open: {entity: contacts, preset: generic, as: contact}
  post: {entity: contacts, preset: generic, as: contact}
  continental: {entity: contacts, preset: generic, as: contact, format: {dates: dmy}}
"""
POST = """\
Contact ID,First Name,Last Name,Company,Email
1,Dora,Dot,Post Co,dora.@post.example
2,Dirk,Double,Post Co,dirk..d@post.example
3,Tess,Two,Post Co,tess@post.example; tess2@post.example
4,Anke,Angle,Post Co,Anke Angle <anke@post.example>
5,Ida,Idn,Post Co,ida@bäcker.example
"""
NEXT_DAY = date(2026, 11, 6)
HEADER = "Contact ID,First Name,Last Name,Company,Email,Birthdate\n"
ZONED = f"""{HEADER}\
1,Wim,West,Clock Co,wim@clock.example,1990-05-01T23:30:00-05:00
2,Eda,East,Clock Co,eda@clock.example,1990-05-01T00:00:00+02:00
3,Zac,Zulu,Clock Co,zac@clock.example,1990-05-01 22:00:00Z
4,Nia,Null,Clock Co,nia@clock.example,0000-00-00 00:00:00
5,Zoë,Müller,Bäckerei Süß,zoe@clock.example,
"""
SLASHES = f"""{HEADER}\
1,Lou,Low,Slash Co,lou{{0}}@slash.example,03/04/1980
2,Hal,High,Slash Co,hal{{0}}@slash.example,25/03/1980
"""


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    made = make_chain(SOURCES)
    made.put("zoned", DAY, "zoned.csv", ZONED)
    made.put("open", DAY, "open.csv", SLASHES.format(1))
    made.put("post", DAY, "post.csv", POST)
    made.put("continental", DAY, "continental.csv", SLASHES.format(2))
    return made.done(DAY)


@pytest.fixture(scope="module")
def birthdays(chain: Any) -> dict[str, str | None]:
    rows = chain.records("Contact", "Email", "Birthdate")
    return {row["Email"].partition("@")[0]: row["Birthdate"] for row in rows}


def test_a_birthday_is_the_day_that_is_written(birthdays: Any) -> None:
    found = {name: birthdays[name] for name in ("wim", "eda", "zac", "nia")}
    assert found == {
        "wim": "1990-05-01",
        "eda": "1990-05-01",
        "zac": "1990-05-01",
        "nia": None,
    }


def test_the_order_of_day_and_month_is_declared_or_clear(chain: Any, birthdays: Any) -> None:
    assert (birthdays["lou2"], birthdays["hal2"]) == ("1980-04-03", "1980-03-25")
    assert birthdays["hal1"] == "1980-03-25"
    assert birthdays["lou1"] is None
    [lou] = [
        row for row in chain.read("valid_contacts", DAY) if row["email"] == "lou1@slash.example"
    ]
    assert json.loads(lou["_blanked"]) == {
        "birthdate": {"value": "03/04/1980", "why": "birthdate_readable"}
    }
    reasons = summary(chain.project, DAY).cells["open"].reasons
    assert [(one.column, one.cells) for one in reasons] == [("birthdate", 1)]


def test_addresses_are_read_as_people_write_them_and_odd_ones_are_for_the_org(
    chain: Any, birthdays: Any
) -> None:
    assert not [row for row in chain.read("rejected_contacts", DAY) if row["_source"] == "post"]
    assert {"tess", "anke"} <= {*birthdays}
    emails = {row["email"] for row in chain.read("people", DAY)}
    assert {"tess@post.example", "anke@post.example", "ida@xn--bcker-gra.example"} <= emails
    answers = {row["key"]: row for row in chain.read("salesforce_contact", DAY)}
    keys = {row["email"]: row["person_key"] for row in chain.read("people", DAY)}
    for email in ("dora.@post.example", "dirk..d@post.example"):
        name = email.partition("@")[0]
        answer = answers[keys[email]]
        assert (answer["outcome"] == "created") == (name in birthdays)
        assert answer["outcome"] == "created" or answer["code"] == "INVALID_EMAIL_ADDRESS"


def test_running_it_again_changes_nothing(chain: Any) -> None:
    before = chain.stamps()
    outcomes = chain.done(DAY).outcomes(DAY)
    assert {*Counter(outcome for found in outcomes.values() for outcome in found)} == {"unchanged"}
    assert chain.stamps() == before


def test_accents_of_two_signs_are_no_change(chain: Any) -> None:
    before = chain.stamps()
    chain.put("zoned", NEXT_DAY, "zoned.csv", unicodedata.normalize("NFD", ZONED))
    outcomes = chain.done(NEXT_DAY).outcomes(NEXT_DAY)
    assert {*Counter(outcome for found in outcomes.values() for outcome in found)} == {"unchanged"}
    assert chain.stamps() == before
    [row] = [
        row
        for row in chain.records("Contact", "Email", "LastName")
        if row["Email"] == "zoe@clock.example"
    ]
    assert row["LastName"] == unicodedata.normalize("NFC", "Müller")
