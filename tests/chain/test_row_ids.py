"""What an id of a row says of a person, and what not: nobody is lost or taken for another."""

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
Sten,Halv,,+1 415 555 3104,Pair Co,
Sten,Halv,sten@pair.example,,Pair Co,
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
    assert {
        row["FirstName"] for row in known.values() if row["Email"] == "office@pair.example"
    } == {
        "Nils",
        "Oda",
    }
    assert {name for name, city in known if city is None} >= {"Per", "Rut"}
    [sten] = [row for row in chain.records("Contact", *FIELDS) if row["LastName"] == "Halv"]
    assert (sten["Email"], sten["Phone"]) == ("sten@pair.example", "+1 415 555 3104")
    assert {city for name, city in known if name == "Jon"} == {"Boston", "Reno"}
    # Of rows that say the very same one is enough, and the others are told.
    [again] = chain.read("rejected_contacts", D2)
    assert (again["_row"], again["reasons"][0]["kind"]) == (11, "Duplicates")


def test_running_the_days_again_touches_nothing(chain: Any) -> None:
    before = chain.stamps()
    for day in (D1, D2, D1):
        chain.done(day)
    assert chain.stamps() == before
    chain.put(
        "form",
        D3,
        "c.csv",
        f"{FORM}1,Ivo,Nextday,ivo@two.example\n2,Una,Firstday,una@one.example\n",
    )
    chain.done(D3)
    assert chain.stamps() == before


CRM = """
sources:
  crm: {entity: contacts, preset: generic, as: contact}
"""


def test_an_id_of_the_org_is_that_record_where_its_name_says_so(make_chain: Any) -> None:
    chain = make_chain(CRM)
    client = chain.salesforce()

    def create(last: str, **fields: str) -> str:
        return str(client.Contact.create({"FirstName": "Ada", "LastName": last, **fields})["id"])

    long, short, other = create("Longid"), create("Shortid"), create("Taken")
    unknown = "003" + "0" * 9 + "zzzAAA"
    chain.put(
        "crm",
        D1,
        "success.csv",
        "ID,First Name,Last Name,Email\n"
        f"{long},Ada,Longid,new@long.example\n"
        f"{short[:15]},Ada,Shortid,new@short.example\n"
        f"{other},Bob,Quite-Else,bob@else.example\n"
        f"{unknown},Cy,Nobody,cy@nobody.example\n",
    )
    chain.done(D1)
    records = {row["LastName"]: row for row in chain.records("Contact", "LastName", "Email")}
    assert (records["Longid"]["Id"], records["Longid"]["Email"]) == (long, "new@long.example")
    assert (records["Shortid"]["Id"], records["Shortid"]["Email"]) == (short, "new@short.example")
    assert (records["Taken"]["Id"], records["Taken"]["Email"]) == (other, None)
    assert {"Quite-Else", "Nobody"} <= records.keys()
    assert len(records) == 5
    notices = chain.causeway("plan").stdout
    assert "crm:" + other in notices, notices
    assert "crm:" + unknown in notices

    stamps = chain.stamps()
    chain.put(
        "crm",
        D2,
        "again.csv",
        f"ID,First Name,Last Name,Email\n{long[:15]},Ada,Longid,new@long.example\n",
    )
    chain.done(D2)
    assert chain.stamps() == stamps
