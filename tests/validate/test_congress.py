"""Real people: names with accents and suffixes, no e-mail address, one person at many offices."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT

CONGRESS = PROJECT.parent / "shared" / "data" / "congress"

MEMBERS = {
    "Contact ID": "contact_id",
    "First Name": "first_name",
    "Middle Name": "middle_name",
    "Last Name": "last_name",
    "Suffix": "suffix",
    "Nickname": "nickname",
    "Birthday": "birthdate",
    "Title": "title",
    "Company": "company",
    "State": "state",
    "Direct Phone": "phone",
    "Address 1": "street",
    "Website": "website",
}
OFFICES = {
    "Office ID": "contact_id",
    "Contact ID": "parent_id",
    "Address 1": "street",
    "Suite": "street2",
    "Building": "building",
    "City": "city",
    "State": "state",
    "Zip Code": "postal_code",
    "Phone": "phone",
    "Fax": "fax",
}


def rows(file: Path, source: str, names: dict[str, str]) -> list[dict[str, Any]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            {"_source": source, "_file": f"{source}/{file.name}", "_row": number}
            | {names[header]: value for header, value in row.items() if header in names}
            for number, row in enumerate(csv.DictReader(lines), start=2)
        ]


@pytest.mark.skipif(not CONGRESS.exists(), reason="the congress files are not at hand")
def test_every_member_and_office_is_valid(new_home: Any) -> None:
    home = new_home(offices="members")
    members = rows(CONGRESS / "members.csv", "members", MEMBERS)
    offices = rows(CONGRESS / "district_offices.csv", "offices", OFFICES)
    done = home.judge("contacts", members + offices)
    assert done.sample == ()
    assert (len(members), len(offices), done.valid.rows) == (537, 1312, 1849)
    valid = {(row["source"], row["source_id"]): row for row in home.read("valid_contacts")}
    assert {row["last_name"] for key, row in valid.items() if key[0] == "members"} >= {"Luján"}
    jasper = valid["offices", "A000055-jasper"]
    assert jasper["street"] == "1710 Alabama Ave.\n247\nCarl Elliott Building"
    assert jasper["parent_id"] == "A000055"
