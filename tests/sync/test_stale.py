"""Which rows have changed in the org since they were planned: field by field, never by a stamp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.sync.apply.payload import BARRED
from pipelines.sync.apply.stale import stale_sql, too_many, touched_sql
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.mapping.policies import Limit
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal

US, ADA = "005US", "005ADA"
KEY = "Causeway_Key__c"
FIELDS = ("Title", "Phone", "Email")
TEXTS = dict.fromkeys(FIELDS, "varchar")

Values = dict[str, str | None]
Fill = Callable[[str, dict[str, str], list[dict[str, Any]]], None]


@dataclass
class Row:
    """A planned row, and its record as it is now beside what it was."""

    action: str = "update"
    wants: Values = field(default_factory=lambda: {"Title": "B"})
    before: Values = field(default_factory=lambda: {"Title": "A"})
    now: Values | None = field(default_factory=dict)
    outcome: str | None = None
    object: str = "Lead"


@pytest.fixture
def stale(
    db: duckdb.DuckDBPyConnection, fill: Fill, schema: OrgSchema, tmp_path: Path
) -> Callable[[Row], str | None]:
    """What is said of a row; none when it may go."""

    def why(row: Row) -> str | None:
        for table in ("planned", "payload", "records"):
            db.execute(f"drop table if exists {table}")
        facts = {"key": "p-1", "action": row.action, "sf_id": "00QA"}
        facts["changed"] = [] if row.action == "delete" else [*row.wants]
        columns = dict.fromkeys(("key", "action", "sf_id"), "varchar") | {"changed": "varchar[]"}
        fill(
            "planned",
            columns | {"before": "map(varchar, varchar)"},
            [facts | {"before": row.before}],
        )
        planned = tmp_path / "lead.parquet"
        db.execute(f"copy planned to {literal(planned)} (format parquet)")
        fill(
            "payload",
            columns | TEXTS | {"_waits": "varchar", "_outcome": "varchar"},
            [facts | row.wants | {"_outcome": row.outcome}],
        )
        stored = {"Id": "00QA", "IsDeleted": "false", "IsConverted": "false", KEY: "p-1"}
        stored |= {"LastModifiedById": US, "SystemModstamp": "later than the plan"}
        records = [] if row.now is None else [stored | row.before | row.now]
        fill("records", dict.fromkeys(stored, "varchar") | TEXTS, records)
        counts = {row.action: 1}
        part = ObjectPlan(
            row.object.lower(), row.object, KEY, dict.fromkeys(FIELDS, "string"), {}, None, counts,
            "",
        )  # fmt: skip
        touched = [name for [name] in db.execute(touched_sql(planned)).fetchall()]
        fields = {name: schema[row.object][name] for name in FIELDS if name in touched}
        query = stale_sql(part, fields, planned, "records", US)
        stale_rows = db.sql(query).to_arrow_table().to_pylist()
        assert all(set(stale_row) == set(BARRED) for stale_row in stale_rows)
        return stale_rows[0]["message"] if stale_rows else None

    return why


Stale = Callable[[Row], "str | None"]


@pytest.mark.parametrize(
    "row",
    [
        Row(),
        Row(now={"Phone": "1"}),  # no field of the plan
        Row(now={"Title": "B"}),  # half-finished work of our own, or the same wish
        Row(now={"LastModifiedById": ADA}),  # a stamp is no field
        Row(wants={"Email": "ada@x.de"}, before={"Email": "a@x.de"}, now={"Email": "A@X.de"}),
        Row(action="adopt", now={KEY: None}),
        Row(action="restore", now={KEY: None}),
        Row(action="delete", now={"Phone": "1"}),  # nothing that the undo knew of, and by us
        Row(action="delete", now=None),
        Row(action="delete", now={"IsDeleted": "true"}),
        Row(now={"Title": "C"}, outcome="rejected"),  # is not sent anyway
    ],
)
def test_what_may_go(stale: Stale, row: Row) -> None:
    assert stale(row) is None


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (Row(now={"Title": "C"}), "Title became C; it is planned anew"),
        (Row(now={"Title": None}), "Title became empty"),
        (Row(now=None), "it was deleted"),
        (Row(now={"IsDeleted": "true"}), "it was deleted"),
        (Row(now={"IsConverted": "true"}), "it was converted"),
        (Row(now={KEY: "p-2"}), "it carries the key p-2"),
        (Row(now={KEY: None}), "its key was removed"),
        (Row(action="adopt", now={KEY: "p-2"}), "it carries the key p-2"),
        (Row(action="restore", now={"Title": "C"}), "Title became C; it is left alone"),
        (Row(action="clear_key", now={KEY: "p-2"}), "it carries the key p-2"),
        (Row(action="delete", now={"Title": "C"}), "Title became C; it is left alone"),
        (Row(action="delete", now={"LastModifiedById": ADA}), "somebody else has changed it"),
        (Row(action="delete", now={"IsConverted": "true"}), "it was converted"),
    ],
)
def test_what_is_stale(stale: Stale, row: Row, why: str) -> None:
    message = stale(row)
    assert message is not None
    assert message.startswith("changed in the org since it was planned: ")
    assert why in message


def test_too_many_stale_rows_stop_all_of_them() -> None:
    limit = Limit(share=0.2, above=10)
    assert too_many(10, 20, limit, strict=False) is None
    assert too_many(11, 100, limit, strict=False) is None
    assert too_many(21, 100, limit, strict=False) == "guards.max_stale stops above 10 and 20%"
    assert too_many(21, 100, None, strict=False) is None
    assert too_many(1, 100, None, strict=True) == "--strict allows none"
    assert too_many(0, 100, limit, strict=True) is None
