"""The inverse of a plan: what still stands is put back, everything else is left alone and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest

from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.sync.undo_plan import CONVERTED, OPTS_IN, undo_sql

FIELDS = ("Title", "Phone", "HasOptedOutOfEmail", "MailingStreet", "MailingCity")
GROUPS = {"mailing": ("MailingStreet", "MailingCity")}
KEY = "Causeway_Key__c"
US, ADA = "005US", "005ADA"
TABLES = ("written", "planned", "records", "read", "entries", "undone_before", "hung", "users")

Values = dict[str, str | None]
Fill = Callable[[str, dict[str, str], list[dict[str, Any]]], None]


@dataclass
class Story:
    """One record: what the plan did with it, and what became of it since."""

    done: str
    wrote: Values = field(default_factory=dict)
    before: Values = field(default_factory=dict)
    now: Values | None = None  # beside what was written; none: the record is gone
    read: Values = field(default_factory=dict)
    by: str = US
    later: str | None = None  # a plan that wrote the record after ours
    hung: str | None = None
    undone: list[str | None] = field(default_factory=list)
    converted: bool = False
    object: str = "Contact"


@pytest.fixture
def undo(
    db: duckdb.DuckDBPyConnection, fill: Fill, schema: OrgSchema
) -> Callable[[Story], dict[str, Any] | None]:
    """The row of the undo's plan; none when there is nothing to say."""

    def row(story: Story) -> dict[str, Any] | None:
        for table in TABLES:
            db.execute(f"drop table if exists {table}")
        texts = dict.fromkeys(FIELDS, "varchar")
        written = {"key": "p-1", "sf_id": "003A"}
        fill(
            "written",
            {"key": "varchar", "sf_id": "varchar", "action": "varchar", "fields": "varchar[]"}
            | {f"sent_{name}": "varchar" for name in FIELDS},
            [
                written
                | {"action": story.done, "fields": [*story.wrote]}
                | {f"sent_{name}": value for name, value in story.wrote.items()}
            ],
        )
        fill(
            "planned",
            {"key": "varchar", "before": "map(varchar, varchar)"},
            [{"key": "p-1", "before": story.before}],
        )
        stored = {"Id": "003A", "IsDeleted": "false", "LastModifiedById": story.by, KEY: "p-1"}
        stored |= {"IsConverted": str(story.converted).lower()}
        records = [] if story.now is None else [stored | story.wrote | story.now]
        fill("records", dict.fromkeys(stored, "varchar") | texts, records)
        three = dict.fromkeys(("key", "field", "stored"), "varchar")
        read = [{"key": "p-1", "field": k, "stored": v} for k, v in story.read.items()]
        fill("read", three, read)
        writer = story.later or "P"
        entries = [{"key": "p-1", "field": name, "plan_id": writer} for name in story.wrote]
        fill("entries", dict.fromkeys(("key", "field", "plan_id"), "varchar"), entries)
        undone = [{"key": "p-1", "field": name} for name in story.undone]
        fill("undone_before", dict.fromkeys(("key", "field"), "varchar"), undone)
        hung = [{"sf_id": "003A", "why": story.hung}] if story.hung else []
        fill("hung", dict.fromkeys(("sf_id", "why"), "varchar"), hung)
        fill("users", dict.fromkeys(("Id", "Name"), "varchar"), [{"Id": ADA, "Name": "Ada L."}])
        part = ObjectPlan(
            story.object.lower(),
            story.object,
            KEY,
            dict.fromkeys(FIELDS, "string"),
            {},
            None,
            {},
            "",
        )
        query = undo_sql(part, schema[story.object], "P", ["U"], US, GROUPS)
        rows = db.sql(query).to_arrow_table().to_pylist()
        return rows[0] if rows else None

    return row


Undo = Callable[[Story], "dict[str, Any]"]


def left_alone(row: dict[str, Any]) -> dict[str, str]:
    """Field → why it is left alone."""
    return {
        change["field"]: change["why"]
        for change in row["fields"]
        if change["decision"] == "left_alone"
    }


def test_a_created_record_is_deleted(undo: Undo) -> None:
    row = undo(Story("create", {"Title": "Buyer"}, now={}))
    assert (row["action"], row["sf_id"], row["changed"]) == ("delete", "003A", [])
    assert dict(row["before"]) == {"Title": "Buyer"}


def test_what_an_automation_made_of_it_still_stands(undo: Undo) -> None:
    story = Story("create", {"Title": "buyer"}, now={"Title": "BUYER"}, read={"Title": "BUYER"})
    assert undo(story)["action"] == "delete"
    story = Story("create", {"Title": "buyer"}, now={"Title": None}, read={"Title": None})
    assert undo(story)["action"] == "delete"


@pytest.mark.parametrize(
    ("story", "why"),
    [
        (Story("create", {"Title": "Buyer"}, now={"Title": "CEO"}), "Title is 'CEO'"),
        (Story("create", {"Title": "Buyer"}, now={}, by=ADA), "Ada L. has changed it since"),
        (Story("create", {"Title": "Buyer"}, now={}, later="Q"), "plan Q has written it since"),
        (Story("create", {"Title": "Buyer"}, now={}, hung="2 Tasks"), "2 Tasks"),
        (Story("create", now={KEY: "p-2"}), "another key"),
        (Story("create", now={}, converted=True, object="Lead"), CONVERTED),
        (Story("adopt", {"Phone": "1"}, {"Phone": None}), "deleted since"),
        (Story("adopt", {"Phone": "1"}, {"Phone": None}, now={}, later="Q"), "plan Q"),
        (Story("update", {"Title": "B"}, {"Title": "A"}, now={"Title": "C"}), "has changed"),
        (Story("update", {"Title": "B"}, {"Title": "A"}), "deleted since"),
    ],
)
def test_what_others_have_touched_is_left_alone(undo: Undo, story: Story, why: str) -> None:
    row = undo(story)
    assert row["action"] == "hold"
    assert why in row["reason"]
    assert row["changed"] == []


def test_what_an_undo_put_back_is_no_later_change(undo: Undo) -> None:
    assert undo(Story("create", {"Title": "Buyer"}, now={}, later="U"))["action"] == "delete"


def test_a_changed_record_gets_its_values_back(undo: Undo) -> None:
    story = Story("move", {"Title": "B", "Phone": "2"}, {"Title": "A", "Phone": None}, now={})
    row = undo(story)
    assert (row["action"], sorted(row["changed"])) == ("restore", ["Phone", "Title"])
    assert (row["Title"], row["Phone"]) == ("A", None)
    assert dict(row["before"]) == {"Title": "B", "Phone": "2"}


def test_each_field_is_judged_alone(undo: Undo) -> None:
    row = undo(
        Story(
            "update",
            {"Title": "B", "Phone": "2"},
            {"Title": "A", "Phone": "1"},
            now={"Phone": "3"},
            by=ADA,
        )
    )
    assert (row["action"], row["changed"]) == ("restore", ["Title"])
    assert left_alone(row) == {"Phone": "changed since"}


def test_a_group_comes_back_as_one_block_or_not_at_all(undo: Undo) -> None:
    wrote: Values = {"MailingStreet": "2 High St", "MailingCity": "Aarhus", "Title": "B"}
    before: Values = {"MailingStreet": "1 Low St", "MailingCity": "Odense", "Title": "A"}
    row = undo(Story("update", wrote, before, now={"MailingCity": "Ribe"}, by=ADA))
    assert (row["action"], row["changed"]) == ("restore", ["Title"])
    assert left_alone(row) == {
        "MailingStreet": "another field of its group was changed since",
        "MailingCity": "changed since",
    }
    row = undo(Story("update", wrote, before, now={"Title": "C"}))
    assert row["changed"] == ["MailingStreet", "MailingCity"]


def test_a_field_that_a_later_plan_wrote_is_that_plans(undo: Undo) -> None:
    story = Story("update", {"Title": "B"}, {"Title": "A"}, now={"Title": "C"}, later="Q")
    assert left_alone(undo(story)) == {"Title": "plan Q has written it since"}


def test_an_adopted_record_loses_our_key_and_keeps_what_it_got_since(undo: Undo) -> None:
    story = Story(
        "adopt", {"Title": "B", "Phone": "2"}, {"Title": None, "Phone": None}, now={"Phone": "3"}
    )
    row = undo(story)
    assert (row["action"], row["changed"]) == ("clear_key", ["Title"])
    assert left_alone(row) == {"Phone": "changed since"}
    assert undo(Story("adopt", now={}))["action"] == "clear_key"


def test_nobody_is_ever_opted_in(undo: Undo) -> None:
    wrote: Values = {"HasOptedOutOfEmail": "true", "Title": "B"}
    story = Story("update", wrote, {"HasOptedOutOfEmail": "false", "Title": "A"}, now={})
    row = undo(story)
    assert row["changed"] == ["Title"]
    assert left_alone(row) == {"HasOptedOutOfEmail": OPTS_IN}
    back = undo(
        Story("update", {"HasOptedOutOfEmail": "false"}, {"HasOptedOutOfEmail": "true"}, now={})
    )
    assert back["changed"] == ["HasOptedOutOfEmail"]


def test_a_record_that_only_got_an_opt_out_is_left_alone_for_that(undo: Undo) -> None:
    wrote: Values = {"HasOptedOutOfEmail": "true"}
    row = undo(Story("update", wrote, {"HasOptedOutOfEmail": "false"}, now={}))
    assert (row["action"], row["reason"]) == ("hold", OPTS_IN)


def test_what_is_as_it_was_needs_no_undo(undo: Callable[[Story], Any]) -> None:
    assert undo(Story("update", {"Title": "B"}, {"Title": "A"}, now={"Title": "A"})) is None
    assert undo(Story("update", {"Title": "B"}, {"Title": "A"}, now={}, undone=["Title"])) is None
    assert undo(Story("create", {"Title": "B"}, now={}, undone=[None])) is None
    deleted = undo(Story("create", {"Title": "B"}))
    assert (deleted["action"], deleted["reason"]) == ("unchanged", "it is gone already")
