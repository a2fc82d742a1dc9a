"""Addresses in an org with State and Country picklists: what people write becomes codes."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.relations import MATCH
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.check import check_mappings
from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.fields import Field, OrgSchema
from pipelines.sync.mapping.folder import read_mappings
from pipelines.sync.mapping.model import ObjectMapping, read_mapping
from pipelines.sync.mapping.places import listed, places_sql, places_table
from pipelines.sync.mapping.policies import Addresses, Policies
from pipelines.sync.snapshot import fields_needed

Row = dict[str, Any]
GOLDEN = Path(__file__).parent / "golden"

COUNTRIES = {
    "CA": "Canada", "DE": "Germany", "GB": "United Kingdom", "MX": "Mexico",
    "PR": "Puerto Rico", "US": "United States",
}  # fmt: skip
STATES = [
    ("US", "CA", "California"),
    ("US", "DC", "District of Columbia"),
    ("US", "NY", "New York"),
    ("CA", "BC", "British Columbia"),
    ("MX", "BC", "Baja California"),
    ("MX", "AG", "Aguascalientes"),
]
"""Those of new orgs have states for ten countries; Mexico's codes are older than ISO's."""


def describe() -> Row:
    """As much of a describe as tells which countries and states there are."""
    order = list(COUNTRIES)

    def value(code: str, label: str, country: str | None = None) -> Row:
        bits = None
        if country is not None:
            bits = base64.b64encode(bytes([0x80 >> order.index(country)])).decode()
        return {"value": code, "label": label, "active": True, "validFor": bits}

    return {
        "name": "Contact",
        "fields": [
            {
                "name": "MailingStateCode",
                "controllerName": "MailingCountryCode",
                "picklistValues": [value(code, label, of) for of, code, label in STATES],
            },
            {
                "name": "MailingCountryCode",
                "controllerName": None,
                "picklistValues": [value(code, label) for code, label in COUNTRIES.items()],
            },
        ],
    }


@pytest.fixture(scope="module")
def coded(schema: OrgSchema) -> OrgSchema:
    """The recorded org with codes beside the texts of its addresses."""
    return {name: dict(_with_codes(fields)) for name, fields in schema.items()}


def _with_codes(fields: dict[str, Field]) -> Any:
    for name, field in fields.items():
        yield name, field
        if name.endswith(("State", "Country")):
            code = f"{name}Code"
            coded = replace(field, field=code, type="picklist", length=10)
            values = COUNTRIES if name.endswith("Country") else [code for _, code, _ in STATES]
            yield code, replace(coded, restricted_picklist=True, picklist_values=tuple(values))


@pytest.fixture
def place(
    db: duckdb.DuckDBPyConnection,
    fill: Callable[[str, dict[str, str], list[Row]], None],
    coded: OrgSchema,
    golden: dict[str, dict[str, str]],
) -> Callable[..., Row]:
    """The mailing address that the shipped mapping sends for a person, as a policy has it."""
    db.register("spelled_places", places_table(listed([describe()])))
    db.execute(f"create table org_place as {places_sql('spelled_places')}")
    mappings = fit(read_mappings(PROJECT / "mappings", {}), coded)
    for name, columns in fields_needed(mappings).items():
        fill(f"org_{name.lower()}", dict.fromkeys(columns, "varchar"), [])
    for name in mappings:
        fill(f"org_match_{name.lower()}", MATCH, [])
    keys = ("p-1", "p-2")  # two of one place
    routes = [{"entity_key": key, "sobject": "Contact"} for key in keys]
    fill("routes", dict.fromkeys((*routes[0], "excluded"), "varchar"), routes)
    fill("people", golden["people"], [{"person_key": key} for key in keys])

    def make(policy: Addresses | None = None, **parts: str) -> Row:
        changes = ", ".join(f"mailing_{part} = '{text}'" for part, text in parts.items())
        db.execute(f"update people set {changes}")
        policies = Policies(addresses=policy or Addresses())
        query = desired_sql(mappings["contact"], coded["Contact"], mappings, policies)
        row, other = db.sql(query).to_arrow_table().to_pylist()
        assert {row["key"], other["key"]} == set(keys)
        assert "MailingState" not in row
        assert "MailingCountry" not in row
        return row

    return make


@pytest.mark.parametrize(
    ("country", "state", "codes"),
    [
        ("United States", "California", ("US", "CA")),
        ("usa", "ca", ("US", "CA")),
        ("U.S.A.", "US-CA", ("US", "CA")),
        ("US", "Washington, D.C.", ("US", "DC")),
        ("", "New York", ("US", "NY")),
        ("", "", (None, None)),
        ("Canada", "British Columbia", ("CA", "BC")),
        ("CAN", "BC", ("CA", "BC")),
        ("México", "BC", ("MX", "BC")),
        ("MX", "AGU", ("MX", "AG")),
        ("England", "", ("GB", None)),
        ("Deutschland", "", ("DE", None)),
        ("US", "PR", ("PR", None)),
        ("", "Puerto Rico", ("PR", None)),
    ],
)
def test_what_people_write_becomes_codes(
    place: Callable[..., Row], country: str, state: str, codes: tuple[str | None, str | None]
) -> None:
    row = place(country=country, state=state)
    assert (row["MailingCountryCode"], row["MailingStateCode"]) == codes
    assert (row["_held"], row["_left_out"]) == (None, None)


BAVARIA = "MailingStateCode: the org lists no state Bavaria"
NOWHERE = "MailingCountryCode: the org lists no country Atlantis"


@pytest.mark.parametrize(
    ("policy", "parts", "sent", "held", "left_out"),
    [
        ({}, {"country": "Germany", "state": "Bavaria"}, ("Hof", None, "DE"), None, BAVARIA),
        ({"unknown_state": "append_to_city"}, {"country": "Germany", "state": "Bavaria"},
         ("Hof, Bavaria", None, "DE"), None, None),
        ({"unknown_state": "reject"}, {"country": "Germany", "state": "Bavaria"},
         ("Hof", None, "DE"), BAVARIA, None),
        ({}, {"country": "Atlantis"}, ("Hof", None, None), None, NOWHERE),
        ({"unknown_country": "reject"}, {"country": "Atlantis"},
         ("Hof", None, None), NOWHERE, None),
        ({}, {"state": "Bavaria"}, ("Hof", None, None), None, BAVARIA),
        ({"default_country": None}, {"state": "NY"}, ("Hof", None, None), None,
         "MailingStateCode: the org lists no state NY"),
        ({"default_country": "CA"}, {"state": "BC"}, ("Hof", "BC", "CA"), None, None),
    ],
)  # fmt: skip
def test_what_the_org_does_not_list_follows_the_policy(
    place: Callable[..., Row],
    policy: Row,
    parts: dict[str, str],
    sent: tuple[str | None, ...],
    held: str | None,
    left_out: str | None,
) -> None:
    row = place(Addresses(**policy), city="Hof", **parts)
    named = ("MailingCity", "MailingStateCode", "MailingCountryCode")
    assert tuple(row[name] for name in named) == sent
    assert (row["_held"], row["_left_out"]) == (held, left_out)


def test_a_mapping_fits_both_kinds_of_org(schema: OrgSchema, coded: OrgSchema) -> None:
    mappings = read_mappings(PROJECT / "mappings", {})
    labels = fit(mappings, schema)
    optional = {"MiddleName", "Suffix"}  # the template's org has them not
    for stem, mapping in mappings.items():
        without = optional if stem != "account" else set()
        assert set(labels[stem].enabled()) == set(mapping.enabled()) - without
    fitted = fit(mappings, coded)["contact"]
    assert "MailingStateCode" in fitted.enabled()
    assert "MailingState" not in fitted.enabled()
    written = mappings["contact"].line("fields", "MailingState")
    assert fitted.line("fields", "MailingStateCode") == written


def test_the_sql_for_codes_is_as_it_was_read_last(coded: OrgSchema) -> None:
    mappings = fit(read_mappings(PROJECT / "mappings", {}), coded)
    query = desired_sql(mappings["account"], coded["Account"], mappings, Policies())
    path = GOLDEN / "sf_account_with_codes.sql"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(query, encoding="utf-8")
    assert query == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("MailingState: mailing_state", "MailingStateCode means nothing without its country"),
        ("MailingCountryCode: mailing_country\n  MailingCountry: mailing_country",
         "MailingCountry and MailingCountryCode say the same; keep one"),
        ("MailingCountry: {from: mailing_country, translate: {x: United States}}", None),
        ("MailingCountry: {from: mailing_country, default: USA}", "'USA' is not in the list: CA"),
        ("MailingCountry: {from: mailing_country, default: US}", None),
    ],
)  # fmt: skip
def test_an_address_that_cannot_work(
    tmp_path: Path,
    mappings: dict[str, ObjectMapping],
    coded: OrgSchema,
    golden: dict[str, dict[str, str]],
    written: str,
    message: str | None,
) -> None:
    path = tmp_path / "contact.yaml"
    head = "object: Contact\nfrom: people\nkey: Causeway_Key__c\nfields:\n  LastName: last_name\n"
    path.write_text(f"{head}  {written}\n", encoding="utf-8")
    fitted = fit(mappings | {"contact": read_mapping(path, {})}, coded)
    problems = []
    try:
        check_mappings(fitted, coded, golden)
    except ConfigError as error:
        problems = error.problems
    assert [message in problem.message for problem in problems if message] == [True] * bool(message)
    assert {problem.line for problem in problems} <= {6, 7}
