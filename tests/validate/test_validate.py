"""What becomes of rows: valid or rejected, with every reason, whatever the batch holds."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.errors import InternalError
from pipelines.validate.judge import validate
from pipelines.validate.rules import ENTITIES, REFERENCES, rules

EARLIER = date(2026, 11, 19)
MISSING, FORMAT = "Mandatory Values", "Data Format"


def test_every_reason_of_a_row_is_told_in_the_order_of_the_validations(home: Any) -> None:
    done = home.judge(
        "contacts",
        [
            {"contact_id": "c1", "last_name": "Doe", "email": "jane@example.com"},
            {"contact_id": "c2", "parent_id": "c9", "email": "jane@@example", "phone": "soon"},
        ],
    )
    assert home.valid("contacts") == [2]
    assert home.reasons("contacts") == {
        3: [
            (MISSING, "address_present", "street"),
            (FORMAT, "email_format", "email"),
            ("Reference", "reference", "parent_id"),
        ]
    }
    assert (done.staged, done.valid.rows, done.rejected.rows) == (2, 1, 1)
    assert done.kinds == {MISSING: 1, FORMAT: 1, "Reference": 1}
    assert sum(done.broken.values()) == 3
    [rejection] = done.sample
    assert (rejection.file, rejection.row) == ("list/2026-11-20/a.csv", 3)
    assert "email jane@@example: not an e-mail address" in rejection.reasons[1]


def test_a_rejected_row_keeps_what_landed(home: Any) -> None:
    extra = json.dumps({"Party": "Green"})
    home.judge("contacts", [{"contact_id": "c1", "phone": " A@x.org\u00a0", "_extra": extra}])
    [row] = home.read("rejected_contacts")
    landed = json.loads(row["raw"])
    assert landed["phone"] == " A@x.org\u00a0"
    assert landed["_extra"] == {"Party": "Green"}
    assert landed["last_name"] is None
    assert (row["source"], row["source_id"], row["_file"]) == ("list", "c1", row["_file"])


def test_an_unreadable_line_has_that_one_reason(home: Any) -> None:
    defect = "3 columns instead of 5, bytes 120 to 160"
    done = home.judge("contacts", [{"_defect": defect}, {"last_name": "Doe"}])
    assert home.reasons("contacts") == {2: [("Unreadable", "unreadable", "")]}
    assert defect in done.sample[0].reasons[0]


def test_rows_with_one_id_are_versions_of_which_the_newest_has_the_id(home: Any) -> None:
    home.judge(
        "contacts",
        [
            {"contact_id": "a", "last_name": "Old", "updated_at": "2026-11-01"},
            {"contact_id": "a", "last_name": "New", "updated_at": "2026-11-03"},
            {"contact_id": "a", "last_name": "Older", "updated_at": "2026-11-02"},
            {"contact_id": "b", "last_name": "Last"},
            {"contact_id": "b", "last_name": "Last"},
            {"contact_id": "c", "last_name": "Good", "updated_at": "2026-11-01"},
            {"contact_id": "c", "email": "broken", "updated_at": "2026-11-09"},
            {"contact_id": "a", "last_name": "Else", "_source": "other"},
        ],
    )
    ids = {row["_row"]: (row["source_id"], row["alias_ids"]) for row in home.read("valid_contacts")}
    assert ids == {
        2: ("a~3", ["a"]),
        3: ("a", None),
        4: ("a~2", ["a"]),
        6: ("b", None),
        7: ("c", None),
        9: ("a", None),
    }
    reasons = home.reasons("contacts")
    assert set(reasons) == {5, 8}
    assert ("Duplicates", "duplicate", "source_id") in reasons[5]
    assert (FORMAT, "email_format", "email") in reasons[8]
    message = home.read("rejected_contacts")[0]["reasons"][0]["message"]
    assert message.endswith("kept is list/2026-11-20/a.csv:6")


def test_a_row_is_also_known_by_the_id_that_it_had_before(home: Any) -> None:
    """What is read of a row may change with this program; who it is does not."""
    home.judge("contacts", [{"last_name": "Doe", "phone": "555-0100"}, {"last_name": "Roe"}])
    before = [row["source_id"] for row in home.read("valid_contacts")]
    known = {"last_name": "Doe", "phone": "555-0100", "email": "doe@x.org"}
    for _ in range(2):
        home.judge("contacts", [known, {"last_name": "Else", "contact_id": "7"}])
        aliases = [row["alias_ids"] for row in home.read("valid_contacts")]
        assert aliases == [[before[0]], None]


def test_rows_that_are_all_bad_are_not_called_duplicates_too(home: Any) -> None:
    home.judge("contacts", [{"contact_id": "a"}, {"contact_id": "a"}])
    only = [(MISSING, "last_name_present", "last_name")]
    assert home.reasons("contacts") == {2: only, 3: only}


def test_a_parent_is_a_valid_contact_of_the_parent_source(new_home: Any) -> None:
    home = new_home(offices="members")
    office = {"_source": "offices", "city": "Rome", "_file": "offices/b.csv"}
    member = {"_source": "members", "last_name": "Doe"}
    home.judge("contacts", [member | {"contact_id": "early"}], EARLIER)
    home.judge(
        "contacts",
        [
            member | {"contact_id": "m1"},
            member | {"contact_id": "bad", "email": "no"},
            office | {"contact_id": "o1", "parent_id": "m1"},
            office | {"contact_id": "o2", "parent_id": "bad"},
            office | {"contact_id": "o3", "parent_id": "early"},
            office | {"contact_id": "o4", "parent_id": "nobody"},
            office | {"contact_id": "o5", "parent_id": "o1"},
            office | {"contact_id": "o6", "parent_id": "m1", "city": None, "phone": "555-0100"},
        ],
    )
    orphaned = [("Reference", "reference", "parent_id")]
    assert home.reasons("contacts") == {
        3: [(FORMAT, "email_format", "email")],
        5: orphaned,
        7: orphaned,
        8: orphaned,
        9: [(MISSING, "address_present", "street")],
    }


@pytest.mark.parametrize(
    ("child", "parent", "key"),
    [
        (
            {"address_id": "1", "customer_id": "7", "city": "Rome"},
            {"customer_id": "7", "email": "a@x.org"},
            "customer_addresses",
        ),
        (
            {"address_id": "1", "order_id": "100", "address_type": "billing", "city": "Rome"},
            {"order_id": "100", "state": "new", "email": "a@x.org", "is_guest": "1"},
            "order_addresses",
        ),
    ],
)
def test_an_address_belongs_to_this_batch_or_an_earlier_one(
    home: Any, child: dict[str, str], parent: dict[str, str], key: str
) -> None:
    reference = REFERENCES[key]
    home.judge(key, [child])
    assert home.reasons(key) == {2: [("Reference", "reference", reference.field)]}
    home.judge(reference.parent, [parent])
    assert home.run(key).rejected.rows == 0
    later = date(2026, 11, 21)
    home.judge(key, [child], later)
    assert home.valid(key, later) == [2]
    home.judge(key, [child], EARLIER)
    assert home.valid(key, EARLIER) == [], "a later batch proves nothing about an earlier one"


def test_a_rerun_replaces_its_own_verdict(home: Any) -> None:
    """Yesterday's verdict on this very batch must not vouch for a parent that is gone now."""
    parent = {"contact_id": "p", "last_name": "Doe"}
    child = {"contact_id": "c", "parent_id": "p", "city": "Rome"}
    home.judge("contacts", [parent, child])
    assert home.valid("contacts") == [2, 3]
    home.judge("contacts", [child])
    assert home.reasons("contacts") == {2: [("Reference", "reference", "parent_id")]}


def test_a_warning_counts_a_row_and_keeps_it(home: Any) -> None:
    done = home.judge(
        "contacts",
        [
            {"contact_id": "1", "last_name": "L" * 81},
            {"contact_id": "2", "last_name": "Doe", "updated_at": "2031-01-01"},
        ],
    )
    assert home.valid("contacts") == [2, 3]
    assert {(rule.name, rule.field): rows for rule, rows in done.warned.items()} == {
        ("at_most_80", "last_name"): 1,
        ("updated_at_not_in_future", "updated_at"): 1,
    }


def test_rows_that_went_astray_stop_the_run(home: Any) -> None:
    home.judge("orders", [{"order_id": "1", "state": "new", "email": "a@x.org"}])
    day = date(2026, 11, 20)
    with home.warehouse.connect() as connection:
        home.warehouse.bind(connection, "stg_orders", [day], "before")
        home.warehouse.write(connection, "stg_orders", day, "select * from before limit 0")
        with pytest.raises(InternalError, match="1 landed, 0 staged"):
            validate(home.warehouse, connection, "orders", day)


def test_a_column_of_the_wrong_type_is_our_fault_not_the_rows(home: Any) -> None:
    home.judge("subscribers", [{"email": "a@x.org", "status": "1"}])
    day = date(2026, 11, 20)
    with home.warehouse.connect() as connection:
        home.warehouse.bind(connection, "stg_subscribers", [day], "before")
        wrong = "select * replace (1::bigint as email) from before"
        connection.execute(f"create temp table wrong as {wrong}")
        for written in (None, day):
            home.warehouse.write(connection, "stg_subscribers", written, "select * from wrong")
        with pytest.raises(InternalError, match="could not run"):
            validate(home.warehouse, connection, "subscribers", day)


@pytest.mark.parametrize("entity", ENTITIES)
def test_an_empty_batch_is_valid(home: Any, entity: str) -> None:
    done = home.judge(entity, [])
    assert (done.staged, done.broken, done.warned, done.sample) == (0, {}, {}, ())


@pytest.mark.parametrize("entity", ENTITIES)
def test_rules_are_told_per_staged_column(home: Any, entity: str) -> None:
    messages = rules(entity)
    home.judge(entity, [])
    with home.warehouse.connect() as connection:
        staged = home.warehouse.describe(connection, f"stg_{entity}", None).columns
    assert messages.keys() <= staged.keys()
    assert messages["source_id"][-1].startswith("Duplicates: ")


def test_nothing_heavy_is_loaded_before_there_are_rows() -> None:
    code = (
        "import sys, pipelines.validate.judge\n"
        "print({'pandas', 'pandera', 'dagster'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"
