"""What the core is tested on: the shipped mappings, the fields of a real org, real DuckDB."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config import PROJECT
from pipelines.project import Project
from pipelines.sync.mapping.fields import OrgSchema, org_schema
from pipelines.sync.mapping.folder import read_mappings
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.policies import Policies, read_policies

HERE = Path(__file__).parent
PEOPLE = {
    **dict.fromkeys(
        (
            "person_key", "salutation", "first_name", "middle_name", "last_name", "suffix",
            "nickname", "title", "department", "company", "email", "phone", "mobile_phone", "fax",
            "home_phone", "lead_source",
            "website", "mailing_street", "mailing_city", "mailing_state", "mailing_postal_code",
            "mailing_country", "mailing_phone", "other_street", "other_city", "other_state",
            "other_postal_code", "other_country", "other_phone", "further_addresses",
            "newsletter", "note",
        ),
        "varchar",
    ),
    "birthdate": "date",
    "opted_out": "boolean",
    "is_customer": "boolean",
    "has_ordered": "boolean",
    "aliases": "varchar[]",
    "name_derived": "boolean",
    "as_of": "timestamp",
}  # fmt: skip
ACCOUNT_LINKS = dict.fromkeys(("person_key", "account_key", "rule", "name", "name_key"), "varchar")
ACCOUNTS = {
    **dict.fromkeys(
        (
            "account_key", "name", "phone", "fax", "website",
            "billing_street", "billing_city", "billing_state", "billing_postal_code",
            "billing_country", "shipping_street", "shipping_city", "shipping_state",
            "shipping_postal_code", "shipping_country", "rule",
        ),
        "varchar",
    ),
    "name_generated": "boolean",
    "members": "bigint",
    "aliases": "varchar[]",
    "as_of": "timestamp",
}  # fmt: skip


@pytest.fixture(scope="session")
def schema() -> OrgSchema:
    """``org_schema`` of an org with our key, from describes recorded in real orgs."""
    with (HERE / "org_schema.csv").open(encoding="utf-8", newline="") as file:
        return org_schema(map(_typed, csv.DictReader(file)))


@pytest.fixture(scope="session")
def mappings() -> dict[str, ObjectMapping]:
    """The mappings as they ship."""
    return read_mappings(PROJECT / "mappings", {})


@pytest.fixture(scope="session")
def policies() -> Policies:
    """The policies as they ship."""
    return read_policies(PROJECT / "mappings")


@pytest.fixture(scope="session")
def golden() -> dict[str, dict[str, str]]:
    """The columns of the golden relations and of what links them, with their types."""
    return {"people": PEOPLE, "account_links": ACCOUNT_LINKS, "accounts": ACCOUNTS}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB as the graph opens it, with the project's macros."""
    folder = tmp_path / "warehouse"
    with Project(folder, folder, folder).warehouse.connect() as connection:
        yield connection


@pytest.fixture
def fill(
    db: duckdb.DuckDBPyConnection,
) -> Callable[[str, dict[str, str], list[dict[str, Any]]], None]:
    """Makes a table of typed columns with the given rows; a value that is not given is null.

    With people come the links of those who have an ``account_key``.
    """

    def make(table: str, columns: dict[str, str], rows: list[dict[str, Any]]) -> None:
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        db.execute(f"create table {table} ({listed})")
        marks = ", ".join("?" for _ in columns)
        for row in rows:
            db.execute(f"insert into {table} values ({marks})", [row.get(name) for name in columns])
        if table == "people":
            make("account_links", ACCOUNT_LINKS, [row for row in rows if row.get("account_key")])

    return make


def _typed(row: dict[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = dict(row)
    for name, value in row.items():
        if value in ("true", "false"):
            typed[name] = value == "true"
    typed |= {name: int(row[name]) for name in ("length", "precision", "scale", "digits")}
    typed |= {
        name: row[name].split("|") if row[name] else []
        for name in ("picklist_values", "reference_to")
    }
    return typed
