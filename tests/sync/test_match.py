"""Which record of the org is whose: cases as data, on the shipped mappings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from pipelines.sync.decisions import TABLE
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.policies import Policies
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
    "an e-mail with another name is somebody else": (
        [ADA],
        [RECORD | {"Email": "ada@x.org", "FirstName": "Eve", "LastName": "Lovelace"}],
        {},
    ),
    "an e-mail with a name that agrees": (
        [ADA],
        [RECORD | {"Email": "ada@x.org", "FirstName": "A.", "LastName": "LOVELACE"}],
        {"p-1": ("003A", "email", 1, True)},
    ),
    "an e-mail with a name that agrees in part is for somebody to decide": (
        [ADA],
        [RECORD | {"Email": "ada@x.org", "FirstName": "Ada", "LastName": "Byron"}],
        {"p-1": (None, "unclear", 0, False)},
    ),
    "whoever has no name takes the one that has the e-mail": (
        [ADA | {"first_name": None, "last_name": None}],
        [RECORD | {"Email": "ada@x.org", "FirstName": "Ada", "LastName": "Lovelace"}],
        {"p-1": ("003A", "email", 1, True)},
    ),
    "but of two with different names neither": (
        [ADA | {"first_name": None, "last_name": None}],
        [
            RECORD | {"Email": "ada@x.org", "FirstName": "Ada", "LastName": "Lovelace"},
            RECORD | {"Id": "003B", "Email": "ada@x.org", "FirstName": "Eve", "LastName": "Moss"},
        ],
        {"p-1": (None, "unclear", 0, False)},
    ),
    "a name that was read from the address is none": (
        [ADA | {"name_derived": True}],
        [RECORD | {"Email": "ada@x.org", "FirstName": "Eve", "LastName": "Moss"}],
        {"p-1": ("003A", "email", 1, True)},
    ),
    "a role mailbox is nobody's without a full name": (
        [ADA | {"first_name": None, "email": "info@x.org"}],
        [RECORD | {"Email": "info@x.org", "FirstName": "Ada", "LastName": "Lovelace"}],
        {},
    ),
    "of those who share an address the one whose name agrees": (
        [ADA],
        [
            RECORD | {"Email": "ada@x.org", "FirstName": "Eve", "LastName": "Moss"},
            RECORD
            | {"Id": "003B", "Email": "ada@x.org", "FirstName": "Ada", "LastName": "Lovelace"},
        ],
        {"p-1": ("003B", "email", 1, True)},
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


ID, OTHER, LEAD = "003000000000001AAA", "003000000000002AAA", "00Q000000000001AAA"
ACME = "001000000000001AAA"
GONE = {"IsDeleted": "true"}
SAYS = f"decisions.csv:2 says it is {ID}"
DECIDED: dict[str, tuple[list[tuple[str, str]], list[Row], tuple[Any, ...] | None]] = {
    "by a record of a source": ([("list:1", ID)], [{}], (ID, "decision", True, 2, None)),
    "by our key": ([("p-1", ID)], [{}], (ID, "decision", True, 2, None)),
    "by a key that was taken over": ([("p-9", ID)], [{}], (ID, "decision", True, 2, None)),
    "somebody else's line": ([("list:2", ID), ("p-2", ID)], [{}], None),
    "the last line counts": (
        [("p-1", OTHER), ("list:1", ID)],
        [{}],
        (ID, "decision", True, 3, None),
    ),
    "before the e-mail": (
        [("p-1", ID)],
        [{}, {"Id": OTHER, "Email": "ada@x.org"}],
        (ID, "decision", True, 2, None),
    ),
    "it has our key already": (
        [("p-1", ID)],
        [{"Causeway_Key__c": "P-1"}],
        (ID, "key", False, 2, None),
    ),
    "it has a key that was taken over": (
        [("p-1", ID)],
        [{"Causeway_Key__c": "p-9"}],
        (ID, "decision", True, 2, None),
    ),
    "a Lead is for another match": ([("p-1", LEAD)], [{}], None),
    "no such record": (
        [("p-1", ID)],
        [],
        (None, "decision", False, None, f"{SAYS}, but this org has no such Contact"),
    ),
    "no Contact at all": (
        [("p-1", ACME)],
        [],
        (
            None, "decision", False, None,
            f"decisions.csv:2 says it is {ACME}, which is no Contact but an Id of Account",
        ),
    ),
    "deleted": (
        [("p-1", ID)], [GONE], (None, "decision", False, None, f"{SAYS}, which was deleted")
    ),
    "merged": (
        [("p-1", ID)],
        [GONE | {"MasterRecordId": OTHER}],
        (None, "decision", False, None, f"{SAYS}, which was merged into {OTHER}"),
    ),
    "somebody else's": (
        [("p-1", ID)],
        [{"Causeway_Key__c": "P-7"}],
        (None, "decision", False, None, f"{SAYS}, which is somebody else's by its key p-7"),
    ),
    "it has a record of its own": (
        [("p-1", ID)],
        [{}, {"Id": OTHER, "Causeway_Key__c": "p-1"}],
        (OTHER, "key", False, None, f"{SAYS}, but its Contact is {OTHER}"),
    ),
    "a wrong line lets the other rules find": (
        [("p-1", ID)],
        [GONE, {"Id": OTHER, "Email": "ada@x.org"}],
        (OTHER, "email", True, None, f"{SAYS}, which was deleted"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DECIDED)
def test_what_is_decided(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
    case: str,
) -> None:
    lines, records, expected = DECIDED[case]
    fill("people", golden["people"], [ADA | {"aliases": ["p-9"]}])
    rows = [RECORD | {"Id": ID} | record for record in records]
    fill("org_contact", texts(mappings, "Contact"), rows)
    db.execute("create table org_match_account as select 'a-1' as entity_key, '001A' as sf_id")
    decide(db, *lines)
    matches = db.execute(
        "select sf_id, rule, adopt, decision, wrong"
        f" from ({match_sql(mappings['contact'], mappings, Policies())}) where entity_key = 'p-1'"
    ).fetchall()
    assert matches == ([] if expected is None else [expected])


def test_what_is_decided_of_a_record_keeps_everybody_else_from_it(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
) -> None:
    fill("people", golden["people"], [ADA, ADA | {"person_key": "p-2"}])
    fill("org_contact", texts(mappings, "Contact"), [RECORD | {"Id": ID, "Email": "ada@x.org"}])
    db.execute("create table org_match_account as select 'a-1' as entity_key, '001A' as sf_id")
    assert {row[1] for row in matched(db, mappings, "contact").values()} == {"ambiguous"}
    decide(db, ("p-2", ID))
    assert matched(db, mappings, "contact") == {"p-2": (ID, "decision", 1, True)}
    decide(db, ("p-2", ID), ("p-1", ID))
    assert {row[1] for row in matched(db, mappings, "contact").values()} == {"ambiguous"}


def test_an_account_is_named_by_its_key(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
) -> None:
    account = ACME
    fill("accounts", golden["accounts"], [{"account_key": "a-1", "name": "Acme"}])
    fill("org_account", texts(mappings, "Account"), [RECORD | {"Id": account, "Name": "Zeta"}])
    assert matched(db, mappings, "account") == {}
    decide(db, ("list:1", account), ("a-1", account))
    assert matched(db, mappings, "account") == {"a-1": (account, "decision", 1, True)}


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
    account, name, match = ACCOUNTS[case]
    fill("accounts", golden["accounts"], [{"account_key": "a-1", **account}])
    fill("org_account", texts(mappings, "Account"), [RECORD | {"Id": "001A", "Name": name}])
    assert matched(db, mappings, "account") == ({"a-1": ("001A", "name", 1, True)} if match else {})


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
    further = db.execute(
        f"select others, alias from ({match_sql(mappings['contact'], mappings, Policies())})"
    ).fetchall()
    assert further == [(others, alias)]


@pytest.fixture(autouse=True)
def nothing_else(
    request: pytest.FixtureRequest,
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
) -> None:
    """``decisions.csv`` is empty, ``p-1`` is the row 1 of a list, and no Lead was converted."""
    if "lead" not in request.node.name:
        fill("org_lead", texts(mappings, "Lead"), [])
    db.execute(f"create table config_decisions ({TABLE})")
    db.execute(
        "create table person_links as"
        " select 'p-1' as person_key, 'list' as source, '1' as source_id, 'contact' as entity"
    )


SUCCESSORS: dict[str, tuple[list[Row], list[Row], str, Found | None]] = {
    "the Contact that a Lead of ours became": (
        [{"Id": "00QA", "Causeway_Key__c": "P-1", "ConvertedContactId": "003A"}],
        [{}],
        "hold",
        ("003A", "conversion", 1, True),
    ),
    "also by a key that was taken over": (
        [{"Id": "00QA", "Causeway_Key__c": "p-9", "ConvertedContactId": "003A"}],
        [{}],
        "hold",
        ("003A", "conversion", 1, True),
    ),
    "unless it is somebody else's": (
        [{"Id": "00QA", "Causeway_Key__c": "p-1", "ConvertedContactId": "003A"}],
        [{"Causeway_Key__c": "p-7"}],
        "hold",
        None,
    ),
    "before a Contact with the same address": (
        [{"Id": "00QA", "Causeway_Key__c": "p-1", "ConvertedContactId": "003A"}],
        [{}, {"Id": "003B", "Email": "ada@x.org", "FirstName": "Ada", "LastName": "Lovelace"}],
        "hold",
        ("003A", "conversion", 1, True),
    ),
    "a merged record waits": (
        [],
        [{"Causeway_Key__c": "p-1", "IsDeleted": "true", "MasterRecordId": "003B"}, {"Id": "003B"}],
        "hold",
        (None, "merged", 0, False),
    ),
    "or its master takes its place": (
        [],
        [{"Causeway_Key__c": "p-1", "IsDeleted": "true", "MasterRecordId": "003B"}, {"Id": "003B"}],
        "follow",
        ("003B", "merge", 1, True),
    ),
    "but not somebody else's": (
        [],
        [
            {"Causeway_Key__c": "p-1", "IsDeleted": "true", "MasterRecordId": "003B"},
            {"Id": "003B", "Causeway_Key__c": "p-2"},
        ],
        "follow",
        (None, "merged", 0, False),
    ),
}


@pytest.mark.parametrize("case", SUCCESSORS)
def test_what_took_the_place_of_a_lead_or_record(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
    case: str,
) -> None:
    leads, records, policy, expected = SUCCESSORS[case]
    fill("people", golden["people"], [ADA | {"aliases": ["p-9"]}])
    converted = RECORD | {"IsConverted": "true"}
    fill("org_lead", texts(mappings, "Lead"), [converted | lead for lead in leads])
    fill("org_contact", texts(mappings, "Contact"), [RECORD | record for record in records])
    db.execute("create table org_match_account as select 'a-1' as entity_key, '001A' as sf_id")
    matches = matched(db, mappings, "contact", Policies(merged_in_org=policy))
    assert matches == ({} if expected is None else {"p-1": expected})


LONG = "003A00000abcdeFIAQ"

GIVEN: dict[str, tuple[str, list[Row], Found | None]] = {
    "in 18 signs": (LONG, [{}], (LONG, "salesforce_id", 1, True)),
    "in 15 signs": (LONG[:15], [{}], (LONG, "salesforce_id", 1, True)),
    "of a row that is not the newest with it": (
        f"{LONG}~2",
        [{}],
        (LONG, "salesforce_id", 1, True),
    ),
    "damaged": (f"{LONG[:-1]}B", [{}], None),
    "in other letters": (LONG.lower(), [{}], None),
    "with the name of somebody else": (LONG, [{"LastName": "Moss", "FirstName": "Eve"}], None),
    "with another last name at the same address": (
        LONG,
        [{"LastName": "Byron", "Email": "ada@x.org"}],
        (LONG, "salesforce_id", 1, True),
    ),
    "before whoever has the address": (
        LONG,
        [{}, {"Id": "003B", "Email": "ada@x.org", "CreatedDate": "2001-01-01"}],
        (LONG, "salesforce_id", 1, True),
    ),
    "of a record that was merged": (
        LONG,
        [{"IsDeleted": "true", "MasterRecordId": "003M"}, {"Id": "003M"}],
        ("003M", "salesforce_id", 1, True),
    ),
    "of a record that is gone": (LONG, [{"IsDeleted": "true"}], None),
    "of a record that carries another key": (LONG, [{"Causeway_Key__c": "p-9"}], None),
}


@pytest.mark.parametrize("case", GIVEN)
def test_an_id_of_the_org_in_a_file(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    golden: dict[str, dict[str, str]],
    case: str,
) -> None:
    given, records, expected = GIVEN[case]
    named = {"Id": LONG, "FirstName": "Ada", "LastName": "Lovelace"}
    fill("people", golden["people"], [ADA])
    fill("org_contact", texts(mappings, "Contact"), [RECORD | named | row for row in records])
    db.execute("create table org_match_account as select 'a-1' as entity_key, '001A' as sf_id")
    db.execute("insert into person_links values ('p-1', 'crm', ?, 'contact')", [given])
    matches = matched(db, mappings, "contact")
    assert matches == ({} if expected is None else {"p-1": expected})


def decide(db: duckdb.DuckDBPyConnection, *lines: tuple[str, str]) -> None:
    """Lines that say who is which record, the first of them the second of its file."""
    db.execute("delete from config_decisions")
    for line, (reference, target) in enumerate(lines, start=2):
        db.execute(
            "insert into config_decisions values ('use', ?, ?, ?)", [reference, target, line]
        )


def matched(
    db: duckdb.DuckDBPyConnection,
    mappings: dict[str, ObjectMapping],
    name: str,
    policies: Policies | None = None,
) -> dict[str, Found]:
    query = match_sql(mappings[name], mappings, policies or Policies())
    rows = db.execute(
        f"select entity_key, sf_id, rule, candidates, adopt from ({query})"
    ).fetchall()
    matches = {row[0]: row[1:] for row in rows}
    assert len(matches) == len(rows)
    return matches


def texts(mappings: dict[str, ObjectMapping], name: str) -> dict[str, str]:
    return dict.fromkeys(fields_needed(mappings)[name], "varchar")
