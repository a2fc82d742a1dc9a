"""Laws of the wire and normal forms, on values nobody thought of."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import PROJECT
from pipelines.sync.mapping.fields import TEXT, WRITABLE, Field
from pipelines.sync.mapping.wire import differs_sql, normal_sql, wire_sql
from pipelines.warehouse import literal


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute((PROJECT / "assets" / "macros.sql").read_text(encoding="utf-8"))
        yield connection


def field(kind: str, **facts: int) -> Field:
    return Field(object="Contact", field="X__c", label="X", type=kind, **facts)  # type: ignore[arg-type]


def run(engine: duckdb.DuckDBPyConnection, sql: str, value: object) -> object:
    [(result,)] = engine.execute(f"select {sql} from (select $1 as x)", [value]).fetchall()
    return result


wires = st.sampled_from(
    ["", " ", "a", "A ", "a;b", "B;a", "1", "1.0", "+1 (202) 555-0100", "12025550100", "true",
     "False", "2026-01-02", "2026-01-02T00:00:00.000Z", "2026-01-02T01:00:00.000+0100",
     "0017e00001W4GYRAA3"]
)  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@settings(deadline=None)
@given(text=texts, kind=st.sampled_from(sorted(TEXT)))
def test_text_on_the_wire_is_stable_and_never_breaks_a_csv_line(
    engine: duckdb.DuckDBPyConnection, text: str, kind: str
) -> None:
    wired = run(engine, wire_sql(field(kind), "x"), text)
    assert wired != ""
    assert wired is None or ("\r" not in str(wired) and str(wired).strip(" \t\n") == wired)
    assert run(engine, wire_sql(field(kind), "x"), wired) == wired


@settings(deadline=None)
@given(text=texts, kind=st.sampled_from(sorted(TEXT)), blanks=st.text(" \t\r\n"))
def test_what_salesforce_does_to_text_is_no_change(
    engine: duckdb.DuckDBPyConnection, text: str, kind: str, blanks: str
) -> None:
    normal = normal_sql(field(kind), "x")
    stored = text.replace("\n", "\r\n") + blanks
    assert run(engine, normal, text) == run(engine, normal, stored)


@settings(deadline=None)
@given(
    number=st.decimals(-(10**9), 10**9, places=2), scale=st.integers(2, 6), zeros=st.integers(0, 4)
)
def test_numbers_are_plain_and_compare_by_value(
    engine: duckdb.DuckDBPyConnection, number: Decimal, scale: int, zeros: int
) -> None:
    money = field("currency", precision=18, scale=scale)
    wired = run(engine, wire_sql(money, "x"), f"{number:f}")
    assert Decimal(str(wired)) == number
    assert "E" not in str(wired)
    normal = normal_sql(money, "x")
    assert run(engine, normal, f"{number:f}" + "0" * zeros) == run(engine, normal, wired)


@pytest.mark.parametrize(
    ("kind", "value", "wired"),
    [
        ("int", "250", "250"),
        ("int", "many", None),
        ("boolean", "yes", "true"),
        ("boolean", "0", "false"),
        ("date", "2026-02-29", None),
        ("int", "1.5", None),
        ("double", "1,234", None),
        ("currency", "1.234,50 €", "1234.50"),
        ("boolean", "Ja", "true"),
        ("boolean", "2", None),
        ("date", "1990-05-01T23:30:00-05:00", "1990-05-01"),
        ("date", "03/04/1990", None),
        ("date", "0000-00-00", None),
        ("datetime", "2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("datetime", "2026-01-02T01:00:00+02:00", "2026-01-01T23:00:00.000Z"),
    ],
)
def test_values_by_type(
    engine: duckdb.DuckDBPyConnection, kind: str, value: str, wired: str | None
) -> None:
    assert run(engine, wire_sql(field(kind, precision=18, scale=2), "x"), value) == wired


def test_a_moment_without_an_offset_is_the_time_of_the_policy(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    text = wire_sql(field("datetime"), "x", "Europe/Berlin")
    assert run(engine, text, "2026-07-02 10:00") == "2026-07-02T08:00:00.000Z"
    typed = wire_sql(field("datetime"), "x::timestamp", "Europe/Berlin")  # ours are in UTC
    assert run(engine, typed, "2026-07-02 10:00") == "2026-07-02T10:00:00.000Z"


@settings(deadline=None)
@given(kind=st.sampled_from(sorted(WRITABLE)), value=st.none() | texts | wires)
def test_a_type_in_a_column_compares_as_a_type_that_is_known(
    engine: duckdb.DuckDBPyConnection, kind: str, value: str | None
) -> None:
    in_a_column = f"normal_value({literal(kind)}, x)"
    assert run(engine, in_a_column, value) == run(engine, normal_sql(field(kind), "x"), value)


@settings(deadline=None)
@given(kind=st.sampled_from(sorted(WRITABLE)), one=st.none() | wires, other=st.none() | wires)
def test_what_differs_is_what_is_not_the_same_in_its_normal_form(
    engine: duckdb.DuckDBPyConnection, kind: str, one: str | None, other: str | None
) -> None:
    normal = normal_sql(field(kind), "x")
    query = (
        f"select {differs_sql(field(kind), 'one', 'other')} from (select $1 as one, $2 as other)"
    )
    [(differs,)] = engine.execute(query, [one, other]).fetchall()
    assert differs is (run(engine, normal, one) != run(engine, normal, other))


@settings(deadline=None)
@given(text=texts, kind=st.sampled_from(sorted(TEXT)))
def test_accents_are_the_same_in_one_sign_or_two(
    engine: duckdb.DuckDBPyConnection, text: str, kind: str
) -> None:
    composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    wired = run(engine, wire_sql(field(kind), "x"), apart)
    assert wired == run(engine, wire_sql(field(kind), "x"), composed)
    assert wired is None or unicodedata.is_normalized("NFC", str(wired))
    assert run(engine, normal_sql(field(kind), "x"), apart) == run(
        engine, normal_sql(field(kind), "x"), composed
    )


parts = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=3), min_size=1)


@settings(deadline=None)
@given(chosen=parts, data=st.data())
def test_what_is_chosen_from_a_list_has_no_order_and_counts_once(
    engine: duckdb.DuckDBPyConnection, chosen: list[str], data: st.DataObject
) -> None:
    kind = field("multipicklist")
    again = data.draw(st.permutations([*chosen, *data.draw(st.lists(st.sampled_from(chosen)))]))
    one, other = "; ".join(chosen), " ;".join(again) + ";"
    assert run(engine, normal_sql(kind, "x"), one) == run(engine, normal_sql(kind, "x"), other)
    wired = str(run(engine, wire_sql(kind, "x"), other))
    assert run(engine, normal_sql(kind, "x"), wired) == run(engine, normal_sql(kind, "x"), one)
    sent = wired.split(";")
    assert sent == [part.strip() for part in sent]
    assert len({part.lower() for part in sent}) == len(sent)


def test_an_id_is_the_same_with_and_without_its_check_characters(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    normal = normal_sql(field("reference"), "x")
    ids = "0017e00001W4GYR", "0017e00001W4GYRAA3", "0017e00001W4gyr"
    short, long, other = (run(engine, normal, value) for value in ids)
    assert short == long != other
