"""Bulk API 1.0, in XML, CSV and JSON, as CumulusCI and simple-salesforce load with it."""

import csv
import io
import json
from typing import Any

import pytest
import requests
from lxml import etree

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


def job_xml(**values: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f'<?xml version="1.0"?><jobInfo xmlns="{NAMESPACE}">{inner}</jobInfo>'


class Loader:
    def __init__(self, org: dict[str, Any]) -> None:
        self.org = org

    def __call__(
        self, method: str, path: str, body: str | bytes = "", kind: str = "application/xml"
    ) -> requests.Response:
        headers = {"X-SFDC-Session": self.org["access_token"], "Content-Type": kind}
        url = f"{self.org['http_url']}/services/async/67.0/job{path}"
        return requests.request(method, url, data=body, headers=headers, timeout=60)

    def text(self, answer: requests.Response, name: str) -> str:
        return str(etree.fromstring(answer.content).findtext(f".//{{*}}{name}"))


@pytest.fixture
def loader(org: dict[str, Any]) -> Loader:
    return Loader(org)


def test_an_upsert_answers_in_the_order_of_its_rows(loader: Loader, key: str) -> None:
    spec = {"operation": "upsert", "object": "Contact", "externalIdFieldName": "Causeway_Key__c"}
    created = loader("POST", "", job_xml(**spec, concurrencyMode="Parallel", contentType="CSV"))
    assert (created.status_code, created.headers["content-type"]) == (201, "application/xml")
    job = loader.text(created, "id")
    data = f'"Causeway_Key__c","LastName"\r\n"{key}-1","Ito"\r\n"{key}-2",""\r\n"{key}-3","Abe"\r\n'
    added = loader("POST", f"/{job}/batch", data)
    assert (added.status_code, loader.text(added, "state")) == (201, "Queued")
    batch = loader.text(added, "id")
    assert loader.text(loader("POST", f"/{job}", job_xml(state="Closed")), "state") == "Closed"
    info = loader("GET", f"/{job}/batch")
    assert loader.text(info, "state") == "Completed"
    assert loader.text(info, "numberRecordsFailed") == "1"
    result = loader("GET", f"/{job}/batch/{batch}/result").text
    rows = list(csv.DictReader(io.StringIO(result, newline="")))
    assert [(r["Success"], r["Created"]) for r in rows] == [
        ("true", "true"),
        ("false", "false"),
        ("true", "true"),
    ]
    assert rows[1]["Error"].startswith("REQUIRED_FIELD_MISSING:")


def test_queries(loader: Loader, rest: Any, key: str) -> None:
    rest("POST", "sobjects/Account", json={"Name": key})
    created = loader("POST", "", job_xml(operation="query", object="Account", contentType="CSV"))
    job = loader.text(created, "id")
    for name, expected in ((key, f'"Name"\n"{key}"\n'), ("no", "Records not found for this query")):
        soql = f"SELECT Name FROM Account WHERE Name = '{name}'"
        batch = loader.text(loader("POST", f"/{job}/batch", soql), "id")
        result = loader.text(loader("GET", f"/{job}/batch/{batch}/result"), "result")
        assert loader("GET", f"/{job}/batch/{batch}/result/{result}").text == expected


def test_json_in_and_json_out(loader: Loader, rest: Any, key: str) -> None:
    def ask(method: str, path: str, body: Any = None) -> Any:
        text = json.dumps(body) if body is not None and not isinstance(body, str) else body
        answer = loader(method, path, text or "", "application/json")
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    account = rest("POST", "sobjects/Account", json={"Name": key, "Causeway_Key__c": key}).json()
    spec = {"operation": "insert", "object": "Contact", "contentType": "JSON"}
    job = ask("POST", "", spec | {"concurrencyMode": 1})
    assert (job["state"], job["concurrencyMode"], job["apiVersion"]) == ("Open", "Serial", 67.0)
    rows = [
        {"LastName": key, "Birthdate": "1990-05-06", "Account": {"Causeway_Key__c": key}},
        {"FirstName": "nameless", "DoNotCall": True},
    ]
    batch = ask("POST", f"/{job['id']}/batch", rows)
    assert (batch["state"], batch["jobId"]) == ("Queued", job["id"])
    path = f"/{job['id']}/batch/{batch['id']}"
    good, bad = ask("GET", f"{path}/result")
    assert (good["success"], good["created"], good["errors"]) == (True, True, [])
    assert (bad["success"], bad["id"]) == (False, None)
    assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert ask("GET", f"{path}/request") == rows
    assert ask("GET", f"/{job['id']}/batch")["batchInfo"][0]["numberRecordsFailed"] == 1
    query = ask("POST", "", spec | {"operation": "query"})
    soql = f"SELECT Id, Account.Name FROM Contact WHERE LastName = '{key}'"
    batch = ask("POST", f"/{query['id']}/batch", soql)
    path = f"/{query['id']}/batch/{batch['id']}/result"
    records = ask("GET", f"{path}/{ask('GET', path)[0]}")
    assert [(r["Id"], r["Account"]["Name"]) for r in records] == [(good["id"], key)]
    deletion = ask("POST", "", spec | {"operation": "hardDelete", "object": "Account"})
    batch = ask("POST", f"/{deletion['id']}/batch", [{"Id": account["id"]}])
    assert ask("GET", f"/{deletion['id']}/batch/{batch['id']}/result")[0]["success"] is True


def test_a_job_ends_once(loader: Loader, key: str) -> None:
    job = loader.text(
        loader("POST", "", job_xml(operation="insert", object="Lead", contentType="CSV")), "id"
    )
    many = loader("POST", f"/{job}/batch", "LastName,Company\n" + "a,b\n" * 10_001)
    batch = loader.text(many, "id")
    info = loader("GET", f"/{job}/batch/{batch}")
    assert loader.text(info, "stateMessage").startswith("ExceededQuota")
    assert loader.text(loader("GET", f"/{job}/batch/{batch}/result"), "exceptionCode") == (
        "InvalidBatch"
    )
    assert loader.text(loader("POST", f"/{job}", job_xml(state="Aborted")), "state") == "Aborted"
    for late in (
        loader("POST", f"/{job}", job_xml(state="Closed")),
        loader("POST", f"/{job}/batch", f"LastName,Company\n{key},x\n"),
    ):
        assert (late.status_code, loader.text(late, "exceptionCode")) == (400, "InvalidJobState")


def test_refusals_are_xml(loader: Loader, org: dict[str, Any]) -> None:
    for body, code in (
        (job_xml(operation="insert", object="Banana"), "InvalidJob"),
        (job_xml(operation="juggle", object="Contact"), "InvalidJob"),
        (job_xml(operation="insert", object="Contact", contentType="XML"), "FeatureNotEnabled"),
        ("<broken", "InvalidJob"),
    ):
        assert loader.text(loader("POST", "", body), "exceptionCode") == code
    created = loader("POST", "", job_xml(operation="insert", object="Contact", contentType="CSV"))
    job = loader.text(created, "id")
    loader("POST", f"/{job}/batch", "Nope\nx\n")
    info = loader("GET", f"/{job}/batch")
    assert loader.text(info, "stateMessage") == "InvalidBatch : Field name not found : Nope"
    loader.org = org | {"access_token": "x"}
    assert loader.text(loader("GET", f"/{job}"), "exceptionCode") == "InvalidSessionId"
