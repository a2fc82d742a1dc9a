"""Two people with one mailbox stay two, here and in the org; a stranger's record stays theirs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

D1, D2 = date(2026, 11, 5), date(2026, 11, 6)
SOURCES = """
sources:
  crm: {entity: contacts, preset: generic, as: contact}
  news: {entity: subscribers, preset: generic}
"""
HEADER = "ID,First Name,Last Name,Email,Phone,Last Updated\n"
ANNA = "F1,Anna,Miller,family@cases.example,+1 415 555 0111,2026-11-01 10:00:00\n"
BOB = "F2,Bob,Miller,family@cases.example,+1 415 555 0112,2026-11-02 10:00:00\n"
NEWS = "ID,Email,Status,Updated At\n"


@pytest.fixture
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    new_chain.start_org()
    return new_chain


def people(chain: Any) -> dict[str, tuple[Any, Any]]:
    return {
        row["FirstName"]: (row["Phone"], row["Causeway_Key__c"] is not None)
        for row in chain.records("Contact", "FirstName", "Phone", "Causeway_Key__c")
    }


@pytest.mark.parametrize("order", [(ANNA, BOB), (BOB, ANNA)], ids=["Anna first", "Bob first"])
def test_a_couple_over_two_days_are_two_contacts_and_none_is_renamed(
    chain: Any, order: tuple[str, str]
) -> None:
    for day, row in zip((D1, D2), order, strict=True):
        chain.put("crm", day, "crm.csv", HEADER + row)
        chain.done(day)
    assert people(chain) == {
        "Anna": ("+1 415 555 0111", True),
        "Bob": ("+1 415 555 0112", True),
    }
    stamps = chain.stamps()
    for day in (D1, D2, D1):
        chain.done(day)
    assert chain.stamps() == stamps


def test_a_strangers_record_with_the_same_mailbox_is_left_alone(chain: Any) -> None:
    client = chain.salesforce()
    created = client.Contact.create(
        {"FirstName": "Petra", "LastName": "Org", "Email": "family@cases.example"}
    )
    before = client.Contact.get(created["id"])
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.done(D1)
    assert client.Contact.get(created["id"]) == before
    assert people(chain) == {"Petra": (None, False), "Anna": ("+1 415 555 0111", True)}


def test_a_record_that_may_be_hers_waits_until_somebody_says_so(chain: Any) -> None:
    client = chain.salesforce()
    created = client.Contact.create(
        {"FirstName": "Anna", "LastName": "Schmidt", "Email": "family@cases.example"}
    )
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.done(D1)
    assert people(chain) == {"Anna": (None, False)}
    [row] = chain.read("plan_contact", D1)
    assert row["action"] == "hold"
    assert "agrees in part" in row["reason"]
    use, different = row["decide"].splitlines()
    reviews = chain.causeway("plan", "--only", "reviews")
    assert use in reviews.stdout
    assert different in reviews.stdout
    chain.decide(use)
    chain.done(D1)
    [record] = chain.records("Contact", "LastName", "Phone", "Causeway_Key__c")
    assert record["Id"] == created["id"]
    assert record["Causeway_Key__c"] is not None


def test_a_reader_without_a_name_at_a_shared_mailbox_waits_and_the_refusal_reaches_both(
    chain: Any,
) -> None:
    chain.put("crm", D1, "crm.csv", HEADER + ANNA + BOB)
    chain.put(
        "news", D1, "news.csv", NEWS + "1,family@cases.example,unsubscribed,2026-11-03 10:00:00\n"
    )
    chain.done(D1)
    opted_out = {
        row["FirstName"]: row["HasOptedOutOfEmail"]
        for row in chain.records("Contact", "FirstName", "HasOptedOutOfEmail")
    }
    assert opted_out == {"Anna": True, "Bob": True}
    assert chain.records("Lead", "LastName") == []
    [row] = chain.read("plan_lead", D1)
    assert row["action"] == "hold"
    assert "same,news:1,crm:F1" in row["decide"]
