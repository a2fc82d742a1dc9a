"""What was undone is named by the values that were wanted, so that a new value is a new start."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.sync.undo import UNDONE, digest_sql, undone_path, undone_sql

TYPES = {"LastName": "string", "Title": "string", "AccountId": "reference"}


@pytest.fixture
def digest(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Name of a row → its digest."""
    db.execute(
        "create table wanted as select * from (values"
        " ('first', 'Hale', 'Buyer', '@account:a-1'),"
        " ('parent is there', 'Hale', 'Buyer', '001A'),"
        " ('no title', 'Hale', null, '001A'),"
        " ('moved title', 'Buyer', 'Hale', '001A')"
        ') as _(name, "LastName", "Title", "AccountId")'
    )
    rows = db.execute(f"select name, {digest_sql(TYPES, 'wanted')} from wanted").fetchall()
    return dict(rows)


def test_only_a_value_of_ours_changes_the_digest(digest: dict[str, str]) -> None:
    assert digest["first"] == digest["parent is there"]
    assert len(set(digest.values())) == 3


def test_a_newly_mapped_blank_is_no_new_value(
    db: duckdb.DuckDBPyConnection, digest: dict[str, str]
) -> None:
    more = dict(reversed(TYPES.items())) | {"Fax": "phone"}
    [(again,)] = db.execute(
        f'select {digest_sql(more, "wide")} from (select *, null::varchar as "Fax" from wanted)'
        " as wide where name = 'first'"
    ).fetchall()
    assert again == digest["first"]


def test_nothing_undone_is_an_empty_relation(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert db.execute(undone_sql(tmp_path, "Contact")).fetchall() == []


def test_each_object_has_its_own(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in UNDONE.items())
    db.execute(f"create table undone ({columns})")
    for object_name in ("Contact", "Lead"):
        db.execute(
            "insert into undone values ($1, 'p-1', 'Title', 'Buyer', 'a plan', now())",
            [object_name],
        )
    db.execute(f"copy undone to '{undone_path(tmp_path)}' (format parquet)")
    rows = db.execute(undone_sql(tmp_path, "Lead")).fetchall()
    assert rows == [("p-1", "Title", "Buyer", "a plan")]
