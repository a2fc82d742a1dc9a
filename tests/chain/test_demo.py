"""The demo's two days, from files to records and back."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date
from typing import Any

import pytest

from pipelines.demo import days as story
from pipelines.demo.inputs import write_inputs
from pipelines.demo.people import CAST, COMPANIES

DAYS = date(2026, 11, 4), date(2026, 11, 5)
FIRST, SECOND = DAYS

SHOPPERS = {*story.SHOPPERS}
TYPED_IN = {*story.TYPED_IN}
GUESTS = {*story.GUEST_BUYERS}
CONTACTS = TYPED_IN | SHOPPERS | GUESTS
LEADS = {*story.LISTED, *story.GUEST_READERS} - CONTACTS
NEW = {story.NEW_SHOPPER, story.NEW_CONTACT, story.NEW_READER}


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain()
    write_inputs(new_chain.inbox, DAYS)
    return new_chain


@pytest.fixture(scope="module")
def first(chain: Any) -> dict[str, Any]:
    """Both days, each run by the command in a process of its own; what it says of them."""
    ran = chain.causeway("sync", "--all", "--json")
    assert ran.returncode == 1, ran.stderr  # some rows are bad on purpose
    return {batch["batch"]: batch for batch in json.loads(ran.stdout)["batches"]}


@pytest.fixture(scope="module")
def second(chain: Any, first: Any) -> dict[str, Any]:
    """What the org held before both days were run again, and what it holds after."""
    before = chain.stamps()
    outcomes = {day: chain.done(day).outcomes(day) for day in DAYS}
    return {"before": before, "after": chain.stamps(), "outcomes": outcomes}


@pytest.mark.parametrize("number", [0, 1])
def test_rows_are_counted_as_they_were_planted(chain: Any, first: Any, number: int) -> None:
    day, planted = DAYS[number], story.planted(number)
    landed: Counter[str] = Counter()
    for source, name in story.HEADERS:
        path = chain.inbox / source / day.isoformat() / name
        with path.open(encoding="utf-8-sig", newline="") as lines:
            landed[source] += sum(1 for _ in csv.reader(lines)) - 1
    assert first[day.isoformat()]["sources"] == {
        source: {
            "landed": rows,
            "valid": rows - planted[source],
            "rejected": planted[source],
        }
        for source, rows in landed.items()
    }


def test_people_and_accounts_are_who_the_story_says(first: Any) -> None:
    entities = first[FIRST.isoformat()]["entities"]
    assert entities["people"] == entities["people_total"] == len(CONTACTS | LEADS)
    assert first[SECOND.isoformat()]["entities"]["people_total"] == len(CONTACTS | LEADS | NEW)
    readers = len(story.READERS) + len(story.LISTED_READERS) + len(story.GUEST_READERS)
    buyers = len(story.BUYERS) + len(GUESTS) - 1  # one order is bad
    records = len(story.LISTED) + len(TYPED_IN) + len(SHOPPERS) + readers + buyers
    assert entities["duplicates_joined"] == records - len(CONTACTS | LEADS)
    # Wholesale customers, every third, are billed at work; the others are accounts of their own.
    alone = {number for number in SHOPPERS - TYPED_IN if number % 3}
    assert entities["accounts"] == len(COMPANIES) + len(alone)


def test_records_are_created_then_changed(first: Any) -> None:
    def written(day: date, name: str) -> tuple[int, ...]:
        counts = first[day.isoformat()]["objects"][name]
        assert counts["held"] == counts["rejected"] == 0
        return counts["created"], counts["updated"]

    assert written(FIRST, "Account") == (first[FIRST.isoformat()]["entities"]["accounts"], 0)
    assert written(FIRST, "Contact") == (len(CONTACTS), 0)
    assert written(FIRST, "Lead") == (len(LEADS), 0)
    assert written(SECOND, "Contact") == (1, 3)  # a new title, a move, an opt-out
    assert written(SECOND, "Lead")[0] == 2
    assert written(SECOND, "Lead")[1] >= 1  # a new phone


@pytest.mark.parametrize("object_name", ["Account", "Contact", "Lead"])
def test_every_field_is_in_the_org_as_it_was_wanted(
    chain: Any, first: Any, object_name: str
) -> None:
    accounts = {row["Causeway_Key__c"]: row["Id"] for row in chain.records("Account")}
    desired = {}
    for row in sorted(chain.read(f"sf_{object_name.lower()}"), key=lambda row: row["day"]):
        desired[row["key"]] = row
    filled = {name for row in desired.values() for name, value in row.items() if value is not None}
    fields = sorted(filled - {"day", "key", "_held", "_left_out"})
    record_of = {
        r["Causeway_Key__c"]: r for r in chain.records(object_name, "Causeway_Key__c", *fields)
    }
    assert set(record_of) == set(desired)
    assert any(name.endswith("StateCode") for name in fields)
    compared = 0
    for key, row in desired.items():
        fields = {name: value for name, value in row.items() if name in record_of[key]}
        assert "LastName" in fields or "Name" in fields
        for name, value in fields.items():
            if value is None or name == "Id" or (object_name, name) == ("Account", "Name"):
                continue
            org_value = record_of[key][name]
            text = str(org_value).lower() if isinstance(org_value, bool) else org_value
            assert text == accounts.get(value.removeprefix("@account:"), value), (key, name)
            compared += 1
    assert compared > 5 * len(record_of)


def test_atlanta_is_in_the_united_states(chain: Any, first: Any) -> None:
    stems = {"Account": ("Billing", "Shipping"), "Contact": ("Mailing", "Other"), "Lead": ("",)}
    found = Counter()
    for name, stem in ((name, stem) for name, known in stems.items() for stem in known):
        fields = tuple(f"{stem}{part}" for part in ("City", "StateCode", "CountryCode"))
        found.update(tuple(row[part] for part in fields) for row in chain.records(name, *fields))
    in_atlanta = {place: number for place, number in found.items() if place[0] == "Atlanta"}
    assert set(in_atlanta) == {("Atlanta", "GA", "US")}
    assert sum(in_atlanta.values()) > 5


def test_an_account_is_named_as_one_of_its_sources_writes_it(chain: Any, first: Any) -> None:
    written = {row["key"]: {row["Name"]} for row in chain.read("sf_account", FIRST)}
    for row in chain.read("sf_account", SECOND):
        written.setdefault(row["key"], {row["Name"]})
    for row in chain.records("Account"):
        assert row["Name"] in written[row["Causeway_Key__c"]]


def test_a_person_of_three_sources_is_one_contact(chain: Any, first: Any) -> None:
    person = CAST[52]  # typed in at apptivo, shops, orders, and reads the newsletter
    [record] = [row for row in chain.records("Contact") if row["Email"] == person.email]
    [golden] = [row for row in chain.read("people") if row["email"] == person.email]
    assert set(golden["sources"]) >= {"apptivo", "shop", "newsletter", "shop_orders"}
    assert record["Causeway_Key__c"] == golden["person_key"]
    assert record["LastName"] == person.last
    emails = Counter(row["Email"] for name in ("Contact", "Lead") for row in chain.records(name))
    assert max(emails.values()) == 1


def test_people_show_the_account_they_belong_to(chain: Any, first: Any) -> None:
    people = chain.read("people")
    accounts = {row["account_key"] for row in chain.read("accounts")}
    assert {row["account_key"] for row in people} - {None} == accounts
    ruled = {(row["account_rule"] == "none", row["account_name"] is None) for row in people}
    assert ruled == {(True, True), (False, False)}


def test_the_second_day_arrived(chain: Any, first: Any) -> None:
    by_email = {row["Email"]: row for name in ("Contact", "Lead") for row in chain.records(name)}
    assert by_email[CAST[40].email]["Title"] == "Chief Operating Officer"
    assert by_email[CAST[story.MOVED].private_email]["MailingStreet"] == "8 Harbour View"
    assert by_email[CAST[story.NEW_PHONE].email]["Phone"].endswith("555 0142")
    assert by_email[CAST[story.OPTED_OUT].private_email]["HasOptedOutOfEmail"] is True


def test_a_second_run_leaves_everything_unchanged(second: Any) -> None:
    for outcomes in second["outcomes"].values():
        assert {name: set(counts) for name, counts in outcomes.items()} == {
            "Account": {"unchanged"},
            "Contact": {"unchanged"},
            "Lead": {"unchanged"},
        }


def test_a_second_run_sends_nothing(second: Any) -> None:
    assert second["after"] == second["before"]
