"""One address in both kinds of org: as codes where countries are picklists, else as written."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest

from pipelines.local_org.catalog.load import TEMPLATE

SETUP = TEMPLATE.read_text()
DAY = date(2026, 11, 5)
SOURCES = "sources:\n  fair: {entity: contacts, preset: generic, as: contact}\n"
FAIR = """\
First Name,Last Name,Email,Company,City,State,Country
Ada,Ito,ada@example.com,Ito Ltd,Reno,nevada,USA
Bea,Roth,bea@example.com,Roth GmbH,Hof,Bavaria,Deutschland
"""
FIELDS = ("MailingCity", "MailingState", "MailingCountry")


@pytest.mark.parametrize(
    ("picklists", "addresses"),
    [
        ("true", {("Reno", "Nevada", "United States"), ("Hof", None, "Germany")}),
        ("false", {("Reno", "nevada", "USA"), ("Hof", "Bavaria", "Deutschland")}),
    ],
)
def test_an_address_arrives(
    make_chain: Any, picklists: str, addresses: set[tuple[str | None, ...]]
) -> None:
    chain = make_chain(SOURCES, org=False)
    chain.project.local_org.mkdir(parents=True)
    switched = re.sub(r"(state_and_country_picklists): \w+", rf"\1: {picklists}", SETUP)
    (chain.project.local_org / "org.yaml").write_text(switched)
    chain.start_org()
    chain.put("fair", DAY, "fair.csv", FAIR)
    ran = chain.causeway("sync", "--batch", DAY.isoformat(), "--json")
    assert ran.returncode == 0, ran.stderr
    listed = picklists == "true"
    assert json.loads(ran.stdout)["left_out"] == ({"Account": 1, "Contact": 1} if listed else {})
    rows = chain.records("Contact", *FIELDS)
    assert {tuple(row[name] for name in FIELDS) for row in rows} == addresses


TWO_PLACES = """\
First Name,Last Name,Email,Company,City,State,Zip,Country
Ula,Peach,ula@example.com,Peach Co,Atlanta,Georgia,30309,United States
Vic,Bay,vic@example.com,Bay Co,Savannah,GA,31401,US
Nino,Vine,nino@example.com,Vine Co,Tbilisi,,0108,Georgia
Wes,Broad,wes@example.com,Broad Co,Augusta,georgia,30901,
Xu,Gate,xu@example.com,Gate Co,San Francisco,,94107,CA
Yves,Rue,yves@example.com,Rue Co,Ottawa,Ontario,K1A 0B1,CA
Zoe,First,zoe@example.com,First Co,Wilmington,,19801,DE
"""
OPEN = "DE may be a country or a state of another, and nothing beside it says which"


def test_a_state_that_is_called_like_a_country_is_the_state(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("fair", DAY, "fair.csv", TWO_PLACES)
    chain.done(DAY)
    codes = ("MailingStateCode", "MailingCountryCode")
    rows = {row["Email"]: row for row in chain.records("Contact", "Email", *codes)}
    assert {email[0]: tuple(row[code] for code in codes) for email, row in rows.items()} == {
        "u": ("GA", "US"),
        "v": ("GA", "US"),
        "n": (None, "GE"),
        "w": ("GA", "US"),
        "x": ("CA", "US"),
        "y": ("ON", "CA"),
        "z": (None, None),
    }
    left_out = {row["_left_out"] for row in chain.read("sf_contact", DAY)}
    assert left_out == {None, f"MailingCountryCode: {OPEN}"}
