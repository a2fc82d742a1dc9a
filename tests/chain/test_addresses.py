"""One address in both kinds of org: as codes where countries are picklists, else as written."""

from __future__ import annotations

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
    chain.done(DAY)
    rows = chain.records("Contact", *FIELDS)
    assert {tuple(row[name] for name in FIELDS) for row in rows} == addresses
