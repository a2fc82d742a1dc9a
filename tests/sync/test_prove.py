"""Every value that was written is stored as sent, changed by somebody, or not stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.sync.automation import later_sql
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.sync.prove import (
    AS_SENT,
    BY_AUTOMATION,
    BY_OTHERS,
    NOT_STORED,
    RECORD,
    FieldProof,
    Proof,
    counts_sql,
    differing_sql,
    tally_sql,
)

FIELDS = ("Title", "Email", "Phone", "Birthdate", "HasOptedOutOfEmail")
KEY = "Causeway_Key__c"
US, ADA = "005US", "005ADA"

Fill = Callable[[str, dict[str, str], list[dict[str, Any]]], None]


@pytest.fixture
def judge(
    db: duckdb.DuckDBPyConnection, fill: Fill, schema: OrgSchema, tmp_path: Path
) -> Callable[..., dict[str, str]]:
    """Field → verdict of one record of which ``sent`` was written and ``held`` is there now."""

    def verdicts(
        sent: dict[str, str | None],
        held: dict[str, str | None] | None,
        *,
        action: str = "update",
        before: dict[str, str | None] | None = None,
        by: str = US,
    ) -> dict[str, str]:
        for table in ("segment", "planned", "records"):
            db.execute(f"drop table if exists {table}")
        wide = {f"sent_{name}": "varchar" for name in FIELDS}
        row = {f"sent_{name}": value for name, value in sent.items()}
        facts = {"key": "p-1", "sf_id": "003A", "action": action, "fields": [*sent]}
        columns = {"key": "varchar", "sf_id": "varchar", "action": "varchar", "fields": "varchar[]"}
        fill("segment", columns | wide, [facts | row])
        columns = {"key": "varchar", "action": "varchar", "before": "map(varchar, varchar)"}
        fill("planned", columns, [{"key": "p-1", "action": action, "before": before or {}}])
        texts = dict.fromkeys(("Id", "IsDeleted", "LastModifiedById", KEY, *FIELDS), "varchar")
        record = {"Id": "003A", "IsDeleted": "false", "LastModifiedById": by, KEY: "P-1"}
        fill("records", texts, [] if held is None else [record | held])
        paths = {name: tmp_path / f"{name}.parquet" for name in ("segment", "planned")}
        for name, path in paths.items():
            db.execute(f"copy {name} to '{path}' (format parquet)")
        part = ObjectPlan(
            "contact", "Contact", KEY, dict.fromkeys(FIELDS, "string"), {}, None, {}, ""
        )
        query = differing_sql(
            paths["segment"],
            paths["planned"],
            part,
            schema["Contact"],
            records="records",
            user_id=US,
        )
        db.execute(f"create or replace temp table differing as {query}")
        tally = db.execute(tally_sql("differing")).fetchall()
        counted = dict(db.execute(counts_sql(paths["segment"], part)).fetchall())
        verdict_of = dict(db.execute("select field, verdict from differing").fetchall())
        assert {row[0]: sum(row[1:4]) for row in tally} == dict.fromkeys(verdict_of, 1)
        return {field: verdict_of.get(field, AS_SENT) for field in counted}

    return verdicts


def test_what_means_the_same_is_as_sent(judge: Callable[..., dict[str, str]]) -> None:
    sent = {"Title": "Buyer ", "Email": "A@B.example", "Phone": "+1 415 555", "Birthdate": None}
    stored = {"Title": "Buyer", "Email": "a@b.example", "Phone": "+1415555"}
    assert set(judge(sent, stored).values()) == {AS_SENT}
    assert judge({"HasOptedOutOfEmail": None}, {"HasOptedOutOfEmail": "false"}) == {
        "HasOptedOutOfEmail": AS_SENT
    }


def test_what_the_org_makes_of_a_value(judge: Callable[..., dict[str, str]]) -> None:
    assert judge({"Title": "buyer"}, {"Title": "BUYER"}) == {"Title": BY_AUTOMATION}
    assert judge({"Title": None}, {"Title": "n/a"}) == {"Title": BY_AUTOMATION}
    # It was in capitals before: the automation did its work again.
    again = judge({"Title": "buyer"}, {"Title": "BUYER"}, before={"Title": "BUYER"})
    assert again == {"Title": BY_AUTOMATION}


def test_what_the_org_does_not_hold(judge: Callable[..., dict[str, str]]) -> None:
    assert judge({"Title": "buyer"}, {}) == {"Title": NOT_STORED}
    verdicts = judge({"Title": "buyer"}, {"Title": "clerk"}, before={"Title": "clerk"})
    assert verdicts == {"Title": NOT_STORED}
    assert judge({"Title": "buyer", "Phone": "1"}, None) == {
        "Title": NOT_STORED,
        "Phone": NOT_STORED,
    }
    assert judge({"Title": "buyer"}, {"IsDeleted": "true"}) == {"Title": NOT_STORED}


def test_what_another_user_made_of_it_is_no_automation(
    judge: Callable[..., dict[str, str]],
) -> None:
    assert judge({"Title": "buyer"}, {"Title": "Head"}, by=ADA) == {"Title": BY_OTHERS}
    assert judge({"Title": "buyer"}, {"Title": "buyer"}, by=ADA) == {"Title": AS_SENT}


def test_keys_and_deletes_are_proven_too(judge: Callable[..., dict[str, str]]) -> None:
    assert judge({}, {}, action="adopt") == {KEY: AS_SENT}
    assert judge({}, {KEY: None}, action="adopt") == {KEY: NOT_STORED}
    assert judge({}, {KEY: None}, action="clear_key") == {KEY: AS_SENT}
    assert judge({}, {}, action="clear_key") == {KEY: NOT_STORED}
    assert judge({}, None, action="delete") == {RECORD: AS_SENT}
    assert judge({}, {}, action="delete") == {RECORD: NOT_STORED}


def test_a_proof_tells_the_worst_first(tmp_path: Path) -> None:
    fields = (
        FieldProof("LastName", 20),
        FieldProof("Title", 20, by_automation=12, example=("buyer", "BUYER")),
        FieldProof("Fax", 2, by_others=1, not_stored=1, example=("1", None)),
    )
    proof = Proof("a plan", "Contact", fields, tmp_path)
    assert (proof.written, proof.as_sent, proof.not_stored) == (42, 28, 1)
    assert list(proof.sentences()) == [
        "Contact.Title: 12 values changed by the org after we wrote them, e.g. 'buyer' → 'BUYER'",
        "Contact.Fax: 1 value not stored, e.g. '1' → blank",
        "Contact.Fax: 1 value changed by somebody else since we wrote it",
    ]


LATER = [
    # what stood, what stands, who touched it before and after, whether it is the org's doing
    ("buyer", "BUYER", US, US, True),
    ("buyer", "BUYER", US, ADA, False),
    ("buyer", "BUYER", ADA, US, False),  # Ada has changed another field; whose this is, who knows
    ("drifted", "DRIFTED", US, US, False),  # it was not as we knew it
    ("buyer", "buyer ", US, US, False),
]


@pytest.mark.parametrize(("title_before", "title_after", "by_before", "by_after", "counts"), LATER)
def test_only_the_orgs_own_later_changes_count(
    db: duckdb.DuckDBPyConnection,
    fill: Fill,
    schema: OrgSchema,
    title_before: str,
    title_after: str,
    by_before: str,
    by_after: str,
    *,
    counts: bool,
) -> None:
    columns = dict.fromkeys(("Id", "LastModifiedById", KEY, "Title"), "varchar")
    for table, by, title in (("before", by_before, title_before), ("after", by_after, title_after)):
        row = {"Id": "003A", "LastModifiedById": by, KEY: "p-1", "Title": title}
        fill(table, columns, [row])
    entries = (
        "select 'p-1' as key, '003A' as sf_id, 'Title' as field, 'Buyer' as sent,"
        " 'buyer' as stored, true as proven, 'a plan' as plan_id"
    )
    fields = {"Title": schema["Contact"]["Title"]}
    later = db.execute(later_sql(fields, KEY, entries=entries, user_id=US)).fetchall()
    assert later == ([("a plan", "p-1", "003A", "Title", "Buyer", title_after)] if counts else [])
