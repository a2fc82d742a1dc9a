"""What is in force of an address, from rows in any order: a refusal is never lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.config import PROJECT
from pipelines.sync.identity.names import likeness
from pipelines.sync.state import sql

START = datetime(2026, 11, 1)
SAYING = ("out", "in", "pending", "unreadable", "none", "time")


@dataclass(frozen=True)
class Row:
    """A row with cells (what it says, its hour), its own hour, and whether it was rejected."""

    day: int
    source: str
    email: str
    cells: tuple[tuple[str, int | None], ...]
    hour: int | None
    rejected: bool = False


HOURS = st.none() | st.integers(0, 5)
ROWS = st.lists(
    st.builds(
        Row,
        st.integers(1, 3),
        st.sampled_from(["crm", "list"]),
        st.sampled_from(["a@x.example", "b@x.example"]),
        st.lists(st.tuples(st.sampled_from(SAYING), HOURS), min_size=1, max_size=3).map(tuple),
        HOURS,
        st.sampled_from([False, False, True]),
    ),
    max_size=6,
)


def at(hour: int | None) -> datetime | None:
    return None if hour is None else START + timedelta(hours=hour)


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect() as connection:
        connection.execute((PROJECT / "assets/macros.sql").read_text("utf-8"))
        connection.create_function(
            "name_likeness", likeness, 4 * ["VARCHAR"], "VARCHAR", null_handling="special"
        )
        connection.execute(sql("identity/macros"))
        connection.execute("create schema state")
        connection.execute(sql("state/tables"))
        connection.execute(
            "create temp table arrival (record ubigint, source varchar, source_id varchar,"
            " entity varchar, batch date, as_of timestamp, priority integer, parent ubigint,"
            " first_name varchar, last_name varchar, suffix varchar,"
            " keys struct(rule varchar, key ubigint)[], email varchar, said_by timestamp,"
            " consent struct(header varchar, value varchar, channels varchar[], says varchar,"
            ' "at" timestamp)[])'
        )
        connection.execute(sql("identity/rejected_statements"))
        connection.execute(sql("identity/statements"))
        yield connection


def in_force(connection: Any, rows: list[Row], days: list[int]) -> set[tuple[str, str, str]]:
    """(Source, address, what is in force) after the days have arrived in this order."""
    for table in ("record", "record_key", "statement"):
        connection.execute(f"delete from state.{table}")
    for day in days:
        batch = f"2026-11-{day:02}"
        connection.execute("set variable batch = ?::date", [batch])
        connection.execute("delete from arrival")
        connection.execute("delete from rejected_statements")
        for number, row in enumerate(rows):
            if row.day != day:
                continue
            cells = [
                {"header": "h", "value": "v", "channels": ["email"], "says": says, "at": at(hour)}
                for says, hour in row.cells
            ]
            if row.rejected:
                connection.execute(
                    "insert into rejected_statements values (?, ?::date, ?, ?, ?, ?, ?)",
                    [number, batch, row.source, str(number), row.email, at(row.hour), cells],
                )
                continue
            connection.execute(
                "insert into arrival by name select ?::ubigint as record, ? as source,"
                " ? as source_id, 'contact' as entity, ?::date as batch, ?::timestamp as as_of,"
                " 50 as priority, ? as email, ?::timestamp as said_by, ? as consent,"
                " [] as keys",
                [number, row.source, str(number), batch, START, row.email, at(row.hour), cells],
            )
        connection.execute(sql("identity/arrive"))
    found = connection.execute(
        "select source, address, says from statement_in_force"
        " join (values ('a@x.example'), ('b@x.example')) as known (address)"
        " on record_key('email', address) = about"
    ).fetchall()
    return set(found)


def expected(rows: list[Row]) -> set[tuple[str, str, str]]:
    """The rule of the design in plain words."""
    result = set()
    key = lambda row: (row.source, row.email)  # noqa: E731
    for (source, email), group in groupby(sorted(rows, key=key), key=key):
        outs, ins, is_open = [], [], False
        for row in group:
            says = [one for one, _ in row.cells]
            hours = {
                word: max(
                    (h for one, h in row.cells if one == word and h is not None), default=None
                )
                for word in SAYING
            }
            unclear = "pending" in says or "unreadable" in says
            is_open |= unclear and not row.rejected
            if "out" in says:
                when = hours["out"]
                if when is None:
                    when = hours["time"]
                if when is None and row.hour is not None:
                    when = max(h for h in (row.hour, hours["in"]) if h is not None)
                outs.append(when)
            yes = "in" in says or (hours["time"] is not None and "out" not in says)
            if yes and not unclear and not row.rejected:
                known = [h for h in (hours["in"], hours["time"]) if h is not None]
                ins.append(max(known, default=None))
        dated = [h for h in ins if h is not None]
        if outs and (None in outs or not dated or max(outs) >= max(dated)):
            result.add((source, email, "out"))
        elif ins:
            result.add((source, email, "in"))
        elif is_open:
            result.add((source, email, "open"))
    return result


LAW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@LAW
@given(ROWS, st.permutations([1, 2, 3]))
def test_the_newest_statement_of_each_source_and_address_counts(
    connection: Any, rows: list[Row], days: list[int]
) -> None:
    assert in_force(connection, rows, days) == expected(rows)


@LAW
@given(ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_files_and_days_says_nothing(
    connection: Any, orders: tuple[list[Row], list[Row]]
) -> None:
    before, after = orders
    assert in_force(connection, before, [1, 2, 3]) == in_force(connection, after, [3, 1, 2])


@LAW
@given(ROWS, st.sampled_from(["crm", "list"]), st.sampled_from(["in", "unreadable", "pending"]))
def test_what_has_no_time_turns_back_no_refusal(
    connection: Any, rows: list[Row], source: str, says: str
) -> None:
    later = Row(3, source, "a@x.example", ((says, None),), 5)
    refused = {one for one in in_force(connection, rows, [1, 2, 3]) if one[2] == "out"}
    assert refused <= in_force(connection, [*rows, later], [1, 2, 3])


@LAW
@given(ROWS, ROWS)
def test_no_source_turns_back_what_another_was_told(
    connection: Any, rows: list[Row], others: list[Row]
) -> None:
    own = [row for row in rows if row.source == "crm"]
    strangers = [row for row in others if row.source == "list"]
    refused = {one for one in in_force(connection, own, [1, 2, 3]) if one[2] == "out"}
    assert refused <= in_force(connection, [*own, *strangers], [1, 2, 3])
