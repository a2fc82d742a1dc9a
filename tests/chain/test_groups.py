"""Shops export the numbers of customer groups; people write their names."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

DAY, NEXT = date(2026, 11, 5), date(2026, 11, 6)
SOURCES = """
sources:
  shop:
    preset: magento_customer
    groups: {1: General, 2: Wholesale}
  orders: {preset: magento_order}
"""
COLUMNS = (
    "email,_website,_store,confirmation,created_at,created_in,disable_auto_group_change,dob,"
    "firstname,gender,group_id,lastname,middlename,password_hash,prefix,rp_token,"
    "rp_token_created_at,store_id,suffix,taxvat,website_id,password"
)


def customers(*rows: tuple[str, str]) -> str:
    """A file of customers by first name and group."""
    lines = [COLUMNS]
    for name, group in rows:
        values = {
            "email": f"{name.lower()}@shop.example",
            "_website": "base",
            "_store": "default",
            "created_at": "2026-11-01 10:00:00",
            "created_in": "Default Store View",
            "firstname": name,
            "lastname": "Buyer",
            "group_id": group,
            "store_id": "1",
            "website_id": "1",
        }
        lines.append(",".join(values.get(column, "") for column in COLUMNS.split(",")))
    return "\n".join(lines) + "\n"


def chosen(chain: Any, groups: str) -> None:
    path = chain.mappings / "policies.yaml"
    path.write_text(path.read_text().replace("  groups: all  ", f"  groups: {groups}  "))


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    made = make_chain(SOURCES)
    chosen(made, "[Wholesale]")
    path = made.mappings / "contact.yaml"
    path.write_text(path.read_text().replace("{from: department,", "{from: customer_group,"))
    made.put("shop", DAY, "customer.csv", customers(("Ann", "1"), ("Wim", "2"), ("Odd", "7")))
    return made.done(DAY)


def test_policies_and_mappings_know_a_group_by_its_name(chain: Any) -> None:
    [wim] = chain.records("Contact", "FirstName", "Department")
    assert (wim["FirstName"], wim["Department"]) == ("Wim", "Wholesale")
    reasons = {row["reason"] for row in chain.read("routes", DAY) if row["sobject"] is None}
    assert "customer group General does not sync" in reasons


def test_a_number_without_a_name_is_told_with_its_file(chain: Any) -> None:
    told = f"shop: 1 customer in groups without a name here, 7 (first shop/{DAY}/customer.csv:4)"
    [problem] = json.loads(chain.causeway("status", "--json").stdout)["ungrouped"]
    assert problem["message"] == told
    assert problem["line"] == 5
    assert told in chain.causeway("status").stdout.replace("\n", " ")
    checked = json.loads(chain.causeway("check", "--json").stdout)
    assert told in [notice["message"] for notice in checked["notices"]]
    assert checked["problems"] == []


def test_a_name_that_is_given_later_reaches_whom_an_older_batch_brought(chain: Any) -> None:
    path = chain.mappings / "sources.yaml"
    path.write_text(path.read_text().replace("2: Wholesale}", "2: Wholesale, 7: Wholesale}"))
    chain.put("shop", NEXT, "customer.csv", customers(("New", "1")))
    chain.done(NEXT)
    assert {row["FirstName"] for row in chain.records("Contact", "FirstName")} == {"Wim", "Odd"}
    assert json.loads(chain.causeway("status", "--json").stdout)["ungrouped"] == []


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        ("[General, Wholsale]", "no source gives the group 'Wholsale'; did you mean 'Wholesale'?"),
        ("[2]", "no source gives the group '2'; write its name: Wholesale"),
    ],
)
def test_a_group_that_no_source_can_give_is_refused_with_its_line(
    make_chain: Any, groups: str, problem: str
) -> None:
    chain = make_chain(SOURCES)
    chosen(chain, groups)
    path = chain.mappings / "policies.yaml"
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if groups in text)
    checked = chain.causeway("check", "--json")
    assert checked.returncode == 2
    [found] = json.loads(checked.stdout)["problems"]
    assert (found["file"], found["line"]) == (str(path), line)
    assert problem in found["message"]
    chain.put("shop", DAY, "customer.csv", customers(("Ann", "1")))
    assert problem in str(chain.refused(DAY))


def test_groups_are_for_customers_and_orders(make_chain: Any) -> None:
    chain = make_chain(
        "sources:\n  crm: {entity: contacts, preset: generic, groups: {1: A}}\n", org=False
    )
    checked = chain.causeway("check", "--json")
    [found] = json.loads(checked.stdout)["problems"]
    assert found["line"] == 2
    assert "'groups' is for customers and orders" in found["message"]
