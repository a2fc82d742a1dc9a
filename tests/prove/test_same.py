"""Two programs are held against each other by what they plan, not by Ids that an org has given."""

from __future__ import annotations

from pathlib import Path

import duckdb

from prove.random_batches import random_home
from prove.same import differences, kept


def _plan(home: Path, *rows: str, columns: str = "key, sf_id, title, account") -> Path:
    """A home that kept the plan of one batch, its rows as SQL."""
    folder = home / "kept" / "1"
    folder.mkdir(parents=True)
    query = f"select * from (values {', '.join(rows)}) as planned ({columns})"
    duckdb.execute(f"copy ({query}) to '{folder / 'plan_contact.parquet'}' (format parquet)")
    return home


def test_an_id_of_the_org_makes_no_difference(tmp_path: Path) -> None:
    one = _plan(tmp_path / "one", "('p-1', '003EH000000000AAAA', 'Buyer', '003EH000000000BAAA')")
    two = _plan(tmp_path / "two", "('p-1', '003EH000000000CAAA', 'Buyer', '003EH000000000BAAA')")
    assert list(differences(kept(one), kept(two))) == []


def test_a_difference_is_told_by_the_columns_that_differ(tmp_path: Path) -> None:
    one = _plan(tmp_path / "one", "('p-1', null, 'Buyer', 'a-1')", "('p-2', null, 'Cook', 'a-1')")
    two = _plan(tmp_path / "two", "('p-2', null, 'Chef', 'a-1')", "('p-1', null, 'Buyer', 'a-1')")
    assert list(differences(kept(one), kept(two))) == [
        "batch 1 plan_contact: 1 rows only here, 1 only there",
        '  here   {"key": "p-2", "title": "Cook"}',
        '  there  {"key": "p-2", "title": "Chef"}',
    ]


def test_the_order_of_columns_makes_none_and_a_new_column_is_told_once(tmp_path: Path) -> None:
    one = _plan(tmp_path / "one", "('p-1', null, 'Buyer', 'a-1')", "('p-2', null, 'Cook', 'a-1')")
    moved = "title, key, sf_id, account"
    two = _plan(
        tmp_path / "two",
        "('Buyer', 'p-1', null, 'a-1')",
        "('Cook', 'p-2', null, 'a-1')",
        columns=moved,
    )
    more = _plan(tmp_path / "more", "('Buyer', 'p-1', null, 'a-1', 7)", columns=f"{moved}, rank")
    assert list(differences(kept(one), kept(two))) == []
    assert list(differences(kept(two), kept(more))) == [
        "batch 1 plan_contact: columns only here [], only there ['rank']",
        "batch 1 plan_contact: 1 rows only here, 0 only there",
        '  here   {"account": "a-1", "key": "p-2", "title": "Cook"}',
    ]


def test_what_stopped_a_batch_makes_a_difference(tmp_path: Path) -> None:
    one, two = (_plan(tmp_path / name, "('p-1', null, 'Buyer', 'a-1')") for name in "ab")
    (one / "kept" / "1" / "error.json").write_text('{"error": "Busy: later"}')
    assert list(differences(kept(one), kept(two))) == [
        "batch 1 error: 1 rows only here, 0 only there",
        '  here   {"error": "Busy: later"}',
    ]


def test_a_seed_gives_the_same_home_always() -> None:
    assert random_home(3) == random_home(3)
    assert random_home(3) != random_home(4)
    assert all(batch.files for seed in range(20) for batch in random_home(seed)[1])
