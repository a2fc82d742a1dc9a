"""``blank: clear`` empties a field for an empty cell, and for nothing else that has no value."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (5, 6, 7))
SOURCES = """\
sources:
  fair: {entity: contacts, preset: generic, as: contact}
"""
HEADER = "Contact ID,Last Name,Company,Email,Mobile Phone,Modified At\n"
PEOPLE = HEADER + "".join(
    f"{n},{name},Blank Co,{name.lower()}@blank.example,+1 212 555 010{n},2026-11-04 08:00:00\n"
    for n, name in enumerate(("Empty", "Words", "Marked", "Narrow"), 1)
)
CHANGED = f"""{HEADER}\
1,Empty,Blank Co,empty@blank.example,,2026-11-05 08:00:00
2,Words,Blank Co,words@blank.example,ask the desk,2026-11-05 08:00:00
3,Marked,Blank Co,marked@blank.example,n/a,2026-11-05 08:00:00
"""
NARROW = """\
Contact ID,Last Name,Company,Email,Modified At
4,Narrow,Blank Co,narrow@blank.example,2026-11-06 08:00:00
"""


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    made = make_chain(SOURCES)
    path = made.mappings / "contact.yaml"
    text = path.read_text(encoding="utf-8")
    [line] = (one for one in text.splitlines() if one.strip().startswith("MobilePhone:"))
    clearing = "  MobilePhone: {from: mobile_phone, blank: clear}"
    path.write_text(text.replace(line, clearing), encoding="utf-8")
    made.put("fair", FIRST, "people.csv", PEOPLE)
    made.put("fair", SECOND, "changed.csv", CHANGED)
    made.put("fair", THIRD, "narrow.csv", NARROW)
    for day in (FIRST, SECOND, THIRD):
        made.done(day)
    return made


def test_only_an_empty_cell_of_a_column_that_the_file_has_empties_a_field(chain: Any) -> None:
    found = {
        row["LastName"]: row["MobilePhone"]
        for row in chain.records("Contact", "LastName", "MobilePhone")
    }
    assert found == {
        "Empty": None,
        "Words": "+1 212 555 0102",
        "Marked": "+1 212 555 0103",
        "Narrow": "+1 212 555 0104",
    }
