"""What an id of a row says of a person, and what it does not: nobody is lost or taken for another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

D1, D2, D3 = date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7)
SOURCES = """
sources:
  form: {entity: contacts, preset: generic, as: contact}
  crowd: {entity: contacts, preset: generic, as: contact}
"""
FORM = "ID,First Name,Last Name,Email\n"
CROWD = """\
First Name,Last Name,Email,Phone,Company,City
Mona,Lindell,mona@pair.example,+1 415 555 3101,Pair Co,
MONA,LINDELL,MONA@pair.example,,Pair Co,Reno
Nils,Ahlgren,office@pair.example,,Pair Co,
Oda,Brekke,office@pair.example,,Pair Co,
Per,Twin,,+1 415 555 3103,,
Rut,Twin,,+1 415 555 3103,,
Jon,Namesake,,,,Boston
Jon,Namesake,,,,Reno
Jon,Namesake,,,,Reno
"""
FIELDS = ("FirstName", "LastName", "Email", "Phone", "MailingCity")


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    new_chain.put("form", D1, "a.csv", f"{FORM}1,Una,Firstday,una@one.example\n")
    new_chain.done(D1)
    new_chain.put("form", D2, "b.csv", f"{FORM}1,Ivo,Nextday,ivo@two.example\n")
    new_chain.put("crowd", D2, "c.csv", CROWD)
    return new_chain.done(D2)


def people(chain: Any) -> dict[tuple[str, str | None], dict[str, Any]]:
    rows = chain.records("Contact", *FIELDS)
    return {(row["FirstName"], row["MailingCity"]): row for row in rows}


def test_an_id_that_begins_anew_is_nobody_elses(chain: Any) -> None:
    known = people(chain)
    assert known["Una", None]["Email"] == "una@one.example"
    assert known["Ivo", None]["Email"] == "ivo@two.example"
    told = {row["why"] for row in chain.read("open_identities", D2)}
    assert any("Ivo Nextday" in why and "one id" in why for why in told), told


def test_rows_with_one_id_are_versions_of_one_person_or_several_people(chain: Any) -> None:
    known = people(chain)
    assert known["Mona", "Reno"] if ("Mona", "Reno") in known else known["MONA", "Reno"]
    [mona] = [row for row in known.values() if row["LastName"].lower() == "lindell"]
    assert mona["Phone"] == "+1 415 555 3101"
    assert {row["FirstName"] for row in known.values() if row["Email"] == "office@pair.example"} == {
        "Nils",
        "Oda",
    }
    assert {name for name, city in known if city is None} >= {"Per", "Rut"}
    assert {city for name, city in known if name == "Jon"} == {"Boston", "Reno"}
    # Of rows that say the very same one is enough, and the others are told.
    [again] = chain.read("rejected_contacts", D2)
    assert (again["_row"], again["reasons"][0]["kind"]) == (9, "Duplicates")


def test_running_the_days_again_touches_nothing(chain: Any) -> None:
    before = chain.stamps()
    for day in (D1, D2, D1):
        chain.done(day)
    assert chain.stamps() == before
    chain.put("form", D3, "c.csv", f"{FORM}1,Ivo,Nextday,ivo@two.example\n2,Una,Firstday,una@one.example\n")
    chain.done(D3)
    assert chain.stamps() == before
