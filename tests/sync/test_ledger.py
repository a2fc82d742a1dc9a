"""The laws of the ledger: the newest word counts, and keeping it tidy changes nothing it says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sync import ledger
from pipelines.sync.ledger import Ledger
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import Warehouse

FIELDS = ("LastName", "Title", "HasOptedOutOfEmail")
OPT_OUT = "HasOptedOutOfEmail"
PART = ObjectPlan(
    "contact",
    "Contact",
    "Causeway_Key__c",
    dict.fromkeys(FIELDS, "string"),
    {},
    None,
    {},
    "no payload",
)
KEYS = ("p-1", "p-2", "p-3")
WRITTEN = {"create": "created", "delete": "deleted"}

Row = dict[str, Any]
Entries = dict[tuple[str, str], tuple[str | None, str | None, str]]
"""(key, field) → sent, stored and the plan that wrote it."""


class Book:
    """A ledger in a folder of its own, and the plans that were written to it."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.ledger = Ledger(folder / "contact")
        self.connection = connection

    def write(self, plan_id: str, rows: list[Row]) -> Path | None:
        """Rows of ``key``, ``action``, ``outcome`` and ``values``, a mapping of what was sent."""
        fields = ", ".join(f'"{name}" varchar' for name in FIELDS)
        self.connection.execute(
            "create or replace temp table payload"
            f" (key varchar, action varchar, sf_id varchar, changed varchar[], {fields})"
        )
        self.connection.execute(
            "create or replace temp table outcomes"
            " (key varchar, outcome varchar, sf_id varchar, code varchar)"
        )
        for row in rows:
            values = [row["values"].get(name) for name in FIELDS]
            planned_row = [
                row["key"],
                row["action"],
                f"003-{row['key']}",
                [*row["values"]],
                *values,
            ]
            self.connection.execute("insert into payload values (?, ?, ?, ?, ?, ?, ?)", planned_row)
            outcome_row = [row["key"], row["outcome"], f"003-{row['key']}", row.get("code")]
            self.connection.execute("insert into outcomes values (?, ?, ?, ?)", outcome_row)
        return ledger.write(
            self.connection, self.ledger, plan_id, PART, payload="payload", outcomes="outcomes"
        )

    def store(self, plan_id: str, differing: dict[tuple[str, str], str | None]) -> None:
        """Reading a plan back found these values instead of what was sent."""
        self.connection.execute(
            "create or replace temp table differing (key varchar, field varchar, stored varchar)"
        )
        for (key, field), stored in differing.items():
            self.connection.execute("insert into differing values (?, ?, ?)", [key, field, stored])
        if segment := self.ledger.segment(plan_id, "contact"):  # it may have been folded
            ledger.store(self.connection, segment, plan_id, "differing")

    def read(self, keys: tuple[str, ...] = KEYS) -> Entries:
        """What the ledger says of some keys."""
        self.connection.execute("create or replace temp table requested (key varchar)")
        for key in keys:
            self.connection.execute("insert into requested values (?)", [key])
        query = f"select key, field, sent, stored, plan_id from ({self.ledger.sql('requested')})"
        rows = self.connection.execute(query).fetchall()
        assert len({row[:2] for row in rows}) == len(rows)
        return {(key, field): (sent, stored, plan) for key, field, sent, stored, plan in rows}


@pytest.fixture(scope="module")
def new_book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Book]]:
    """Makes empty ledgers on one connection."""
    home = tmp_path_factory.mktemp("ledgers")
    books: list[Path] = []
    with Warehouse(home).connect() as connection:

        def make() -> Book:
            for folder in books:
                shutil.rmtree(folder, ignore_errors=True)
            books.append(home / f"ledger-{len(books)}")
            return Book(books[-1], connection)

        yield make


def row(key: str, action: str = "update", outcome: str | None = None, **values: str | None) -> Row:
    """A row of a plan that the org took, unless ``outcome`` says otherwise."""
    result = outcome or WRITTEN.get(action, "updated")
    return {"key": key, "action": action, "outcome": result, "values": values}


TEXTS = st.sampled_from([None, "a", "B", "true", "false"])
ROWS = st.fixed_dictionaries(
    {
        "action": st.sampled_from(
            ["create", "adopt", "update", "move", "restore", "delete", "clear_key"]
        ),
        "outcome": st.sampled_from(
            ["created", "updated", "deleted", "unknown", "rejected", "held"]
        ),
        "values": st.dictionaries(st.sampled_from(FIELDS), TEXTS),
    }
)
PLANS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(KEYS), ROWS),
        st.dictionaries(st.tuples(st.sampled_from(KEYS), st.sampled_from(FIELDS)), TEXTS),
    ),
    max_size=6,
)


def expected_entries(
    plans: list[tuple[dict[str, Row], dict[tuple[str, str], str | None]]],
) -> Entries:
    """What a ledger must say, worked out one plan after the other."""
    entries: Entries = {}
    for number, (rows, differing) in enumerate(plans):
        for key, changed_row in rows.items():
            if changed_row["outcome"] in ("rejected", "held"):
                continue
            if changed_row["action"] in ("create", "adopt", "delete", "clear_key"):
                entries = {place: entry for place, entry in entries.items() if place[0] != key}
            if changed_row["action"] in ("delete", "clear_key"):
                continue
            for field, sent in changed_row["values"].items():
                stored = differing.get((key, field), sent)
                entries[key, field] = (sent, stored, f"plan-{number}")
                if field == OPT_OUT and (sent != "true" or changed_row["outcome"] == "unknown"):
                    del entries[key, field]
    return entries


def written(
    book: Book, plans: list[tuple[dict[str, Row], dict[tuple[str, str], str | None]]]
) -> None:
    """Write the plans and what was read back of each."""
    for number, (rows, differing) in enumerate(plans):
        book.write(
            f"plan-{number}", [changed_row | {"key": key} for key, changed_row in rows.items()]
        )
        book.store(f"plan-{number}", differing)


@settings(max_examples=40, deadline=None)
@given(plans=PLANS)
def test_the_newest_word_counts_and_folding_changes_nothing(
    new_book: Callable[[], Book], plans: list[Any]
) -> None:
    book = new_book()
    written(book, plans)
    expected = expected_entries(plans)
    assert book.read() == expected
    assert book.read(("p-2",)) == {
        place: entry for place, entry in expected.items() if place[0] == "p-2"
    }
    for _ in range(2):
        if book.ledger.segments():
            ledger.fold(book.connection, book.ledger)
            assert len(book.ledger.segments()) == len(book.ledger.corrections()) == 1
        assert book.read() == expected


@settings(max_examples=25, deadline=None)
@given(plans=PLANS, again=st.integers(0, 5))
def test_writing_a_segment_again_changes_nothing(
    new_book: Callable[[], Book], plans: list[Any], again: int
) -> None:
    book = new_book()
    written(book, plans)
    before, files = book.read(), book.ledger.segments()
    if again < len(plans):
        rows, differing = plans[again]
        book.write(
            f"plan-{again}", [changed_row | {"key": key} for key, changed_row in rows.items()]
        )
        book.store(f"plan-{again}", differing)
    assert (book.read(), book.ledger.segments()) == (before, files)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_plans_of_different_records_may_come_in_any_order(
    new_book: Callable[[], Book], data: st.DataObject
) -> None:
    rows = {key: data.draw(ROWS, label=key) for key in KEYS}
    forth, back = new_book(), None
    for key in KEYS:
        forth.write(f"plan-{key}", [rows[key] | {"key": key}])
    entries_forth = forth.read()
    back = new_book()
    for key in reversed(KEYS):
        back.write(f"plan-{key}", [rows[key] | {"key": key}])
    assert back.read() == entries_forth


def test_an_empty_ledger_says_nothing(new_book: Callable[[], Book]) -> None:
    assert new_book().read() == {}


def test_a_rejected_row_leaves_no_trace(new_book: Callable[[], Book]) -> None:
    book = new_book()
    assert book.write("one", [row("p-1", outcome="rejected", Title="x")]) is None
    assert book.ledger.segments() == []


def test_a_plan_is_unproven_until_it_was_read_back(new_book: Callable[[], Book]) -> None:
    book = new_book()
    book.write("2026-11-05-aa", [row("p-1", Title="buyer", LastName=None)])
    assert book.ledger.unproven() == [("2026-11-05-aa", "contact")]
    assert book.read()["p-1", "Title"] == ("buyer", "buyer", "2026-11-05-aa")
    book.store("2026-11-05-aa", {("p-1", "Title"): "BUYER"})
    assert book.ledger.unproven() == []
    assert book.read()["p-1", "Title"] == ("buyer", "BUYER", "2026-11-05-aa")
    assert book.read()["p-1", "LastName"] == (None, None, "2026-11-05-aa")
    book.write("2026-11-05-aa", [row("p-1", Title="buyer"), row("p-2", Title="clerk")])
    assert book.ledger.unproven() == [("2026-11-05-aa", "contact")]


def test_what_our_automation_changes_later_counts_as_stored(new_book: Callable[[], Book]) -> None:
    book = new_book()
    book.write("one", [row("p-1", Title="buyer")])
    book.store("one", {("p-1", "Title"): "Buyer"})
    for stored in ("BUYER", "BUYER!"):
        book.connection.execute(
            "create or replace temp table later as select 'one' as plan_id, 'p-1' as key,"
            " 'Title' as field, $1 as stored",
            [stored],
        )
        ledger.correct(book.connection, book.ledger, "later")
        assert book.read()["p-1", "Title"] == ("buyer", stored, "one")
    ledger.fold(book.connection, book.ledger)
    assert book.read()["p-1", "Title"] == ("buyer", "BUYER!", "one")


def test_only_our_own_opt_out_is_ours(new_book: Callable[[], Book]) -> None:
    book = new_book()
    opt_out = ("p-1", OPT_OUT)
    book.write("ours", [row("p-1", **{OPT_OUT: "true"})])
    assert opt_out in book.read()
    book.write("taken-back", [row("p-1", **{OPT_OUT: "false"})])
    assert opt_out not in book.read()
    book.write("ours-again", [row("p-1", **{OPT_OUT: "true"})])
    book.write("unknown", [row("p-1", outcome="unknown", **{OPT_OUT: "true"}, Title="x")])
    assert opt_out not in book.read()
    assert book.read()["p-1", "Title"] == ("x", "x", "unknown")


def test_a_record_made_anew_begins_anew(new_book: Callable[[], Book]) -> None:
    book = new_book()
    book.write("first", [row("p-1", "create", Title="x", LastName="y")])
    book.write("undone", [row("p-1", "delete")])
    assert book.read() == {}
    book.write("again", [row("p-1", "create", LastName="z")])
    assert book.read() == {("p-1", "LastName"): ("z", "z", "again")}


def test_many_segments_are_folded_as_they_are_written(new_book: Callable[[], Book]) -> None:
    book = new_book()
    for number in range(ledger.FOLD_ABOVE + 1):
        book.write(f"plan-{number}", [row("p-1", Title=str(number))])
        book.store(f"plan-{number}", {})
    assert len(book.ledger.segments()) == 2  # all before the last, and the last
    last = str(ledger.FOLD_ABOVE)
    assert book.read() == {("p-1", "Title"): (last, last, f"plan-{last}")}
