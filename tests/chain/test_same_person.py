"""Two records of the org for one person, and records that no source mentions any more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.salesforce.rows import Load

D1, D2, D3 = date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7)
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
  others: {entity: contacts, preset: generic, as: contact}
"""
HEAD = "ID,First Name,Last Name,Email,Title\n"


def policy(chain: Any, value: str) -> None:
    path = chain.mappings / "policies.yaml"
    path.write_text(path.read_text().replace("  contact: leave", f"  contact: {value}"))


def contacts(chain: Any) -> dict[str, dict[str, Any]]:
    rows = chain.records("Contact", "Causeway_Key__c", "Title", "Email")
    return {row["Causeway_Key__c"]: row for row in rows}


def planned(chain: Any, day: date) -> dict[str, tuple[str, str | None]]:
    rows = chain.read("plan_contact", day)
    return {row["key"]: (row["action"], row["reason"]) for row in rows}


@pytest.fixture
def chain(make_chain: Any) -> Any:
    """Ada stands twice in the org, under two addresses, and turns out to be one person."""
    new_chain = make_chain(SOURCES)
    new_chain.put("people", D1, "p.csv", f"{HEAD}1,Ada,Okafor,ada@x.org,boss\n")
    new_chain.put("others", D1, "o.csv", f"{HEAD}9,Ada,Okafor,ada@y.org,chief\n")
    new_chain.done(D1)
    assert len(contacts(new_chain)) == 2
    new_chain.put("others", D2, "o.csv", f"{HEAD}9,Ada,Okafor,ada@x.org,chief\n")
    return new_chain


def test_both_records_are_found_and_the_second_is_listed(chain: Any) -> None:
    before = contacts(chain)
    chain.done(D2)
    [(key, (action, reason))] = planned(chain, D2).items()
    [other] = [row["Id"] for other_key, row in before.items() if other_key != key]
    assert action in ("update", "unchanged")
    text = f"the org has more than one Contact for it, also {other} (duplicates.contact: leave)"
    assert reason == text
    assert set(contacts(chain)) == set(before)
    assert text in " ".join(chain.causeway("plan", "--only", "notes").stdout.split())

    policy(chain, "review")
    chain.done(D2)
    assert planned(chain, D2)[key] == ("hold", text.replace("leave", "review"))


def test_a_record_with_a_key_that_was_taken_over_is_ours_and_gets_the_new_one(chain: Any) -> None:
    before = contacts(chain)
    chain.put("others", D2, "o.csv", HEAD)  # not yet
    policy(chain, "leave")
    [first] = [row["Id"] for row in before.values() if row["Email"] == "ada@x.org"]
    with chain.project.org() as org:
        org.collections(Load("Contact", "delete"), [{"Id": first}])
        empty = f'<emptyRecycleBin xmlns="urn:partner.soap.sforce.com"><ids>{first}</ids>'
        org.session.soap(f"{empty}</emptyRecycleBin>")
    chain.put("others", D2, "o.csv", f"{HEAD}9,Ada,Okafor,ada@x.org,queen\n")
    chain.done(D2)
    [row] = contacts(chain).values()
    [person] = chain.read("people", D2)
    assert row["Id"] != first
    assert row["Causeway_Key__c"] == person["person_key"]
    # We wrote its values under its old key, so they follow our sources.
    assert (row["Title"], row["Email"]) == (person["title"], "ada@x.org")
    assert {outcome_row["outcome"] for outcome_row in chain.read("salesforce_contact", D2)} == {
        "updated"
    }
    chain.done(D2)
    assert {action for action, _ in planned(chain, D2).values()} == {"unchanged"}


def test_what_no_source_mentions_any_more_stays_and_is_listed(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("people", D1, "p.csv", f"{HEAD}1,Ada,Okafor,ada@x.org,boss\n2,Ben,Voss,b@x.org,\n")
    chain.done(D1)
    [ben] = [key for key, row in contacts(chain).items() if row["Email"] == "b@x.org"]
    chain.put("people", D1, "p.csv", f"{HEAD}1,Ada,Okafor,ada@x.org,boss\n")
    chain.done(D1)
    text = "no source mentions it any more; its record stays as it is, and nothing is deleted"
    assert planned(chain, D1)[ben] == ("unchanged", text)
    assert len(contacts(chain)) == 2
    output = " ".join(chain.causeway("plan").stdout.split())
    assert text in output
    assert "unchanged Ben Voss" in output
    chain.put("people", D3, "p.csv", f"{HEAD}2,Ben,Voss,b@x.org,back\n")
    chain.done(D3)
    assert planned(chain, D3) == {ben: ("update", None)}
