"""What a mapping makes of a person: wire values, look-ups, and the reasons to hold a row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.mapping.model import ObjectMapping, read_mapping
from pipelines.sync.mapping.owners import QUEUES
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.snapshot import fields_needed

HEAD = "object: Contact\nfrom: people\nkey: Causeway_Key__c\nfields:\n"
Row = dict[str, Any]
DEFAULTS = Policies()
Fill = Callable[[str, dict[str, str], list[Row]], None]
Desired = Callable[..., list[Row]]

ROUTE = dict.fromkeys(("entity_key", "sobject", "reason", "excluded"), "varchar")
MATCH = {
    "entity_key": "varchar", "sf_id": "varchar", "rule": "varchar",
    "candidates": "bigint", "adopt": "boolean", "others": "varchar[]",
    "decision": "integer", "wrong": "varchar",
}  # fmt: skip


@pytest.fixture
def desired(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    mappings: dict[str, ObjectMapping],
    schema: OrgSchema,
    golden: dict[str, dict[str, str]],
    tmp_path: Path,
) -> Desired:
    """``sf_contact`` of some fields and people; the org's tables are given by name."""

    def make(fields: str, *people: Row, policies: Policies = DEFAULTS, **tables: Any) -> list[Row]:
        keyed = [{"person_key": f"p-{at}", **person} for at, person in enumerate(people)]
        route = tables.get("of", "Contact")
        routes = [{"entity_key": row["person_key"], "sobject": route} for row in keyed]
        fill("people", golden["people"], keyed)
        fill("routes", ROUTE, [*routes, *tables.get("routes", [])])
        for name, columns in fields_needed(mappings).items():
            table = f"org_{name.lower()}"
            fill(table, dict.fromkeys(columns, "varchar"), tables.get(table, []))
        fill("org_queue", QUEUES, tables.get("org_queue", []))
        for name in mappings:
            table = f"org_match_{name.lower()}"
            fill(table, MATCH, tables.get(table, []))
        path = tmp_path / "contact.yaml"
        head = HEAD.replace("Contact", tables.pop("of", "Contact"))
        path.write_text(head + fields, encoding="utf-8")
        mapping = read_mapping(path, {})
        mapping = mapping.present(schema[mapping.object])
        query = desired_sql(mapping, schema[mapping.object], mappings, policies)
        return db.sql(f"select * from ({query}) order by key").to_arrow_table().to_pylist()

    return make


@pytest.mark.parametrize(
    ("field", "person", "value", "held"),
    [
        ("Title: title", {"title": "  CEO\t\n"}, "CEO", None),
        ("Title: title", {"title": " "}, None, None),
        ("MailingStreet: note", {"note": "1 High St\r\nFlat 2\r\n"}, "1 High St\nFlat 2", None),
        ("HasOptedOutOfEmail: opted_out", {"opted_out": True}, "true", None),
        ("HasOptedOutOfEmail: opted_out", {}, None, None),
        ("HasOptedOutOfEmail: note", {"note": "maybe"}, None,
         "HasOptedOutOfEmail is no yes or no: maybe"),
        ("Birthdate: birthdate", {"birthdate": "1815-12-10"}, "1815-12-10", None),
        ("Birthdate: note", {"note": "10/12/1815"}, None, "Birthdate is no date: 10/12/1815"),
        ("EmailBouncedDate: as_of", {"as_of": "2026-01-02 03:04:05"},
         "2026-01-02T03:04:05.000Z", None),
        ("Title: {from: title, too_long: truncate}", {"title": "x" * 127 + " yz"},
         "x" * 127, None),
        ("FirstName: title", {"title": "x" * 41}, "x" * 41,
         "FirstName has 41 characters, 40 fit"),
        ("Title: {from: title, default: none}", {}, "none", None),
        ("Title: {value: Web}", {}, "Web", None),
        ("HasOptedOutOfEmail: {value: true}", {}, "true", None),
        ("Phone: {from: phone, transform: digits}", {"phone": "+1 (415)"}, "1415", None),
        ("Title: {from: title, transform: [trim, lower, title]}", {"title": " VP OF  it "},
         "Vp Of It", None),
        ("Title: {from: title, transform: [one_line, upper]}", {"title": "a\n b"}, "A B", None),
        ("Title: {from: title, translate: {a: b}}", {"title": "a"}, "b", None),
        ("Title: {from: title, translate: {a: b}}", {"title": "c"}, "c", None),
        ("Title: {from: title, translate: {a: null}}", {"title": "a"}, None, None),
        ("Title: {from: title, translate: {a: b}, on_unknown: blank}", {"title": "c"}, None, None),
        ("Title: {from: title, translate: {a: b}, on_unknown: reject}", {"title": "c"}, None,
         "Title: translate does not list c"),
        ("Title: {sql: \"concat_ws(' / ', title, note)\"}", {"title": "a", "note": "b"},
         "a / b", None),
        ("Title: {sql: \"upper(title) -- shout\"}", {"title": "it's"}, "IT'S", None),
    ],
)  # fmt: skip
def test_a_value_in_wire_form(
    desired: Desired, field: str, person: Row, value: str | None, held: str | None
) -> None:
    name = field.partition(":")[0]
    [row] = desired(f"  {field}\n", person)
    assert (row[name], row["_held"]) == (value, held)


OPTIONAL = {
    "CleanStatus": "note",
    "Birthdate": "department",
    "FirstName": "title",
    "HasOptedOutOfEmail": "fax",
    "Rank__c": "nickname",
}
"""Fields that take few texts, of which the org has not the last; and where their values stand."""

SAID = st.none() | st.sampled_from(
    ["Matched", "matched", "Kapitän", "1990-02-28", "1990-02-30", "soon", "x" * 41, "yes", "'; --"]
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(OPTIONAL.values(), SAID)), max_size=4))
def test_an_optional_value_is_sent_or_told_and_never_holds_the_row(
    db: duckdb.DuckDBPyConnection, desired: Desired, schema: OrgSchema, people: list[Row]
) -> None:
    fields = (f"  {name}: {{from: {said}, optional: true}}\n" for name, said in OPTIONAL.items())
    db.begin()
    try:
        rows = desired("  LastName: last_name\n" + "".join(fields), *people)
    finally:
        db.rollback()
    for row, person in zip(rows, people, strict=True):
        assert (row["_held"], row["_held_new"]) == (None, None)
        unsent = {value["field"]: value["value"] for value in row["_unsent"] or ()}
        for name, said in OPTIONAL.items():
            sent = row.get(name)
            assert (sent is not None) + (name in unsent) == (person[said] is not None), (name, row)
            assert unsent.get(name, person[said]) == person[said]
        choices = [value.lower() for value in schema["Contact"]["CleanStatus"].picklist_values]
        assert (row["CleanStatus"] or "matched").lower() in choices
        assert len(row["FirstName"] or "") <= 40


@pytest.mark.parametrize(
    ("title", "cut"),
    [
        ("x" * 128, None),
        ("é" * 128, []),  # more bytes than fit, but not more characters
        ("x" * 130, ["cut from 130 to 128 characters (too_long: truncate), without: xx"]),
        (
            "x" * 200,
            [f"cut from 200 to 128 characters (too_long: truncate), without: {'x' * 60}…"],
        ),
    ],
)
def test_what_is_cut_is_told(desired: Desired, title: str, cut: list[str] | None) -> None:
    [row] = desired("  Title: {from: title, too_long: truncate}\n", {"title": title})
    cuts = row["_cut"]
    assert (cuts and [cut_value["why"] for cut_value in cuts]) == cut
    assert all(
        (cut_value["field"], cut_value["after"]) == ("Title", row["Title"])
        for cut_value in cuts or []
    )


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ({"value": "one\ntwo"}, "one\ntwo"),
        ({"from": "note", "default": "it's\ntwo"}, "it's\ntwo"),
        ({"from": "title", "translate": {"two\n  lines": "known"}}, "known"),
        ({"sql": "concat('a', length('two\n  lines'))"}, "a11"),
    ],
)
def test_text_over_several_lines_is_no_place_for_our_indentation(
    desired: Desired, field: Row, sent: str
) -> None:
    written = json.dumps({"MailingStreet": field})  # YAML too
    [row] = desired(f"  {written[1:-1]}\n", {"title": "two\n  lines"})
    assert row["MailingStreet"] == sent


def test_only_routed_people_and_one_row_each(desired: Desired) -> None:
    elsewhere = {"entity_key": "p-9", "sobject": "Lead"}
    rows = desired("  Title: title\n", {}, {}, routes=[elsewhere])
    assert [row["key"] for row in rows] == ["p-0", "p-1"]


ACCOUNT = "  AccountId: {lookup: Account, by: account_key%s}\n"


@pytest.mark.parametrize(
    ("tables", "account_id", "held"),
    [
        ({"org_match_account": [{"entity_key": "a-1", "sf_id": "001A"}]}, "001A", None),
        (
            {"org_account": [{"Id": "001B", "Causeway_Key__c": "A-1", "IsDeleted": "false"}]},
            "001B",
            None,
        ),
        ({"routes": [{"entity_key": "a-1", "sobject": "Account"}]}, "@account:a-1", None),
        (
            {
                "routes": [{"entity_key": "a-1", "sobject": "Account"}],
                "org_match_account": [{"entity_key": "a-1", "sf_id": "001A"}],
            },
            "001A",
            None,
        ),
        (
            {"org_account": [{"Id": "001B", "Causeway_Key__c": "a-1", "IsDeleted": "true"}]},
            None,
            "AccountId: there is no Account a-1",
        ),
    ],
    ids=["matched", "in the snapshot", "of this plan", "matched before created", "deleted"],
)
def test_the_account_of_a_contact(
    desired: Desired, tables: dict[str, list[Row]], account_id: str | None, held: str | None
) -> None:
    rows = desired(ACCOUNT % "", {"account_key": "a-1"}, {}, **tables)
    assert [(row["AccountId"], row["_held_new"]) for row in rows] == [
        (account_id, held),
        (None, None),
    ]
    assert [row["_held"] for row in rows] == [None, None]  # a contact that is there stays there


DOUBT = "its Account waits: it is not clear which record of the org it is"


@pytest.mark.parametrize(
    ("match", "account_id", "held"),
    [
        (
            {"sf_id": "001A", "others": ["001B"]},
            None,
            "its Account waits: the org has more than one",
        ),
        ({"sf_id": "001A", "others": ["001B"], "decision": 3}, "001A", None),
        ({"sf_id": "001A", "others": []}, "001A", None),
        ({"rule": "ambiguous"}, None, DOUBT),
        ({"rule": "unclear"}, None, DOUBT),
        ({"wrong": "no such record"}, None, "its Account waits: no such record"),
        ({"rule": "deleted"}, "@account:a-1", None),
    ],
)
@pytest.mark.parametrize("moves", [False, True])
def test_nobody_goes_to_an_account_that_somebody_has_to_choose_first(
    desired: Desired, match: Row, account_id: str | None, held: str | None, moves: bool
) -> None:
    tables = {
        "org_match_account": [{"entity_key": "a-1"} | match],
        "routes": [{"entity_key": "a-1", "sobject": "Account"}],
    }
    review = Policies.model_validate({"duplicates": {"account": "review"}})
    fields = ACCOUNT % (", when: upsert" if moves else "")
    [row] = desired(fields, {"account_key": "a-1"}, policies=review, **tables)
    expected = (None, held) if not moves else (held, None)
    assert (row["AccountId"], row["_held"], row["_held_new"]) == (account_id, *expected)


def test_a_person_shows_the_account_they_belong_to(desired: Desired) -> None:
    fields = "  Title: account_name\n  Department: {sql: \"account_rule || ' ' || account_key\"}\n"
    acme = {"account_key": "a-1", "rule": "exact_name", "name": "Acme"}
    rows = desired(f"{fields}  Description: account_rule\n", acme, {})
    assert [row["Description"] for row in rows] == ["exact_name", "none"]
    assert [(row["Title"], row["Department"]) for row in rows] == [
        ("Acme", "exact_name a-1"),
        (None, None),
    ]


def test_a_miss_may_leave_a_blank(desired: Desired) -> None:
    [row] = desired(ACCOUNT % ", on_miss: blank", {"account_key": "a-1"})
    assert (row["AccountId"], row["_held"]) == (None, None)


@pytest.mark.parametrize(
    ("rule", "owner_ids", "held"),
    [
        (
            "by: note",
            [None, "005A", None],
            [None, None, "OwnerId: the User gone@x.org is inactive"],
        ),
        ("by: note, on_miss: default, default: BEA@x.org", ["005B", "005A", "005B"], [None] * 3),
        (
            "by: note, on_miss: default, default: gone@x.org",
            [None, "005A", None],
            [None, None, "OwnerId: the User gone@x.org is inactive"],
        ),
        ("default: ada@x.org", ["005A"] * 3, [None] * 3),
    ],
)
def test_an_owner_is_an_active_user(
    desired: Desired, rule: str, owner_ids: list[str | None], held: list[str | None]
) -> None:
    users = [
        {"Id": "005A", "Username": "Ada@x.org", "IsActive": "true"},
        {"Id": "005B", "Username": "bea@x.org", "IsActive": "true"},
        {"Id": "005C", "Username": "gone@x.org", "IsActive": "false"},
    ]
    rows = desired(
        f"  OwnerId: {{lookup: User, {rule}}}\n",
        {},
        {"note": "ADA@x.org"},
        {"note": "gone@x.org"},
        org_user=users,
    )
    assert [row["OwnerId"] for row in rows] == owner_ids
    assert [row["_held_new"] for row in rows] == held


@pytest.mark.parametrize(
    ("of", "owners", "sales"),
    [
        ("Lead", ["00GL", None], [None, "OwnerId: cases is a queue that may not own a Lead"]),
        (
            "Contact",
            [None, None],
            [
                f"OwnerId: {name} is a queue that may not own a Contact"
                for name in ("sales", "cases")
            ],
        ),
    ],
)
def test_a_queue_owns_what_it_may_own(
    desired: Desired, of: str, owners: list[str | None], sales: list[str | None]
) -> None:
    rows = desired(
        "  OwnerId: {lookup: User, by: note}\n",
        {"note": "Sales"},
        {"note": "cases"},
        {"note": "nobody@x.org"},
        of=of,
        org_queue=[
            {"Id": "00GL", "DeveloperName": "sales", "object": "Lead"},
            {"Id": "00GC", "DeveloperName": "cases", "object": "Case"},
        ],
    )
    assert [row["OwnerId"] for row in rows] == [*owners, None]
    assert [row["_held_new"] for row in rows] == [*sales, "OwnerId: there is no User nobody@x.org"]


@pytest.mark.parametrize(
    ("written", "sent", "held"),
    [
        ("012000000000001", "012000000000001", None),
        (" 012000000000001AAA ", "012000000000001AAA", None),
        ("Buyer", None, "RecordTypeId is no Id: Buyer"),
    ],
)
def test_what_is_no_id_is_not_sent_as_one(
    desired: Desired, schema: OrgSchema, written: str, sent: str | None, held: str | None
) -> None:
    [row] = desired("  ReportsToId: {from: note, when: upsert}\n", {"note": written})
    assert row["ReportsToId"] == sent
    assert row["_held"] == (held and held.replace("RecordTypeId", "ReportsToId"))


def test_somebody_with_an_open_lead_waits_unless_the_org_has_the_contact(desired: Desired) -> None:
    leads = [{"entity_key": f"p-{at}", "sf_id": f"00Q{at}"} for at in range(2)]
    rows = desired(
        "  Title: title\n",
        *({}, {}, {}),
        org_match_lead=leads,
        org_match_contact=[{"entity_key": "p-1", "sf_id": "003A"}],
    )
    reasons = [row["_held"] for row in rows]
    assert reasons[1:] == [None, None]
    assert reasons[0].startswith("an open Lead of this person is in the org")


def test_all_reasons_are_told_at_once(desired: Desired) -> None:
    [row] = desired("  FirstName: title\n  Birthdate: note\n", {"title": "x" * 50, "note": "soon"})
    assert row["_held"] == "FirstName has 50 characters, 40 fit; Birthdate is no date: soon"
