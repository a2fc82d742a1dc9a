"""A bad value of an optional column costs the cell, and is kept with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.sources.relations import JUDGED
from pipelines.validate.judge import FORMAT
from pipelines.validate.judge import validate as judge
from pipelines.validate.rules import ENTITIES, all_rules

ADA = {"contact_id": "a", "last_name": "Okafor", "email": "ada@acme.example"}


def blanked(row: dict[str, Any]) -> dict[str, Any]:
    return {} if row["_blanked"] is None else json.loads(row["_blanked"])


@pytest.mark.parametrize(
    ("column", "bad", "why"),
    [
        ("phone", "call me", "phone_format"),
        ("phone", "000-000-0000", "phone_format"),
        ("phone", "4.15556E+11", "digits_lost"),
        ("mobile_phone", "n/a", "placeholder"),
        ("country", "12", "country_format"),
        ("birthdate", "31.02.1985", "birthdate_readable"),
        ("birthdate", "2999-01-01", "birthdate_not_in_future"),
        ("birthdate", "0/0/00", "placeholder"),
        ("updated_at", "soon", "updated_at_readable"),
        ("postal_code", "9" * 21, "at_most_20"),
        ("company", "N/A", "placeholder"),
        ("company", "Private", "placeholder"),
        ("city", "--", "placeholder"),
        ("title", "#REF!", "placeholder"),
        ("first_name", "\u200b", "invisible"),
    ],
)
def test_a_bad_optional_cell_is_left_out(home: Any, column: str, bad: str, why: str) -> None:
    home.judge("contacts", [{**ADA, column: bad}])
    [row] = home.read("valid_contacts")
    assert row["last_name"] == "Okafor"
    assert row[column] is None
    assert blanked(row) == {column: {"value": bad, "why": why}}


def test_what_identifies_costs_the_row_and_a_placeholder_is_no_address(home: Any) -> None:
    broken = {**ADA, "email": "a@@acme.example"}
    home.judge(
        "contacts", [broken, {"last_name": "Voss", "email": "none", "phone": "212 555 0101"}]
    )
    assert home.reasons("contacts") == {2: [(FORMAT, "email_format", "email")]}
    [row] = home.read("valid_contacts")
    assert row["email"] is None
    assert blanked(row) == {"email": {"value": "none", "why": "placeholder"}}


def test_a_row_that_had_nothing_else_is_rejected_for_what_it_misses(home: Any) -> None:
    home.judge("contacts", [{"contact_id": "a", "company": "Acme", "phone": "call me"}])
    assert home.valid("contacts") == []
    assert home.reasons("contacts") == {2: [("Mandatory Values", "last_name_present", "last_name")]}


def test_a_source_says_otherwise(home: Any) -> None:
    home.judge("contacts", [{**ADA, "phone": "call me"}, {**ADA, "contact_id": "b", "fax": "x"}])
    with home.warehouse.connect() as connection:
        connection.execute(
            "create temp table config_sources (source varchar, parent_source varchar)"
        )
        costs = {"list": {"phone": "reject"}}
        judge(home.warehouse, connection, "contacts", _day(), costs)
    assert home.valid("contacts") == [3]
    assert home.reasons("contacts") == {2: [(FORMAT, "phone_format", "phone")]}


def test_every_address_and_number_of_a_cell_is_kept(home: Any) -> None:
    extra = json.dumps({"Party": "Green", "email_2": "other@acme.example"})
    cells = {
        "email": "Ada Okafor <ada@acme.example>; ada@home.example",
        "phone": "+1 212 555 0101 (work) / +1 212 555 0102",
    }
    home.judge("contacts", [{**ADA, **cells, "_extra": extra}])
    [row] = home.read("valid_contacts")
    assert (row["email"], row["phone"]) == ("ada@acme.example", "+1 212 555 0101")
    assert json.loads(row["_extra"]) == {
        "Party": "Green",
        "email_2": "other@acme.example",
        "email_3": "ada@home.example",
        "phone_2": "+1 212 555 0102",
    }
    assert blanked(row) == {
        name: {"value": value, "why": "remark"} for name, value in cells.items()
    }


def test_decoded_text_and_text_that_may_be_decoded_wrongly_is_told(home: Any) -> None:
    home.judge("contacts", [{**ADA, "company": "Caf&eacute; &amp; Bar", "city": "MÃ¼nchen"}])
    [row] = home.read("valid_contacts")
    assert (row["company"], row["city"]) == ("Café & Bar", "MÃ¼nchen")
    assert {name: one["why"] for name, one in blanked(row).items()} == {
        "company": "entities",
        "city": "mojibake",
    }


@pytest.mark.parametrize("entity", ENTITIES)
def test_what_a_source_may_say_of_bad_values_is_what_the_rules_judge(entity: str) -> None:
    judged = {rule.field for rule in all_rules(entity) if rule.kind == FORMAT and not rule.warns}
    assert judged == set(JUDGED[f"raw_{entity}"])


def _day() -> Any:
    from datetime import date

    return date(2026, 11, 20)
