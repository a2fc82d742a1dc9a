"""The org's CSV pages as relations: every character as it was, whatever it is."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sync.mapping.fields import Field, org_schema, schema_rows, schema_table
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.snapshot import fields_needed, snapshot_soql, snapshot_sql

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def page(path: Path, rows: list[list[str]]) -> Path:
    """A page as Salesforce writes it: everything quoted, line feeds."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return path


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells), max_size=20))
def test_pages_are_read_byte_for_byte(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    numbered = [[str(at), *row] for at, row in enumerate(rows)]
    half = len(numbered) // 2
    header = ["Id", "Name", "Description"]
    pages = [
        page(tmp_path / "1.csv", [header, *numbered[:half]]),
        page(tmp_path / "2.csv", [header, *numbered[half:]]),
    ]
    query = snapshot_sql(["Description", "Id", "Name"], pages)
    with duckdb.connect() as connection:
        read = connection.execute(f'from ({query}) order by cast("Id" as int)').fetchall()
    assert read == [(text or None, at, name or None) for at, name, text in numbered]


def test_an_empty_result_is_a_page_with_a_header(tmp_path: Path) -> None:
    query = snapshot_sql(["Id"], [page(tmp_path / "1.csv", [["Id"]])])
    with duckdb.connect() as connection:
        assert connection.execute(query).fetchall() == []


def test_only_what_mapping_and_matching_need_is_asked_for(
    mappings: dict[str, ObjectMapping],
) -> None:
    needed = fields_needed(mappings)
    assert list(needed) == ["Account", "Contact", "Lead", "User"]
    assert {"Id", "Causeway_Key__c", "Email", "AccountId", "FirstName"} <= set(needed["Contact"])
    assert {"IsConverted", "ConvertedContactId"} <= set(needed["Lead"])
    assert "OwnerId" not in needed["Contact"]  # mapped, but switched off
    assert all(len(fields) == len(set(fields)) for fields in needed.values())
    assert snapshot_soql("User", needed["User"]) == (
        "select Id, Username, Name, IsActive, SystemModstamp from User"
    )


def test_a_describe_becomes_rows_and_comes_back_as_fields() -> None:
    described = {
        "name": "Lead",
        "fields": [
            {
                "name": "Status", "label": "Lead Status", "type": "picklist", "length": 255,
                "nillable": False, "createable": True, "updateable": True,
                "defaultedOnCreate": True, "restrictedPicklist": True,
                "picklistValues": [
                    {"value": "Open", "active": True}, {"value": "Old", "active": False},
                ],
                "referenceTo": [],
            }
        ],
    }  # fmt: skip
    expected = Field(
        object="Lead", field="Status", label="Lead Status", type="picklist", length=255,
        nillable=False, defaulted_on_create=True, restricted_picklist=True,
        picklist_values=["Open"], reference_to=[],
    )  # fmt: skip
    assert org_schema(schema_rows(described)) == {"Lead": {"Status": expected}}
    assert org_schema(schema_table(schema_rows(described)).to_pylist()) == {
        "Lead": {"Status": expected}
    }
    assert not expected.required
