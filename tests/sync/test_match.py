"""Which record of the org is whose: cases as data, on the shipped mappings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.snapshot import fields_needed

Row = dict[str, Any]
Fill = Callable[[str, dict[str, str], list[Row]], None]
Found = tuple[str | None, str, int, bool]

ADA = {"person_key": "p-1", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@x.org"}
RECORD = {"Id": "003A", "CreatedDate": "2026-01-02", "IsDeleted": "false", "IsConverted": "false"}

CONTACTS: dict[str, tuple[list[Row], list[Row], dict[str, Found]]] = {
    "nobody": ([ADA], [RECORD | {"Email": "eve@x.org"}], {}),
    "our key, whatever else is written there": (
        [ADA],
        [RECORD | {"Causeway_Key__c": "P-1", "Email": "new@x.org"}],
        {"p-1": ("003A", "key", 1, False)},
    ),
    "e-mail in whatever case": (
        [ADA],
        [RECORD | {"Email": "ADA@X.org"}],
        {"p-1": ("003A", "email", 1, True)},
    ),
    "the key wins over the e-mail": (
        [ADA],
        [
            RECORD | {"Email": "ada@x.org", "CreatedDate": "2020-01-01"},
            RECORD | {"Id": "003B", "Causeway_Key__c": "p-1"},
        ],
        {"p-1": ("003B", "key", 1, False)},
    ),
    "the oldest of several, and how many there were": (
        [ADA],
        [
            RECORD | {"Email": "ada@x.org", "CreatedDate": "2026-01-02"},
            RECORD | {"Id": "003B", "Email": "ada@x.org", "CreatedDate": "2025-01-02"},
        ],
        {"p-1": ("003B", "email", 2, True)},
    ),
    "a record with another key is never adopted": (
        [ADA],
        [RECORD | {"Email": "ada@x.org", "Causeway_Key__c": "p-9"}],
        {},
    ),
    "nor is a deleted one": ([ADA], [RECORD | {"Email": "ada@x.org", "IsDeleted": "true"}], {}),
    "a deleted record of ours is known as deleted": (
        [ADA],
        [RECORD | {"Causeway_Key__c": "p-1", "IsDeleted": "true"}],
        {"p-1": (None, "deleted", 0, False)},
    ),
    "unless a living one has the key": (
        [ADA],
        [
            RECORD | {"Causeway_Key__c": "p-1", "IsDeleted": "true"},
            RECORD | {"Id": "003B", "Causeway_Key__c": "p-1"},
        ],
        {"p-1": ("003B", "key", 1, False)},
    ),
    "a key that another one took over is ours": (
        [ADA | {"aliases": ["p-0", "p-9"]}],
        [RECORD | {"Causeway_Key__c": "P-9", "Email": "eve@x.org"}],
        {"p-1": ("003A", "alias", 1, True)},
    ),
    "our own key wins over it": (
        [ADA | {"aliases": ["p-9"]}],
        [RECORD | {"Causeway_Key__c": "p-9"}, RECORD | {"Id": "003B", "Causeway_Key__c": "p-1"}],
        {"p-1": ("003B", "key", 1, False)},
    ),
    "two people who reach one record: neither": (
        [ADA, ADA | {"person_key": "p-2"}],
        [RECORD | {"Email": "ada@x.org"}],
        {"p-1": (None, "ambiguous", 1, False), "p-2": (None, "ambiguous", 1, False)},
    ),
    "the same name at the same account": (
        [ADA | {"email": None, "account_key": "a-1"}],
        [RECORD | {"FirstName": "ADA", "LastName": "Lovelace", "AccountId": "001A"}],
        {"p-1": ("003A", "name_at_account", 1, True)},
    ),
    "the same name elsewhere": (
        [ADA | {"email": None, "account_key": "a-1"}],
        [RECORD | {"FirstName": "Ada", "LastName": "Lovelace", "AccountId": "001B"}],
        {},
    ),
    "a name that is not whole matches nobody": (
        [ADA | {"email": None, "first_name": None, "account_key": "a-1"}],
        [RECORD | {"LastName": "Lovelace", "AccountId": "001A"}],
        {},
    ),
}


@pytest.mark.parametrize("case", CONTACTS)
def test_contacts(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
    case: str,
) -> None:
    people, records, expected = CONTACTS[case]
    fill("people", golden["people"], people)
    fill("org_contact", texts(mappings, "Contact"), records)
    db.execute("create table org_match_account as select 'a-1' as entity_key, '001A' as sf_id")
    assert matched(db, mappings, "contact") == expected


ACCOUNTS: dict[str, tuple[Row, str, bool]] = {
    "legal form and case do not matter": ({"name": "Acme, Inc."}, "ACME", True),
    "two companies that begin alike": ({"name": "Corporation10"}, "Corporation10 Admin", False),
    "a name we made matches nothing": (
        {"name": "Ada Lovelace", "name_generated": True},
        "Ada Lovelace",
        False,
    ),
}


@pytest.mark.parametrize("case", ACCOUNTS)
def test_accounts_by_name(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
    case: str,
) -> None:
    account, name, found = ACCOUNTS[case]
    fill("accounts", golden["accounts"], [{"account_key": "a-1", **account}])
    fill("org_account", texts(mappings, "Account"), [RECORD | {"Id": "001A", "Name": name}])
    assert matched(db, mappings, "account") == ({"a-1": ("001A", "name", 1, True)} if found else {})


def test_a_converted_lead_is_none_and_known_as_converted(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
) -> None:
    converted = RECORD | {"Id": "00QA", "IsConverted": "true", "Email": "ada@x.org"}
    fill("people", golden["people"], [ADA, ADA | {"person_key": "p-2", "email": "eve@x.org"}])
    fill(
        "org_lead",
        texts(mappings, "Lead"),
        [converted, converted | {"Id": "00QB", "Causeway_Key__c": "p-2"}],
    )
    assert matched(db, mappings, "lead") == {"p-2": (None, "converted", 0, False)}


SEVERAL: list[tuple[list[str] | None, list[tuple[str, str | None]], list[str], str | None]] = [
    (["p-9"], [("003A", "p-1"), ("003B", "p-9")], ["003B"], None),
    (["p-9"], [("003A", None), ("003B", "p-9")], [], "p-9"),
    (["p-8", "p-9"], [("003A", "p-8"), ("003B", "p-9")], ["003B"], "p-8"),
    (None, [("003A", None), ("003B", None), ("003C", None)], ["003B", "003C"], None),
    (None, [("003A", "p-1"), ("003B", None)], [], None),
]


@pytest.mark.parametrize("place", range(len(SEVERAL)))
def test_further_records_of_one_of_ours_are_known(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
    place: int,
) -> None:
    aliases, records, others, alias = SEVERAL[place]
    fill("people", golden["people"], [ADA | {"aliases": aliases}])
    rows = [
        RECORD | {"Id": sf_id, "Causeway_Key__c": key, "Email": "ada@x.org"}
        for sf_id, key in records
    ]
    fill("org_contact", texts(mappings, "Contact"), rows)
    db.execute("create table org_match_account as select 'a-1' as entity_key, '001A' as sf_id")
    found = db.execute(
        f"select others, alias from ({match_sql(mappings['contact'], mappings)})"
    ).fetchall()
    assert found == [(others, alias)]


def matched(
    db: duckdb.DuckDBPyConnection, mappings: dict[str, ObjectMapping], stem: str
) -> dict[str, Found]:
    query = match_sql(mappings[stem], mappings)
    rows = db.execute(
        f"select entity_key, sf_id, rule, candidates, adopt from ({query})"
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    assert len(found) == len(rows)
    return found


def texts(mappings: dict[str, ObjectMapping], name: str) -> dict[str, str]:
    return dict.fromkeys(fields_needed(mappings)[name], "varchar")
