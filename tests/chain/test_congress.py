"""Real people: names with accents and suffixes, no e-mail address, one person at many offices."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from typing import Any

import pytest

from pipelines.config import PROJECT

CONGRESS = PROJECT.parent / "shared" / "data" / "congress"
DAY = date(2026, 11, 5)
PLACE = ("State", "Country")

SOURCES = """
sources:
  members: {entity: contacts, preset: generic, as: contact}
  offices:
    entity: contacts
    preset: generic
    ids: [Office ID]
    parent: {source: members, column: Contact ID}
"""

pytestmark = pytest.mark.skipif(
    not CONGRESS.exists(), reason="the public files of Congress are not at hand"
)


def _rows(name: str) -> list[dict[str, str]]:
    with (CONGRESS / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def members() -> dict[str, dict[str, str]]:
    return {row["Contact ID"]: row for row in _rows("members.csv")}


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    for source, name in (("members", "members.csv"), ("offices", "district_offices.csv")):
        new_chain.put(source, DAY, name, (CONGRESS / name).read_bytes())
    return new_chain.done(DAY)


@pytest.fixture(scope="module")
def contacts(chain: Any) -> dict[str, dict[str, Any]]:
    """Member → the Contact that simple-salesforce reads of them."""
    fields = ("Causeway_Key__c", *chain.project.object_mappings["contact"].enabled())
    codes = [f"{block}{part}Code" for block in ("Mailing", "Other") for part in PLACE]
    contact_of = {row["Causeway_Key__c"]: row for row in chain.records("Contact", *fields, *codes)}
    linked = [row for row in chain.read("person_links", DAY) if row["entity"] == "contact"]
    assert len(linked) == len(contact_of)
    return {row["source_id"]: contact_of[row["person_key"]] for row in linked}


def test_every_member_is_a_contact_of_a_chamber(chain: Any, members: Any, contacts: Any) -> None:
    assert len(members) == 537
    assert set(contacts) == set(members)
    accounts = {row["Id"]: row["Name"] for row in chain.records("Account")}
    assert set(accounts.values()) == {
        "United States Senate",
        "United States House of Representatives",
    }
    for member, contact in contacts.items():
        assert accounts[contact["AccountId"]] == members[member]["Company"]
    assert chain.records("Lead") == []


def test_names_and_birthdays_arrive_letter_by_letter(members: Any, contacts: Any) -> None:
    for member, contact in contacts.items():
        row = members[member]
        assert (contact["FirstName"], contact["LastName"]) == (row["First Name"], row["Last Name"])
        assert contact["Birthdate"] == row["Birthday"]
        assert contact["Title"] == row["Title"]
    assert any(not row["Last Name"].isascii() for row in members.values())


def test_every_office_is_valid(chain: Any) -> None:
    landed = Counter(row["source"] for row in chain.read("valid_contacts", DAY))
    assert landed == {"members": 537, "offices": 1312}
    assert chain.read("rejected_contacts", DAY) == []


@pytest.fixture(scope="module")
def states(chain: Any) -> dict[str, str]:
    """The states that the org lists of the United States: code → name."""
    rows = chain.read("org_place", DAY)
    return {row["state"]: row["spelling"] for row in rows if row["within"] == "US"}


def test_every_office_stands_in_its_members_record(contacts: Any, states: Any) -> None:
    offices = _rows("district_offices.csv")
    assert len(offices) == 1312
    missing = [
        row["Office ID"]
        for row in offices
        if not _stands(row, contacts[row["Contact ID"]], listed=row["State"] in states)
    ]
    assert missing == []


def test_states_arrive_as_codes_and_what_has_none_is_told(chain: Any, contacts: Any) -> None:
    coded = [row for row in contacts.values() if row["MailingStateCode"] is not None]
    assert len(coded) > 500
    assert {row["MailingCountryCode"] for row in coded} == {"US"}
    california = next(row for row in coded if row["MailingStateCode"] == "CA")
    assert (california["MailingState"], california["MailingCountry"]) == (
        "California",
        "United States",
    )
    left_out = {row["key"]: row["_left_out"] for row in chain.read("sf_contact", DAY)}
    blank = {row["Causeway_Key__c"] for row in contacts.values() if not row["MailingStateCode"]}
    territories = {key for key, text in left_out.items() if text is not None}
    assert territories <= blank
    assert any("the org lists no state PR" in (text or "") for text in left_out.values())


def _stands(office: dict[str, str], contact: dict[str, Any], *, listed: bool) -> bool:
    """Whether the office is the mailing or the other address, or a line of the description.

    A state that the org does not list (Puerto Rico) is left out of an address.
    """
    street = [office[name] for name in ("Address 1", "Suite", "Building") if office[name]]
    place = [office["City"], f"{office['State']} {office['Zip Code']}".strip()]
    coded = [office["City"], office["State"] if listed else None, office["Zip Code"]]
    for block in ("Mailing", "Other"):
        parts = ("Street", "City", "StateCode", "PostalCode")
        org_values = [contact[f"{block}{part}"] for part in parts]
        if _plain(org_values) == _plain(["\n".join(street), *coded]):
            return True
    expected = _plain([", ".join([*street, *filter(None, place)])])[0]
    lines = (contact["Description"] or "").splitlines()
    return any(line.startswith(expected) for line in _plain(lines))


def _plain(texts: list[str | None]) -> list[str]:
    return [" ".join((text or "").split()) for text in texts]
