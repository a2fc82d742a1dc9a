"""simple-salesforce, unmodified, works with the local org as with any other."""

from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
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
    created = sf.Account.create({"Name": "Acme & Söhne", "NumberOfEmployees": 12})
    assert created["success"] is True
    account = sf.Account.get(created["id"])
    assert (account["Name"], account["NumberOfEmployees"]) == ("Acme & Söhne", 12)
    assert sf.Account.update(created["id"], {"Phone": "030 1"}) == 204
    assert sf.Account.get(created["id"])["Phone"] == "030 1"
    assert sf.Account.delete(created["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get(created["id"])


def test_upsert_by_external_id(sf: Salesforce, key: str) -> None:
    path = f"Causeway_Key__c/{key}"
    assert sf.Contact.upsert(path, {"LastName": "Ito"}) == 201
    assert sf.Contact.upsert(path, {"FirstName": "Mei"}) == 200
    contact = sf.Contact.get_by_custom_id("Causeway_Key__c", key)
    assert contact["Name"] == "Mei Ito"


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
    answer = sf.query_all(f"SELECT Name FROM Lead WHERE Company = '{key}' ORDER BY Name")
    assert answer["totalSize"] == 2500
    assert [r["Name"] for r in answer["records"]] == [r["LastName"] for r in records]


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


def test_queries_by_iterator(sf: Salesforce, key: str) -> None:
    sf.bulk2.Lead.insert(
        records=[{"LastName": f"{n}", "Company": key} for n in range(2100)], wait=0.05
    )
    soql = f"SELECT Id FROM Lead WHERE Company = '{key}'"
    assert len({lead["Id"] for lead in sf.query_all_iter(soql)}) == 2100
    first = sf.query(soql)
    assert (len(first["records"]), first["done"]) == (2000, False)
    rest = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert (len(rest["records"]), rest["done"]) == (100, True)
    assert sf.quick_search(key)["searchRecords"][0]["attributes"]["type"] == "Lead"


def test_bulk2_from_a_file(sf: Salesforce, key: str, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("Name,Causeway_Key__c\n" + "".join(f"{key},{key}-{n}\n" for n in range(300)))
    insertion = sf.bulk2.Account.insert(str(file), wait=0.05)
    assert insertion[0]["numberRecordsProcessed"] == 300
    ids = [row["Id"] for row in sf.query(f"SELECT Id FROM Account WHERE Name = '{key}'")["records"]]
    changed = sf.bulk2.Account.update(
        records=[{"Id": id_, "Phone": "1"} for id_ in ids], wait=0.05, batch_size=200
    )
    assert [job["numberRecordsTotal"] for job in changed] == [200, 100]
    deletion = sf.bulk2.Account.delete(records=[{"Id": id_} for id_ in ids], wait=0.05)
    assert deletion[0]["numberRecordsFailed"] == 0


def test_bulk1(sf: Salesforce, key: str) -> None:
    rows = [{"LastName": "Doe", "Causeway_Key__c": f"{key}-{n}"} for n in range(250)]
    rows[3]["LastName"] = ""
    done = sf.bulk.Contact.upsert(rows, "Causeway_Key__c", batch_size=100, use_serial=True)
    assert [line["success"] for line in done].count(False) == 1
    assert done[3]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    soql = f"SELECT Id, LastName FROM Contact WHERE Causeway_Key__c LIKE '{key}-%'"
    contacts = sf.bulk.Contact.query(soql)
    assert len(contacts) == 249
    detailed = sf.bulk.Contact.update(
        [{"Id": contacts[0]["Id"], "Title": "Boss"}], include_detailed_results=True
    )
    assert detailed[0]["Title"] == "Boss"
    deletions = sf.bulk.Contact.hard_delete([{"Id": row["Id"]} for row in contacts])
    assert all(line["success"] for line in deletions)
    assert sf.bulk.Contact.query_all(soql) == []


def test_calls_without_a_method_of_their_own(sf: Salesforce, key: str) -> None:
    body = {"records": [{"attributes": {"type": "Account"}, "Name": key}]}
    results = sf.restful("composite/sobjects", method="POST", json=body)
    account = results[0]["id"]
    assert sf.Account.get(account, headers={"Sforce-Auto-Assign": "FALSE"})["Name"] == key
    assert account in {record["Id"] for record in sf.Account.metadata()["recentItems"]}
    assert sf.search(f"FIND {{{key}}} RETURNING Account(Id)")["searchRecords"][0]["Id"] == account
    deleted = sf.Account.delete(account, raw_response=True)
    assert deleted.status_code == 204
    everything = sf.query(f"SELECT Id FROM Account WHERE Name = '{key}'", include_deleted=True)
    assert everything["totalSize"] == 1


def test_logins(org: dict[str, Any]) -> None:
    session = requests.Session()
    session.trust_env = False
    by_soap, host = SalesforceLogin(
        username=org["username"],
        password=org["password"],
        security_token=org["security_token"],
        scratch_url=org["http_url"],
        session=session,
    )
    assert host == org["http_url"].removeprefix("http://")
    session.verify = org["ca_file"]
    sf = Salesforce(session_id=by_soap, instance_url=org["https_url"], session=session)
    assert sf.is_sandbox() is True
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        SalesforceLogin(
            username=org["username"],
            password="wrong",
            security_token="",
            scratch_url=org["http_url"],
            session=session,
        )
    assert refused.value.code == "INVALID_LOGIN"
    for more in (
        {"username": org["username"], "password": org["password"] + org["security_token"]},
        {},
    ):
        by_oauth = Salesforce(
            consumer_key=org["client_id"],
            consumer_secret=org["client_secret"],
            domain="acme.my",
            session=_at(org),
            **more,
        )
        assert by_oauth.limits()["DailyApiRequests"]["Max"] > 0


def _at(org: dict[str, Any]) -> requests.Session:
    """A session that reaches the org under any name: what /etc/hosts would do."""

    class Here(HTTPAdapter):
        def send(self, request: Any, *rest: Any, **options: Any) -> requests.Response:
            request.url = org["https_url"] + request.path_url
            return super().send(request, *rest, **options)

    session = requests.Session()
    session.trust_env = False
    session.verify = org["ca_file"]
    session.mount("https://", Here())
    return session


def test_describe_and_limits(sf: Salesforce) -> None:
    fields = {f["name"]: f for f in sf.Contact.describe()["fields"]}
    assert fields["Causeway_Key__c"]["externalId"] is True
    assert fields["LastName"]["nillable"] is False
    assert {o["name"] for o in sf.describe()["sobjects"]} >= {"Account", "Contact", "Lead", "User"}
    assert sf.limits()["DailyApiRequests"]["Remaining"] > 0
    assert sf.is_sandbox() is True
