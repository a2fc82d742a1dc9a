"""In whatever order days run, and however often, the same people and records come out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

FIRST, SECOND = date(2026, 11, 4), date(2026, 11, 5)

SOURCES = """
sources:
  list: {entity: contacts, preset: generic, as: contact, priority: 20}
  shop: {entity: customers, preset: generic, priority: 10}
  news: {preset: magento_subscriber_table}
"""

LIST = "ID,First Name,Last Name,Email,Title,Company,Phone,Last Updated\n"
SHOP = "Customer ID,First Name,Last Name,Email,Updated At\n"
NEWS = "subscriber_id,customer_id,subscriber_email,subscriber_status,change_status_at\n"

BEN = "2,Ben,Voss,ben@acme.example,Manager,Acme,+1 212 555 0102,2026-11-03 10:00:00\n"

DAYS = {
    FIRST: {
        "list": LIST
        + "1,Ada,Okafor,ada@acme.example,Buyer,Acme,+1 212 555 0101,2026-11-03 10:00:00\n"
        + BEN
        + "3,Cy,Roux,cy@blue.example,Director,Blue,+1 212 555 0103,2026-11-03 10:00:00\n",
        "shop": SHOP + "11,Ada,Okafor,ada@acme.example,2026-11-03 09:00:00\n",
        "news": NEWS + "21,0,reader@example.com,1,2026-11-03 08:00:00\n",
    },
    SECOND: {
        # Ada was promoted; what is said of Cy is older than what is known; Di is new.
        "list": LIST
        + "1,Ada,Okafor,ada@acme.example,Head Buyer,Acme,+1 212 555 0199,2026-11-04 10:00:00\n"
        + "3,Cy,Roux,cy@blue.example,Trainee,Blue,+1 212 555 0000,2026-11-01 10:00:00\n"
        + "4,Di,Marsh,di@blue.example,Editor,Blue,+1 212 555 0104,2026-11-04 10:00:00\n",
        "shop": SHOP + "12,Cy,Roux,cy@blue.example,2026-11-04 09:00:00\n",
        "news": NEWS + "21,0,reader@example.com,3,2026-11-04 08:00:00\n",
    },
}


def _chain(make_chain: Any) -> Any:
    chain = make_chain(SOURCES)
    for day, files in DAYS.items():
        for source, content in files.items():
            chain.put(source, day, "export.csv", content)
    return chain


def _people(chain: Any) -> list[dict[str, Any]]:
    """Everybody but for the keys, whose spelling depends on who came first."""
    keyed = ("day", "person_key", "account_key", "batch")
    people = [
        {name: value for name, value in row.items() if name not in keyed}
        for row in chain.read("people")
    ]
    return sorted(people, key=lambda row: str(row["email"]))


def _contacts(chain: Any) -> dict[str, dict[str, Any]]:
    return {row["Email"]: row for row in chain.records("Contact")}


@pytest.fixture(scope="module")
def in_order(make_chain: Any) -> Any:
    return _chain(make_chain).done(FIRST).done(SECOND)


@pytest.fixture(scope="module")
def expected(in_order: Any) -> dict[str, Any]:
    """What one sees after both days ran in order."""
    return {"people": _people(in_order), "records": in_order.everything()}


def test_recency_decides(in_order: Any, expected: Any) -> None:
    contacts = _contacts(in_order)
    assert contacts["ada@acme.example"]["Title"] == "Head Buyer"
    assert contacts["cy@blue.example"]["Title"] == "Director"
    assert [row["HasOptedOutOfEmail"] for row in in_order.records("Lead")] == [True]
    assert [len(rows) for rows in expected["records"].values()] == [2, 4, 1]
    assert len(expected["people"]) == 5


def test_the_second_day_first(make_chain: Any, expected: Any) -> None:
    chain = _chain(make_chain).done(SECOND).done(FIRST)
    assert _people(chain) == expected["people"]
    assert chain.everything() == expected["records"]


def test_both_days_at_once(make_chain: Any, expected: Any) -> None:
    chain = _chain(make_chain)
    running = [chain.start("sync", "--batch", str(day)) for day in DAYS]
    ended = [command.communicated() for command in running]
    assert [process.returncode for process in ended] == [0, 0], [
        process.stderr for process in ended
    ]
    assert _people(chain) == expected["people"]
    assert chain.everything() == expected["records"]


def test_an_old_day_again_moves_nothing_back(in_order: Any, expected: Any) -> None:
    before = in_order.stamps()
    in_order.done(FIRST)
    assert in_order.stamps() == before
    assert _people(in_order) == expected["people"]


def test_a_row_that_is_withdrawn_and_comes_back(in_order: Any, expected: Any) -> None:
    before = in_order.stamps()
    [ben] = [row for row in in_order.read("people") if row["email"] == "ben@acme.example"]
    files = DAYS[FIRST]
    in_order.put("list", FIRST, "export.csv", files["list"].replace(BEN, ""))
    in_order.put("shop", FIRST, "export.csv", SHOP)
    in_order.done(FIRST)
    people = {row["email"]: row for row in in_order.read("people")}
    assert "ben@acme.example" not in people
    assert people["ada@acme.example"]["sources"] == ["list"]
    assert len(people) == 4
    assert in_order.stamps() == before  # what nobody asked to delete stays

    in_order.put("list", FIRST, "export.csv", files["list"])
    in_order.put("shop", FIRST, "export.csv", files["shop"])
    in_order.done(FIRST)
    [back] = [row for row in in_order.read("people") if row["email"] == "ben@acme.example"]
    assert back["person_key"] == ben["person_key"]
    assert in_order.stamps() == before
    assert _people(in_order) == expected["people"]
