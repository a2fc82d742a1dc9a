"""The rules of the set-up file: validation, duplicates, assignment, automations, queues."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE

RULES = """
users: [{username: rep@x.org, last_name: Rep, email: rep@x.org},
        {username: gone@x.org, last_name: Gone, email: gone@x.org, active: false}]
queues: [{name: Germany, developer_name: germany_queue}]
validation_rules:
  - {name: Reachable, object: Contact, when: Email is null and Phone is null and Title is null,
     message: Give an e-mail address or a phone number., field: Email}
duplicate_rules:
  - {name: Alert, object: Contact, match: [[Email]], action: alert}
  - {name: Block, object: Account, match: [[Name, Website]], action: block, message: Known already}
  - {name: Across, object: Lead, against: Contact, match: [[Email]], action: block}
assignment_rules:
  - name: Standard
    entries: [{when: Country = 'Germany', owner: germany_queue}, {when: "Country = 'France'",
      owner: rep@x.org}]
  - {name: Asked for, active: false, entries: [{when: "true", owner: rep@x.org}]}
automations:
  - {name: Loud, object: Contact, set: {Title: upper(Title)}}
  - {name: Stamp, object: Contact, at: create, when: LeadSource is null, set: {LeadSource: "'Web'"}}
  - {name: Later, object: Lead, set: {Title: "'late'"}, after_seconds: 0.3}
  - {name: NoFoo, object: Account, when: "Site = 'foo'", throw: "Foo is not allowed"}
"""


def with_setup(home: Path, text: str) -> dict[str, Any]:
    names = "|".join(re.findall(r"^(\w+):", text, re.MULTILINE))
    defaults = re.sub(rf"^({names}):.*?(?=^\S|\Z)", "", TEMPLATE.read_text(), flags=re.M | re.S)
    (home / "org.yaml").write_text(defaults + text)
    return control.start(home)


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("ruled")
    yield rest_of(with_setup(home, RULES))
    control.stop(home)


def post(rest: Any, name: str, headers: dict[str, str] | None = None, **values: Any) -> Any:
    return rest("POST", f"sobjects/{name}", json=values, headers=headers)


def test_validation_sees_the_record_as_it_will_be(ruled: Any, key: str) -> None:
    refused = post(ruled, "Contact", LastName="Ito")
    assert refused.json() == [
        {
            "message": "Give an e-mail address or a phone number.",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Email"],
        }
    ]
    record_id = post(ruled, "Contact", LastName="Ito", Phone="1").json()["id"]
    assert (
        ruled("PATCH", f"sobjects/Contact/{record_id}", json={"FirstName": "M"}).status_code == 204
    )
    assert ruled("PATCH", f"sobjects/Contact/{record_id}", json={"Phone": None}).status_code == 400


def test_alerts_give_way_to_allow_save(ruled: Any, key: str) -> None:
    email = f"{key}@x.org"
    first = post(ruled, "Contact", LastName="Ito", Email=email).json()["id"]
    refused = post(ruled, "Contact", LastName="Abe", Email=email)
    assert refused.json()[0]["errorCode"] == "DUPLICATES_DETECTED"
    saved = post(
        ruled,
        "Contact",
        {"Sforce-Duplicate-Rule-Header": "allowSave=true"},
        LastName="Abe",
        Email=email,
    )
    assert saved.status_code == 201
    itself = ruled("PATCH", f"sobjects/Contact/{first}", json={"Email": f"x{email}"})
    assert itself.status_code == 204
    data = f"LastName,Email\nOno,{email}\n"
    job = ruled.ingest(data, object="Contact", operation="insert")
    assert "DUPLICATES_DETECTED:Use one of these records?:--" in job["failedResults"]


def test_blocks_do_not_and_blanks_never_match(ruled: Any, key: str) -> None:
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    post(ruled, "Account", Name=key, Website="x.org")
    refused = post(ruled, "Account", allow, Name=key.upper(), Website="X.org")
    assert refused.json()[0]["message"] == "Known already"
    assert post(ruled, "Account", Name=key).status_code == 201
    post(ruled, "Contact", LastName="Ito", Email=f"{key}@x.org")
    across = post(ruled, "Lead", LastName="Ito", Company="x", Email=f"{key}@x.org")
    assert across.json()[0]["errorCode"] == "DUPLICATES_DETECTED"


def test_assignment(ruled: Any) -> None:
    def owner(headers: dict[str, str] | None, country: str) -> str:
        created = post(ruled, "Lead", headers, LastName="Ito", Company="x", Country=country)
        soql = f"SELECT Owner.Name FROM Lead WHERE Id = '{created.json()['id']}'"
        name: str = ruled.query(soql)[0]["Owner"]["Name"]
        return name

    assert owner(None, "Germany") == "Germany"
    assert owner(None, "France") == "Rep"
    assert owner(None, "Japan") == "Integration User"
    assert owner({"Sforce-Auto-Assign": "FALSE"}, "France") == "Integration User"
    rule = ruled.query("SELECT Id FROM AssignmentRule WHERE Name = 'Asked for'")[0]["Id"]
    assert owner({"Sforce-Auto-Assign": rule}, "Japan") == "Rep"
    lead = post(ruled, "Lead", LastName="Ito", Company="x").json()["id"]
    for headers, name in (({"Sforce-Auto-Assign": "FALSE"}, "Integration User"), ({}, "Rep")):
        country = {"Country": "France"}
        assert ruled("PATCH", f"sobjects/Lead/{lead}", json=country, headers=headers).ok
        leads = ruled.query(f"SELECT Owner.Name FROM Lead WHERE Id = '{lead}'")
        assert leads[0]["Owner"]["Name"] == name
    for spec, name in (({}, "Integration User"), ({"assignmentRuleId": rule}, "Rep")):
        job = ruled.ingest(
            "LastName,Company,Country\nIto,x,France\n", object="Lead", operation="insert", **spec
        )
        created = job["successfulResults"].splitlines()[1].split(",")[0].strip('"')
        leads = ruled.query(f"SELECT Owner.Name FROM Lead WHERE Id = '{created}'")
        assert leads[0]["Owner"]["Name"] == name


def test_owners_must_be_active_and_queues_own_only_leads(ruled: Any) -> None:
    inactive_user = ruled.query("SELECT Id FROM User WHERE Username = 'gone@x.org'")[0]["Id"]
    queue = ruled.query("SELECT Id FROM Group WHERE DeveloperName = 'germany_queue'")[0]["Id"]
    inactive = post(ruled, "Contact", LastName="Ito", Phone="1", OwnerId=inactive_user)
    assert inactive.json()[0]["errorCode"] == "INACTIVE_OWNER_OR_USER"
    assert post(ruled, "Lead", LastName="Ito", Company="x", OwnerId=queue).status_code == 201
    assert post(ruled, "Contact", LastName="Ito", Phone="1", OwnerId=queue).status_code == 400


def test_automations_change_what_was_sent(ruled: Any) -> None:
    record_id = post(ruled, "Contact", LastName="Ito", Title="boss").json()["id"]
    read = ruled("GET", f"sobjects/Contact/{record_id}").json()
    assert (read["Title"], read["LeadSource"]) == ("BOSS", "Web")
    ruled("PATCH", f"sobjects/Contact/{record_id}", json={"LeadSource": None})
    assert ruled("GET", f"sobjects/Contact/{record_id}").json()["LeadSource"] is None


def test_automations_may_take_their_time(ruled: Any) -> None:
    record_id = post(ruled, "Lead", LastName="Ito", Company="x").json()["id"]
    assert ruled("GET", f"sobjects/Lead/{record_id}").json()["Title"] is None
    deadline = time.monotonic() + 10
    while ruled("GET", f"sobjects/Lead/{record_id}").json()["Title"] != "late":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_throwing_trigger_fails_its_whole_chunk(ruled: Any, key: str) -> None:
    lines = [f"{key} {n},{'foo' if n == 250 else 'bar'}" for n in range(500)]
    data = "Name,Site\n" + "\n".join(lines) + "\n"
    job = ruled.ingest(data, object="Account", operation="insert")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (500, 200)
    assert (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:NoFoo: execution of BeforeInsert"
        in (job["failedResults"])
    )


def test_wrong_rules_are_all_named(tmp_path: Path) -> None:
    wrong = """
validation_rules:
  - {name: One, object: Contact, when: Nope is null, message: x}
  - {name: Two, object: Banana, when: "true", message: x}
automations:
  - {name: Three, object: Contact, set: {Title: upper(}}
"""
    with pytest.raises(control.LocalOrgError) as refused:
        with_setup(tmp_path, wrong)
    for name in ("One", "Two", "Three"):
        assert name in str(refused.value)


def test_stages_have_a_meaning(rest: Any, key: str) -> None:
    facts = "IsWon, IsClosed, Probability, ForecastCategoryName"
    spec = {"CloseDate": "2030-01-01"}

    def deals() -> dict[str, tuple[Any, ...]]:
        soql = f"SELECT Name, {facts} FROM Opportunity WHERE NextStep = '{key}'"
        return {row.pop("Name"): tuple(row.values()) for row in rest.query(soql)}

    open_deal = {"Name": "open", "StageName": "needs analysis", "NextStep": key, **spec}
    deal_id = rest("POST", "sobjects/Opportunity", json=open_deal).json()["id"]
    given = open_deal | {"Name": "given", "StageName": "Closed Won", "Probability": 55}
    rest("POST", "sobjects/Opportunity", json=given)
    csv = f"Name,StageName,CloseDate,NextStep\nwon,Closed Won,2030-01-01,{key}\n"
    csv += f"lost,Closed Lost,2030-01-01,{key}\nodd,Elsewhere,2030-01-01,{key}\n"
    job = rest.ingest(csv, object="Opportunity", operation="insert")
    assert job["numberRecordsFailed"] == 0
    assert deals() == {
        "open": (False, False, 20.0, "Pipeline"),
        "given": (True, True, 55.0, "Closed"),
        "won": (True, True, 100.0, "Closed"),
        "lost": (False, True, 0.0, "Omitted"),
        "odd": (False, False, None, None),
    }
    # Another stage brings its own values; the same one leaves what somebody chose.
    path = f"sobjects/Opportunity/{deal_id}"
    for change, expected in (
        ({"StageName": "Closed Won"}, (True, True, 100.0, "Closed")),
        ({"Probability": 80}, (True, True, 80.0, "Closed")),
        ({"StageName": "Closed Won", "Amount": 5}, (True, True, 80.0, "Closed")),
        ({"StageName": "Prospecting", "Probability": 30}, (False, False, 30.0, "Pipeline")),
    ):
        assert rest("PATCH", path, json=change).status_code == 204
        assert deals()["open"] == expected
    assert (
        len(rest.query(f"SELECT Id FROM Opportunity WHERE IsWon = true AND NextStep = '{key}'"))
        == 2
    )
    described = rest("GET", "sobjects/Opportunity/describe").json()["fields"]
    by_name = {field["name"]: field for field in described}
    assert by_name["Probability"]["defaultedOnCreate"]
    assert not by_name["IsWon"]["createable"]


def test_salutations_are_those_of_the_org(rest: Any, own_org: Any, rest_of: Any) -> None:
    for name, more in (("Contact", {}), ("Lead", {"Company": "x"})):
        record = {"LastName": "x", "Salutation": "Herr", **more}
        refused = rest("POST", f"sobjects/{name}", json=record)
        assert refused.json() == [
            {
                "message": "Salutation: bad value for restricted picklist field: Herr",
                "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "fields": ["Salutation"],
            }
        ]
        assert rest("POST", f"sobjects/{name}", json=record | {"Salutation": "mx."}).ok
    with pytest.raises(control.LocalOrgError, match=r"Contact\.Nope names no picklist"):
        own_org("", restricted="[Contact.Nope]")
    lax = rest_of(own_org("", restricted="[]"))
    contact = {"LastName": "x", "Salutation": "Herr"}
    assert lax("POST", "sobjects/Contact", json=contact).status_code == 201
