"""A row that somebody refuses never stops the others, and says who refused it and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

DAY = date(2026, 11, 5)

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""

LONG = "Featherstonehaugh-" * 5  # 90 characters; a last name has 80 in Salesforce

# The rules take a top-level domain in its ASCII spelling; this org does not.
ROWS = f"""\
ID,First Name,Last Name,Email,Company,Title
1,Ada,Okafor,ada@acme.example,Acme,
2,Ben,Voss,ben@post.xn--p1ai,Acme,
3,Cy,{LONG},cy@acme.example,Acme,
4,Di,,,Acme,
5,Ed,Holt,ed@acme.example,Acme,{"Head of " * 17}
"""


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    new_chain.put("people", DAY, "people.csv", ROWS)
    return new_chain.done(DAY)


def test_the_others_are_written(chain: Any) -> None:
    assert {row["FirstName"] for row in chain.records("Contact")} == {"Ada", "Ed"}
    assert chain.outcomes(DAY)["Contact"] == {"created": 2, "rejected": 1, "held": 1}


def test_every_refusal_says_why(chain: Any) -> None:
    names = {row["person_key"]: row["first_name"] for row in chain.read("people", DAY)}
    row_of = {names[row["key"]]: row for row in chain.read("salesforce_contact", DAY)}
    ben, cy = row_of["Ben"], row_of["Cy"]
    assert (ben["code"], ben["fields"]) == ("INVALID_EMAIL_ADDRESS", ["Email"])
    assert "ben@post.xn--p1ai" in ben["message"]
    assert (cy["code"], cy["message"]) == (None, "LastName has 90 characters, 80 fit")
    [di] = chain.read("rejected_contacts", DAY)
    assert (di["_file"], di["_row"]) == (f"people/{DAY}/people.csv", 5)
    assert [reason["kind"] for reason in di["reasons"]] == ["Mandatory Values"]


def test_what_is_cut_is_told_field_by_field(chain: Any) -> None:
    output = " ".join(chain.causeway("plan", "--only", "truncated").stdout.split())
    assert "cut 1 Contact cut to what the field takes (too_long: truncate)" in output
    assert "cut from 135 to 128 characters (too_long: truncate), without: Head of" in output
    assert "Okafor" not in output


def test_what_was_refused_is_tried_again_by_any_batch(chain: Any) -> None:
    before = chain.stamps()
    later = date(2026, 11, 6)
    chain.put(
        "people", later, "people.csv", ROWS[: ROWS.index("1,")] + "6,Flo,Lis,f@x.example,X,\n"
    )
    assert chain.done(later).outcomes(later)["Contact"] == {"created": 1, "rejected": 1, "held": 1}

    repaired = ROWS.replace("xn--p1ai", "example").replace(LONG, "Roux")
    chain.put("people", DAY, "people.csv", repaired)
    assert chain.done(DAY).outcomes(DAY)["Contact"] == {"created": 2, "unchanged": 2}
    after = chain.stamps()
    assert {sf_id: after[sf_id] for sf_id in before} == before
