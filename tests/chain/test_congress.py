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
    made = make_chain(SOURCES)
    for source, name in (("members", "members.csv"), ("offices", "district_offices.csv")):
        made.put(source, DAY, name, (CONGRESS / name).read_bytes())
    return made.done(DAY)


@pytest.fixture(scope="module")
def contacts(chain: Any) -> dict[str, dict[str, Any]]:
    """Member → the Contact that simple-salesforce reads of them."""
    held = {row["Causeway_Key__c"]: row for row in chain.records("Contact")}
    linked = [row for row in chain.read("person_links", DAY) if row["entity"] == "contact"]
    assert len(linked) == len(held)
    return {row["source_id"]: held[row["person_key"]] for row in linked}


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


def test_every_office_stands_in_its_members_record(contacts: Any) -> None:
    offices = _rows("district_offices.csv")
    assert len(offices) == 1312
    missing = [row["Office ID"] for row in offices if not _stands(row, contacts[row["Contact ID"]])]
    assert missing == []


def _stands(office: dict[str, str], contact: dict[str, Any]) -> bool:
    """Whether the office is the mailing or the other address, or a line of the description."""
    street = [office[name] for name in ("Address 1", "Suite", "Building") if office[name]]
    place = [office["City"], office["State"], office["Zip Code"]]
    for block in ("Mailing", "Other"):
        there = [contact[f"{block}{part}"] for part in ("Street", "City", "State", "PostalCode")]
        if _plain(there) == _plain(["\n".join(street), *place]):
            return True
    wanted = _plain([", ".join([*street, *filter(None, place)])])[0]
    lines = (contact["Description"] or "").splitlines()
    return any(line.startswith(wanted) for line in _plain(lines))


def _plain(texts: list[str | None]) -> list[str]:
    return [" ".join((text or "").split()) for text in texts]
