"""Person accounts: an account that is a person, and the contact behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[Any]:
    setup = yaml.safe_load(TEMPLATE.read_text())
    setup["switches"]["person_accounts"] = True
    setup["record_types"] = [
        {"object": "Account", "developer_name": "PersonAccount", "name": "Person Account",
         "person": True},
        {"object": "Account", "developer_name": "Business", "name": "Business", "default": True},
    ]  # fmt: skip
    setup["fields"]["Contact"]["Shoe__c"] = {"label": "Shoe", "type": "Text", "length": 5}
    home = tmp_path_factory.mktemp("persons")
    (home / "org.yaml").write_text(yaml.safe_dump(setup))
    yield rest_of(control.start(home))
    control.stop(home)


@pytest.fixture(scope="module")
def kind(persons: Any) -> str:
    """The id of the person record type."""
    [row] = persons.query("SELECT Id FROM RecordType WHERE IsPersonType = true")
    return str(row["Id"])


@pytest.fixture
def ito(persons: Any, kind: str) -> str:
    values = {"RecordTypeId": kind, "FirstName": "Mei", "LastName": "Ito", "Shoe__pc": "38",
              "PersonEmail": "mei@example.com", "PersonMailingCountryCode": "JP",
              "Phone": "030 1"}  # fmt: skip
    created = persons("POST", "sobjects/Account", json=values)
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


def test_a_person_is_an_account_with_a_contact(persons: Any, ito: str) -> None:
    read = persons("GET", f"sobjects/Account/{ito}").json()
    assert (read["Name"], read["IsPersonAccount"], read["Shoe__pc"]) == ("Mei Ito", True, "38")
    behind = persons("GET", f"sobjects/Contact/{read['PersonContactId']}").json()
    names = ("Name", "AccountId", "Email", "Phone", "Shoe__c", "MailingCountry", "IsPersonAccount")
    assert [behind[name] for name in names] == [
        "Mei Ito", ito, "mei@example.com", "030 1", "38", "Japan", True,
    ]  # fmt: skip
    accounts = persons.query(f"SELECT PersonContact.Email FROM Account WHERE Id = '{ito}'")
    assert accounts[0]["PersonContact"]["Email"] == "mei@example.com"


def test_the_contact_follows_the_account(persons: Any, ito: str) -> None:
    changes = {"LastName": "Abe", "PersonEmail": None, "PersonDoNotCall": True}
    assert persons("PATCH", f"sobjects/Account/{ito}", json=changes).status_code == 204
    read = persons("GET", f"sobjects/Account/{ito}").json()
    behind = persons("GET", f"sobjects/Contact/{read['PersonContactId']}").json()
    assert read["Name"] == behind["Name"] == "Mei Abe"
    assert (behind["Email"], behind["DoNotCall"]) == (None, True)
    assert persons("DELETE", f"sobjects/Account/{ito}").status_code == 204
    assert persons("GET", f"sobjects/Contact/{behind['Id']}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"person": True, "Name": "Ito", "LastName": "Ito"}, "INVALID_FIELD_FOR_INSERT_UPDATE",
         "Unable to create/update fields: Name."),
        ({"person": True, "FirstName": "Mei"}, "REQUIRED_FIELD_MISSING",
         "Required fields are missing: [LastName]"),
        ({"FirstName": "Mei"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ({"Name": "Ito Ltd", "LastName": "Ito", "Shoe__pc": "38"},
         "INVALID_FIELD_FOR_INSERT_UPDATE",
         "Account: bad field names on insert/update call: LastName, Shoe__pc"),
    ],
)  # fmt: skip
def test_what_cannot_be(
    persons: Any, kind: str, fields: dict[str, Any], code: str, message: str
) -> None:
    values = {k: v for k, v in fields.items() if k != "person"}
    if "person" in fields:
        values["RecordTypeId"] = kind
    refused = persons("POST", "sobjects/Account", json=values)
    assert refused.status_code == 400
    assert code in {error["errorCode"] for error in refused.json()}
    assert any(message in error["message"] for error in refused.json())


def test_nobody_touches_the_contact_itself(persons: Any, ito: str) -> None:
    behind = persons("GET", f"sobjects/Account/{ito}").json()["PersonContactId"]
    changed = persons("PATCH", f"sobjects/Contact/{behind}", json={"Title": "x"}).json()
    assert changed[0]["message"] == "Account: bad field names on insert/update call: Title"
    deleted = persons("DELETE", f"sobjects/Contact/{behind}").json()
    assert deleted[0]["errorCode"] == "INVALID_PERSON_ACCOUNT_OPERATION"
    below = persons("POST", "sobjects/Contact", json={"LastName": "Abe", "AccountId": ito}).json()
    assert below[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_account_stays_what_it_is(persons: Any, kind: str, ito: str) -> None:
    account_id = persons("POST", "sobjects/Account", json={"Name": "Ito Ltd"}).json()["id"]
    refused = persons("PATCH", f"sobjects/Account/{account_id}", json={"RecordTypeId": kind}).json()
    assert refused[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    read = persons("GET", f"sobjects/Account/{account_id}").json()
    assert (read["IsPersonAccount"], read["PersonContactId"]) == (False, None)


ENVELOPE = """\
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns="urn:partner.soap.sforce.com">
  <soapenv:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader></soapenv:Header>
  <soapenv:Body>{body}</soapenv:Body>
</soapenv:Envelope>"""
CONVERT = (
    "<convertLead><leadConverts><leadId>{lead}</leadId><convertedStatus>Closed - Converted"
    "</convertedStatus>{more}</leadConverts></convertLead>"
)
MERGE = (
    "<merge><mergeRequests><masterRecord><type>Account</type><Id>{master}</Id></masterRecord>"
    "<recordToMergeIds>{victim}</recordToMergeIds></mergeRequests></merge>"
)


def soap(rest: Any, body: str) -> str:
    envelope = ENVELOPE.format(token=rest.org["access_token"], body=body)
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    answer = rest("POST", "/services/Soap/u/67.0", data=envelope.encode(), headers=headers)
    return str(answer.text)


@pytest.mark.parametrize("existing", [False, True])
def test_a_lead_without_a_company_becomes_a_person(persons: Any, ito: str, existing: bool) -> None:
    values = {
        "FirstName": "Mei",
        "LastName": "Ito",
        "Email": "ito@example.com",
        "Industry": "Media",
    }
    lead = persons("POST", "sobjects/Lead", json=values).json()["id"]
    more = f"<accountId>{ito}</accountId>" if existing else ""
    assert "<success>true</success>" in soap(persons, CONVERT.format(lead=lead, more=more))
    read = persons("GET", f"sobjects/Lead/{lead}").json()
    account = persons("GET", f"sobjects/Account/{read['ConvertedAccountId']}").json()
    assert (account["IsPersonAccount"], account["Name"]) == (True, "Mei Ito")
    assert account["PersonContactId"] == read["ConvertedContactId"]
    assert account["Industry"] == "Media"
    if existing:
        assert account["Id"] == ito
    else:
        assert account["PersonEmail"] == "ito@example.com"
        opportunity = persons(
            "GET", f"sobjects/Opportunity/{read['ConvertedOpportunityId']}"
        ).json()
        assert opportunity["Name"] == "Mei Ito"


def test_persons_merge_with_persons_alone(persons: Any, kind: str, ito: str) -> None:
    values = {"RecordTypeId": kind, "LastName": "Ito"}
    victim = persons("POST", "sobjects/Account", json=values).json()["id"]
    firm = persons("POST", "sobjects/Account", json={"Name": "Ito Ltd"}).json()["id"]
    mixed = soap(persons, MERGE.format(master=ito, victim=firm))
    assert "INVALID_PERSON_ACCOUNT_OPERATION" in mixed
    behind = persons("GET", f"sobjects/Account/{victim}").json()["PersonContactId"]
    task = {"WhoId": behind, "Subject": "Call"}
    call = persons("POST", "sobjects/Task", json=task).json()["id"]
    assert "<success>true</success>" in soap(persons, MERGE.format(master=ito, victim=victim))
    master = persons("GET", f"sobjects/Account/{ito}").json()["PersonContactId"]
    assert persons("GET", f"sobjects/Task/{call}").json()["WhoId"] == master
    assert persons("GET", f"sobjects/Contact/{behind}").status_code == 404
    assert persons.query(f"SELECT Id FROM Contact WHERE AccountId = '{ito}'") == [{"Id": master}]


def test_many_at_once(persons: Any, kind: str) -> None:
    lines = [f"k{n},{kind},Abe{n},{n}@example.com," for n in range(300)]
    lines += [f"b{n},,,,Firm {n}" for n in range(10)]
    head = "Causeway_Key__c,RecordTypeId,LastName,PersonEmail,Name\n"
    spec = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}
    for _ in range(2):
        job = persons.ingest(head + "\n".join(lines) + "\n", **spec)
        assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (310, 0)
    totals = persons.query(
        "SELECT COUNT(Id) n, COUNT_DISTINCT(AccountId) a FROM Contact WHERE LastName LIKE 'Abe%' "
        "AND IsPersonAccount = true AND Email LIKE '%@example.com'"
    )
    assert (totals[0]["n"], totals[0]["a"]) == (300, 300)
