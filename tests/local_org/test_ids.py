"""Ids: three extra characters that make case-sensitive ids safe, in Python and in SQL alike."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local_org import ids


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("0017e00001W4GYR", "0017e00001W4GYRAA3"),  # recorded from a real org
        ("012000000000000", "012000000000000AAA"),
    ],
)
def test_known_checksums(short: str, long: str) -> None:
    assert ids.to18(short) == long
    assert ids.to18(long) == long


@given(st.integers(0, 62**9 - 1))
def test_numbers_come_back_from_ids(number: int) -> None:
    assert ids.record_number(ids.record_id("003", "xQ", number)) == number


@settings(deadline=None)
@given(st.integers(0, 62**9 - 1 - 62**4), st.integers(1, 50))
def test_sql_and_python_make_the_same_ids(first: int, count: int) -> None:
    if count > ids.room(first):
        first += ids.room(first)
    sql = f"select {ids.record_id_sql('00Q', 'Zz', first, 'i')} from range({count}) t(i)"
    by_sql = [row[0] for row in duckdb.sql(sql).fetchall()]
    assert by_sql == [ids.record_id("00Q", "Zz", first + i) for i in range(count)]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.from_regex(r"[A-Za-z0-9]{15}", fullmatch=True), min_size=1))
def test_sql_makes_the_long_form(shorts: list[str]) -> None:
    sql = f"select {ids.to18_sql('short')} from (select unnest({shorts}) as short)"
    assert duckdb.sql(sql).fetchall() == [(ids.to18(short),) for short in shorts]
