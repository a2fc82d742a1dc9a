"""Laws of reading: what a declared style writes is read as that value, all else is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DATES = st.dates(date(1000, 1, 1), date(2999, 12, 31))
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NUMBERS = st.decimals(-(10**12), 10**12, places=2)
ORDERS = {True: "%d{0}%m{0}%Y", False: "%m{0}%d{0}%Y"}
laws = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(connection: Any, macro: str, text: str, *declared: object) -> Any:
    marks = ", ".join("?" for _ in declared)
    [(value,)] = connection.execute(f"select {macro}(?, {marks})", [text, *declared]).fetchall()
    return value


def written(number: Decimal, thousands: str, mark: str) -> str:
    return f"{number:,.2f}".translate(str.maketrans({",": thousands, ".": mark}))


@laws
@given(DATES, st.booleans(), st.sampled_from("/.-"), st.sampled_from(["", " 07:08", " 23:59:59"]))
def test_a_date_of_the_declared_order_is_that_date(
    connection: Any, day: date, day_first: bool, sign: str, time: str
) -> None:
    text = day.strftime(ORDERS[day_first].format(sign)) + time
    assert read(connection, "parse_date", text, day_first) == day
    undeclared = read(connection, "parse_date", text, None)
    if sign == ".":  # day first, where nobody says otherwise
        assert undeclared == (day if day_first else _turned(day))
    else:
        assert undeclared == (day if day.day > 12 or day.day == day.month else None)


def _turned(day: date) -> date | None:
    return date(day.year, day.day, day.month) if day.day <= 12 else None


@laws
@given(MOMENTS, OFFSETS, st.sampled_from(["T", " "]))
def test_a_date_is_what_is_written_and_a_moment_heeds_its_offset(
    connection: Any, moment: datetime, offset: timezone, between: str
) -> None:
    zoned = moment.replace(tzinfo=offset)
    text = zoned.isoformat(between)
    assert read(connection, "parse_date", text, None) == moment.date()
    instant = zoned.astimezone(UTC).replace(tzinfo=None)
    for zone in (None, "Europe/Berlin"):
        assert read(connection, "parse_timestamp", text, None, zone) == instant
    text = f"{moment.isoformat(between)}Z"
    assert read(connection, "parse_date", text, None) == moment.date()
    assert read(connection, "parse_timestamp", text, None, "Asia/Tokyo") == moment


@laws
@given(NUMBERS, st.booleans(), st.sampled_from(["", "$", "€ ", "USD ", "'"]))
def test_a_number_of_the_declared_style_is_that_number(
    connection: Any, number: Decimal, decimal_comma: bool, before: str
) -> None:
    marks = (".", ",") if decimal_comma else (",", ".")
    for thousands in (marks[0], " ", "\u00a0", "\u202f", ""):
        text = before + written(number, thousands, marks[1])
        assert read(connection, "parse_number", text, decimal_comma) == number
        # Two decimals leave no doubt; undeclared, it is the same.
        assert read(connection, "parse_number", text, None) == number


@laws
@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(",."))
def test_a_number_that_could_be_two_is_neither_until_it_is_declared(
    connection: Any, head: int, tail: int, sign: str
) -> None:
    text = f"{head}{sign}{tail:03}"
    assert read(connection, "parse_number", text, None) is None
    found = {read(connection, "parse_number", text, comma) for comma in (True, False)}
    assert found == {Decimal(head * 1000 + tail), Decimal(f"{head}.{tail:03}")}


@laws
@given(st.text(st.sampled_from("0123456789.,' -$€%()"), max_size=12), st.booleans())
def test_what_is_read_undeclared_is_read_so_by_some_style(
    connection: Any, text: str, decimal_comma: bool
) -> None:
    undeclared = read(connection, "parse_number", text, None)
    styles = {read(connection, "parse_number", text, comma) for comma in (True, False)} - {None}
    assert styles == ({undeclared} if undeclared is not None else styles)
    assert undeclared is not None or len(styles) != 1


@pytest.mark.parametrize("relation", ["stg_contacts", "stg_customers"])
def test_a_source_says_how_its_dates_are_written(stage: Any, relation: str) -> None:
    rows = [
        {"_source": source, "birthdate": "03/04/1980", "updated_at": "2026-07-03 10:00"}
        for source in ("bazaar", "shop")
    ]
    declared, undeclared = stage(relation, rows)
    assert (declared["birthdate"], undeclared["birthdate"]) == (date(1980, 4, 3), None)
    assert undeclared["birthdate_text"] == "03/04/1980"
    assert declared["updated_at"] == datetime(2026, 7, 3, 8)
    assert undeclared["updated_at"] == datetime(2026, 7, 3, 10)
