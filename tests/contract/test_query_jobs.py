"""Bulk API 2.0 query jobs: whole results in pages that end in `null`."""

import csv
import io
import time
from typing import Any

import pytest


def run(rest: Any, soql: str, **spec: str) -> str:
    job = rest("POST", "jobs/query", json={"operation": "query", "query": soql} | spec)
    assert job.status_code == 200, job.text
    assert job.json()["state"] == "UploadComplete"
    path = f"jobs/query/{job.json()['id']}"
    while (info := rest("GET", path).json())["state"] in {"UploadComplete", "InProgress"}:
        time.sleep(0.02)
    assert info["state"] == "JobComplete", info
    return path


@pytest.mark.parametrize("most", [1, 7, 100, 1000])
def test_pages_hold_every_row_once(rest: Any, key: str, most: int) -> None:
    lines = "".join(f'{key},"line {n}\nnext ""line"""\n' for n in range(100))
    rest.ingest(f"Company,LastName\n{lines}", object="Lead", operation="insert")
    path = run(rest, f"SELECT LastName, Company FROM Lead WHERE Company = '{key}'")
    last_names: list[str] = []
    locator = ""
    while locator != "null":
        query = f"?maxRecords={most}" + (f"&locator={locator}" if locator else "")
        page = rest("GET", f"{path}/results{query}")
        rows = list(csv.DictReader(io.StringIO(page.content.decode(), newline="")))
        assert int(page.headers["Sforce-NumberOfRecords"]) == len(rows) <= most
        last_names += [row["LastName"] for row in rows]
        locator = page.headers["Sforce-Locator"]
    assert sorted(last_names) == sorted(f'line {n}\nnext "line"' for n in range(100))
    assert rest("GET", path).json()["numberRecordsProcessed"] == 100


def test_formats_and_an_empty_result(rest: Any, key: str) -> None:
    rest(
        "POST",
        "sobjects/Account",
        json={"Name": key, "AnnualRevenue": 1500, "BillingCity": "Köln"},
    )
    soql = "SELECT Name, AnnualRevenue, IsDeleted, Phone, CreatedDate, Owner.Name FROM Account"
    page = rest("GET", run(rest, f"{soql} WHERE Name = '{key}'") + "/results")
    assert page.headers["content-type"] == "text/csv"
    header, row = page.content.decode().splitlines()
    assert header == '"Name","AnnualRevenue","IsDeleted","Phone","CreatedDate","Owner.Name"'
    assert row.startswith(f'"{key}","1500.0","false","","')
    owner = rest("GET", "/services/oauth2/userinfo").json()["name"]
    assert row.endswith(f'.000Z","{owner}"')
    empty = rest("GET", run(rest, f"{soql} WHERE Name = '{key}-no'") + "/results")
    assert empty.text == header + "\n"
    assert empty.headers["Sforce-Locator"] == "null"
    tabbed = run(rest, f"{soql} WHERE Name = '{key}'", columnDelimiter="TAB", lineEnding="CRLF")
    assert b'"\t"' in rest("GET", f"{tabbed}/results").content
    assert rest("GET", f"{tabbed}/results").content.endswith(b"\r\n")


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT COUNT(Id) FROM Account GROUP BY Name",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT BillingAddress FROM Account",
        "SELECT Foo FROM Account",
        "SELECT",
    ],
)
def test_queries_that_cannot_be_jobs(rest: Any, soql: str) -> None:
    answer = rest("POST", "jobs/query", json={"operation": "query", "query": soql})
    assert answer.status_code == 400


def test_another_version_may_not_read(rest: Any) -> None:
    path = run(rest, "SELECT Id FROM Organization")
    assert rest.at("66.0")("GET", f"{path}/results").status_code == 409
    assert rest("GET", f"{path}/results?locator=!!").status_code == 400
    assert rest("DELETE", path).status_code == 204
    assert rest("GET", path).status_code == 404


def test_the_header_spells_names_as_the_api_does(rest: Any) -> None:
    path = run(rest, "SELECT id, LASTNAME, account.name, owner.ALIAS FROM contact LIMIT 1")
    answer = rest("GET", f"{path}/results")
    assert answer.text.split("\n")[0] == '"Id","LastName","Account.Name","Owner.Alias"'
    names = {name for name, _ in answer.raw.headers.items()}
    assert {"Content-Type", "Sforce-Locator", "Sforce-NumberOfRecords"} <= names
