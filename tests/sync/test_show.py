"""A saved plan: what it proves of itself, what it shows, and when a guard stops it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.errors import ConfigError, InternalError
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.policies import Guards
from pipelines.sync.plan.guards import blocked_by
from pipelines.sync.plan.row import ACTIONS
from pipelines.sync.plan.save import Origin, save_plan
from pipelines.sync.plan.saved import Plan, load_plan
from pipelines.sync.plan.show import FieldChange, rows, summary

ORIGIN = Origin("2026-11-05", "00D000000000001AAA", "ada@x.org", {"contact.yaml": "abc"})


@pytest.fixture
def relation(
    tmp_path: Path,
    db: duckdb.DuckDBPyConnection,
    schema: OrgSchema,
    mappings: dict[str, ObjectMapping],
) -> Path:
    """``plan_contact`` with one row of each kind."""
    path = tmp_path / "plan_contact.parquet"
    fields = [name for name in mappings["contact"].enabled() if name not in ("Title", "Email")]
    others = ", ".join(f'null::varchar as "{name}"' for name in fields)
    db.execute(
        f"""
        copy (
            select planned.*, told.*, {others}
            from (values
                ('p-1', 'create', null, null, ['Title'], map {{}}, [], 'CEO', null),
                ('p-2', 'update', '003B', null, ['Title', 'Email'],
                 map {{'Title': 'CTO', 'Email': null}}, [
                    {{'field': 'Title', 'decision': 'conflict_source', 'before': 'CTO',
                      'after': null, 'sent': 'CFO', 'why': 'both'}},
                    {{'field': 'Email', 'decision': 'fill', 'before': null,
                      'after': 'b@x.org', 'sent': null, 'why': 'blank'}}
                 ], null, 'b@x.org'),
                ('p-3', 'unchanged', '003C', null, []::varchar[], map {{}}, [
                    {{'field': 'Title', 'decision': 'drift_kept', 'before': 'CFO',
                      'after': 'CTO', 'sent': 'CTO', 'why': 'theirs'}}
                 ], 'CTO', null),
                ('p-4', 'hold', null, 'its Account waits', []::varchar[], map {{}}, [], 'COO', null)
            ) as planned (key, action, sf_id, reason, changed, before, fields, "Title", "Email")
            cross join (values ('touched', null, null, null)) as told (
                scope, forecast, forecast_code, forecast_message
            )
        ) to '{path}' (format parquet)
        """
    )
    return path


@pytest.fixture
def plan(
    tmp_path: Path, relation: Path, mappings: dict[str, ObjectMapping], schema: OrgSchema
) -> Plan:
    return save_plan(tmp_path / "home", ORIGIN, {"contact": relation}, mappings, schema)


def test_a_plan_comes_back_as_it_was_saved(tmp_path: Path, plan: Plan) -> None:
    assert load_plan(tmp_path / "home", plan.plan_id) == plan
    assert plan.plan_id == f"2026-11-05-{plan.sha256[:12]}"
    part = plan.objects["contact"]
    assert part.counts == {
        **{"create": 1, "adopt": 0, "undelete": 0, "update": 1, "move": 0, "reassign": 0},
        **{"unchanged": 1, "hold": 1, "skip": 0},
    }
    assert (part.key_field, part.types["Birthdate"]) == ("Causeway_Key__c", "date")
    assert part.references == {"AccountId": "Account"}


def test_a_plan_whose_header_speaks_of_objects_is_read_as_it_lies(plan: Plan) -> None:
    path = plan.folder / "header.json"
    header = json.loads(path.read_text(encoding="utf-8"))
    assert header["objects"]["contact"]["object"] == "Contact"
    sealed = {name: header[name] for name in header if name not in ("plan_id", "sha256")}
    sealed["objects"] = {"Contact": header["objects"]["contact"] | {"content": "older ones had it"}}
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=False)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    older = plan.folder.with_name(f"{plan.batch}-{sha256[:12]}")
    shutil.copytree(plan.folder, older)
    written = json.dumps(sealed | {"plan_id": older.name, "sha256": sha256})
    (older / "header.json").write_text(written, encoding="utf-8")
    loaded = load_plan(older.parent.parent, older.name)
    assert loaded.objects == plan.objects
    assert (older / "header.json").read_text(encoding="utf-8") == written


def test_a_relation_that_is_replaced_leaves_the_plan_alone(
    tmp_path: Path, relation: Path, plan: Plan
) -> None:
    newer = relation.with_suffix(".new")
    newer.write_bytes(b"another day")
    newer.replace(relation)
    assert load_plan(tmp_path / "home", plan.plan_id) == plan


def test_a_plan_that_is_not_there_names_those_that_are(tmp_path: Path, plan: Plan) -> None:
    with pytest.raises(ConfigError, match=f"there is no plan nine; the newest are: {plan.plan_id}"):
        load_plan(tmp_path / "home", "nine")


def test_one_key_twice_is_never_planned(
    tmp_path: Path,
    db: duckdb.DuckDBPyConnection,
    relation: Path,
    mappings: dict[str, ObjectMapping],
    schema: OrgSchema,
) -> None:
    twice = tmp_path / "twice.parquet"
    db.execute(
        f"copy (from '{relation}' union all by name select * replace ('P-1' as key) "
        f"from '{relation}' where key = 'p-1') to '{twice}' (format parquet)"
    )
    with pytest.raises(InternalError, match="1 keys stand more than once"):
        save_plan(tmp_path / "home", ORIGIN, {"contact": twice}, mappings, schema)
    assert list((tmp_path / "home" / "plans").iterdir()) == []


def test_the_summary_counts_actions_fields_and_holds(
    plan: Plan, db: duckdb.DuckDBPyConnection
) -> None:
    [contact] = summary(plan, db)
    assert contact.writes == 2
    assert list(contact.actions) == list(ACTIONS)
    assert contact.fields == {"Title": 2, "Email": 1}
    assert contact.holds == {"its Account waits": 1}
    assert contact.decisions == {"conflict_source": 1, "drift_kept": 1, "fill": 1}
    assert contact.scopes == {"touched": 3}


def test_rows_are_told_field_by_field(plan: Plan, db: duckdb.DuckDBPyConnection) -> None:
    create, update, unchanged, hold = rows(plan, "contact", db)
    assert create.said == (FieldChange("Title", "write", None, "CEO", None, None),)
    assert [(change.field, change.before, change.after) for change in update.said] == [
        ("Title", "CTO", None),
        ("Email", None, "b@x.org"),
    ]
    assert (create.title, update.title) == ("p-1", "b@x.org")
    assert (hold.action, hold.reason, hold.said) == ("hold", "its Account waits", ())
    assert (unchanged.action, unchanged.said[0].decision) == ("unchanged", "drift_kept")


@pytest.mark.parametrize(
    ("which", "keys"),
    [
        ({"field": "Email"}, ["p-2"]),
        ({"field": "Fax"}, []),
        ({"limit": 1}, ["p-1"]),
        ({"only": "creates"}, ["p-1"]),
        ({"only": "conflicts"}, ["p-2"]),
        ({"only": "kept"}, ["p-3"]),
        ({"only": "holds"}, ["p-4"]),
        ({"only": "holds", "field": "Title"}, []),
        ({"only": "reviews"}, []),
        ({"only": "rejections"}, []),
    ],
)
def test_rows_can_be_narrowed(
    plan: Plan, db: duckdb.DuckDBPyConnection, which: dict[str, Any], keys: list[str]
) -> None:
    assert [row.key for row in rows(plan, "contact", db, **which)] == keys


@pytest.mark.parametrize(
    ("create", "adopt", "ours", "reasons"),
    [
        (10_000, 0, 0, 0),
        (500, 0, 10, 0),
        (501, 0, 10, 1),
        (501, 0, 10_000, 0),
        (2_001, 0, 10_000, 1),
        (2_001, 2_001, 10_000, 2),
    ],
)
def test_a_guard_looks_at_the_number_and_at_the_share(
    create: int, adopt: int, ours: int, reasons: int
) -> None:
    counts = {"Contact": {"create": create, "adopt": adopt}}
    assert len(blocked_by(counts, {"Contact": ours}, Guards())) == reasons


@pytest.mark.parametrize(
    ("update", "ours", "reasons"), [(500, 600, 0), (501, 1_002, 0), (502, 1_002, 1), (501, 0, 0)]
)
def test_half_of_all_records_are_not_updated_unseen(update: int, ours: int, reasons: int) -> None:
    assert len(blocked_by({"Lead": {"update": update}}, {"Lead": ours}, Guards())) == reasons


def test_the_first_load_may_be_guarded_too() -> None:
    guards = Guards.model_validate({"first_load": "guard"})
    [reason] = blocked_by({"Lead": {"create": 501, "adopt": 0}}, {"Lead": 0}, guards)
    assert reason.startswith("Lead: 501 to create, with 0 of ours in the org")
