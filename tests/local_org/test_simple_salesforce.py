"""simple-salesforce, unmodified, works with the local org as with any other."""

from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)


@pytest.fixture
def sf(org: dict[str, Any]) -> Salesforce:
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
    session.verify = org["ca_file"]
    return Salesforce(
        session_id=org["access_token"], instance_url=org["https_url"], session=session
    )


def test_create_read_update_delete(sf: Salesforce, key: str) -> None:
    made = sf.Account.create({"Name": "Acme & Söhne", "NumberOfEmployees": 12})
    assert made["success"] is True
    account = sf.Account.get(made["id"])
    assert (account["Name"], account["NumberOfEmployees"]) == ("Acme & Söhne", 12)
    assert sf.Account.update(made["id"], {"Phone": "030 1"}) == 204
    assert sf.Account.get(made["id"])["Phone"] == "030 1"
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get(made["id"])


def test_upsert_by_external_id(sf: Salesforce, key: str) -> None:
    path = f"Causeway_Key__c/{key}"
    assert sf.Contact.upsert(path, {"LastName": "Ito"}) == 201
    assert sf.Contact.upsert(path, {"FirstName": "Mei"}) == 200
    found = sf.Contact.get_by_custom_id("Causeway_Key__c", key)
    assert found["Name"] == "Mei Ito"


def test_errors_are_salesforces(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Contact.create({"FirstName": "Mei"})
    assert refused.value.content == [
        {
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"],
        }
    ]


def test_query_and_query_all_pages(sf: Salesforce, key: str) -> None:
    records = [{"LastName": f"{key} {n:04}", "Company": key} for n in range(2500)]
    sf.bulk2.Lead.insert(records=records, wait=0.05)
    found = sf.query_all(f"SELECT Name FROM Lead WHERE Company = '{key}' ORDER BY Name")
    assert found["totalSize"] == 2500
    assert [r["Name"] for r in found["records"]] == [r["LastName"] for r in records]


def test_bulk2_upsert_and_results(sf: Salesforce, key: str) -> None:
    rows = [
        {"Causeway_Key__c": f"{key}-{n}", "LastName": "Doe", "Email": f"{n}@x.org"}
        for n in range(450)
    ]
    rows[7]["Email"] = "no address"
    results = sf.bulk2.Contact.upsert(records=rows, external_id_field="Causeway_Key__c", wait=0.05)
    assert results[0]["numberRecordsProcessed"] == 450
    assert results[0]["numberRecordsFailed"] == 1
    failed = sf.bulk2.Contact.get_failed_records(results[0]["job_id"])
    assert "INVALID_EMAIL_ADDRESS:Email: invalid email address: no address:Email --" in failed
    again = sf.bulk2.Contact.upsert(records=rows, external_id_field="Causeway_Key__c", wait=0.05)
    written = sf.bulk2.Contact.get_successful_records(again[0]["job_id"])
    assert '"true"' not in written


def test_bulk2_query(sf: Salesforce, key: str) -> None:
    sf.bulk2.Account.insert(records=[{"Name": f"{key} {n}"} for n in range(300)], wait=0.05)
    soql = f"SELECT Id, Name FROM Account WHERE Name LIKE '{key} %'"
    pages = list(sf.bulk2.Account.query(soql, max_records=100))
    assert len(pages) == 3
    assert all(page.startswith('"Id","Name"\n') for page in pages)


def test_describe_and_limits(sf: Salesforce) -> None:
    fields = {f["name"]: f for f in sf.Contact.describe()["fields"]}
    assert fields["Causeway_Key__c"]["externalId"] is True
    assert fields["LastName"]["nillable"] is False
    assert {o["name"] for o in sf.describe()["sobjects"]} >= {"Account", "Contact", "Lead", "User"}
    assert sf.limits()["DailyApiRequests"]["Remaining"] > 0
    assert sf.is_sandbox() is True
