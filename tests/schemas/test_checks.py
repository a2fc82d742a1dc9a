"""What the checks take and refuse, and that every engine reads their patterns alike."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from schemas import checks
from schemas.contacts import contacts
from schemas.customers import customer_addresses, customers
from schemas.orders import order_addresses, orders
from schemas.subscribers import subscribers

SCHEMAS = [contacts, customers, customer_addresses, subscribers, orders, order_addresses]


def passed(check: pa.Check, values: list[str | None]) -> list[str | None]:
    """The values that a check of one column lets through."""
    schema = pa.DataFrameSchema({"value": checks.text(check)})
    frame = pd.DataFrame({"value": pd.Series(values, dtype=checks.TEXT)})
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        [error] = errors.schema_errors
        refused = set(error.check_output.index[~error.check_output.astype(bool)])
        return [value for number, value in enumerate(values) if number not in refused]
    return values


def broken(schema: pa.DataFrameSchema, row: dict[str, Any]) -> set[str]:
    """The names of the rules that a single row breaks."""
    frame = pd.DataFrame(
        {
            name: pd.Series([row.get(name)], dtype=column.dtype.type)
            for name, column in schema.columns.items()
        }
    )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return {error.check.name for error in errors.schema_errors}
    return set()


@pytest.mark.parametrize(
    "address",
    [
        "jane@example.com",
        "jane.doe+news@mail.example.co.uk",
        "o'brien@example.ie",
        "jane..doe.@docomo.ne.jp",  # dots in a row and before the @ exist
        "!#$%&'*/=?^_+-`{|}~@example.org",
        "a@xn--bcher-kva.xn--p1ai",
        "a@1.2.museum",
        None,
    ],
)
def test_addresses_that_salesforce_takes(address: str | None) -> None:
    assert passed(checks.email(), [address]) == [address]


@pytest.mark.parametrize(
    "address",
    [
        "jane",
        "jane@",
        "@example.com",
        "jane@@example.com",
        "jane@example",
        ".jane@example.com",
        "jane doe@example.com",
        "jane@exa mple.com",
        "jane@-example.com",
        "jane@example-.com",
        "jane@example..com",
        "jane@example.c",
        "jane@example.123",
        "jane@example.com\n",
        "jane@example.com, joe@example.com",
        "jané@example.com",
        "jane@example.com.",
        "<jane@example.com>",
    ],
)
def test_addresses_that_salesforce_refuses(address: str) -> None:
    assert passed(checks.email(), [address]) == []


def test_phones_and_countries() -> None:
    phones = ["+49 (30) 123-45", "1-800-FLOWERS", "202.555.0100 x12", "ext. 4711", None]
    assert passed(checks.phone(), [*phones, "n/a", "123", "see web"]) == phones
    countries = ["US", "United States", "Côte d'Ivoire", "中国", "Congo (Kinshasa)", None]
    assert passed(checks.country(), [*countries, "94105", "X", "a@b.org", "US1", "--"]) == countries


def test_lengths_count_characters_not_bytes() -> None:
    assert passed(checks.at_most(3), ["äöü", "🎉🎉🎉", "abcd", None]) == ["äöü", "🎉🎉🎉", None]


@pytest.mark.parametrize("pattern", [checks.EMAIL, checks.FOUR_DIGITS, checks.COUNTRY])
@settings(max_examples=200, deadline=None)
@given(value=st.text(alphabet="aZ9.@-+_ \n١é中'x", max_size=12))
def test_duckdb_reads_the_patterns_as_pandera_does(pattern: str, value: str) -> None:
    check = checks.matches("it", pattern, "")
    [(matches,)] = duckdb.execute("select regexp_matches($1, $2)", [value, pattern]).fetchall()
    assert (passed(check, [value]) == [value]) is matches


def test_no_pattern_needs_more_than_re2() -> None:
    for pattern in (checks.EMAIL, checks.FOUR_DIGITS, checks.COUNTRY):
        assert not re.search(r"\(\?[=!<]|\\[1-9dws]", pattern), pattern


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_every_rule_says_what_people_need(schema: pa.DataFrameSchema) -> None:
    rules = [
        (check, check.statistics["field"] or name)
        for name, column in schema.columns.items()
        for check in column.checks
    ] + [(check, check.statistics["field"]) for check in schema.checks]
    for check, field in rules:
        assert check.title in {checks.MANDATORY, checks.FORMAT}
        assert check.statistics["severity"] in {checks.ERROR, checks.WARNING}
        assert check.error
        assert field in schema.columns
    names = [(check.name, field) for check, field in rules]
    assert len(set(names)) == len(names)


GOOD: list[tuple[pa.DataFrameSchema, dict[str, Any]]] = [
    (contacts, {"last_name": "Doe"}),
    (contacts, {"parent_id": "c1", "city": "Rome"}),
    (customers, {"email": "a@x.org"}),
    (customer_addresses, {"customer_source_id": "7", "city": "Rome"}),
    (subscribers, {"email": "a@x.org", "status": "subscribed", "status_text": "1"}),
    (orders, {"source_id": "1", "state": "new", "email": "a@x.org"}),
    (
        order_addresses,
        {
            "order_source_id": "1",
            "address_type": "billing",
            "address_type_text": "billing",
            "city": "Rome",
        },
    ),
]


@pytest.mark.parametrize(("schema", "row"), GOOD)
def test_the_least_that_is_valid(schema: pa.DataFrameSchema, row: dict[str, Any]) -> None:
    assert broken(schema, row) == set()


@pytest.mark.parametrize(
    ("schema", "change", "names"),
    [
        (contacts, {"last_name": None}, {"last_name_present"}),
        (contacts, {"parent_id": "c1"}, {"address_present"}),
        (contacts, {"birthdate_text": "soon"}, {"birthdate_readable"}),
        (contacts, {"email": "a" * 75 + "@x.org"}, {"at_most_80"}),
        (contacts, {"postal_code": "1" * 21, "website": "w" * 256}, {"at_most_20", "at_most_255"}),
        (customers, {"email": None}, {"email_present"}),
        (customers, {"created_at_text": "x"}, {"created_at_readable"}),
        (customer_addresses, {"customer_source_id": None}, {"customer_source_id_present"}),
        (customer_addresses, {"city": None}, {"address_present"}),
        (
            customer_addresses,
            {"is_default_billing_text": "perhaps"},
            {"is_default_billing_readable"},
        ),
        (subscribers, {"status": None, "status_text": "0"}, {"status_readable"}),
        (subscribers, {"status": None, "status_text": None}, {"status_present"}),
        (orders, {"source_id": None, "state": None}, {"source_id_present", "state_present"}),
        (orders, {"email": None}, {"buyer_present"}),
        (orders, {"grand_total_text": "free"}, {"grand_total_readable"}),
        (orders, {"currency": "US$"}, {"currency_format"}),
        (order_addresses, {"address_type": None}, {"address_type_readable"}),
    ],
)
def test_what_a_change_breaks(
    schema: pa.DataFrameSchema, change: dict[str, Any], names: set[str]
) -> None:
    least = next(row for good, row in GOOD if good is schema)
    assert broken(schema, least | change) == names
