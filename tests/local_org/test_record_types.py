"""Record types: who may use them, and which picklist values they leave to a record."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE

TIER = {
    "label": "Tier",
    "type": "Picklist",
    "restricted": True,
    "values": ["Gold", "Silver", "Tin"],
}
KINDS = [
    {"object": "Account", "developer_name": "Partner", "name": "Partner", "default": True,
     "picklists": {"Tier__c": ["Gold", "Silver"], "Type": ["Channel Partner / Reseller"]}},
    {"object": "Account", "developer_name": "Supplier", "name": "Supplier"},
    {"object": "Account", "developer_name": "Old", "name": "Old", "active": False},
    {"object": "Contact", "developer_name": "Partner", "name": "Partner"},
]  # fmt: skip


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[Any]:
    setup = yaml.safe_load(TEMPLATE.read_text())
    setup["record_types"] = KINDS
    setup["fields"]["Account"]["Tier__c"] = TIER
    home = tmp_path_factory.mktemp("kinds")
    (home / "org.yaml").write_text(yaml.safe_dump(setup))
    yield rest_of(control.start(home))
    control.stop(home)


@pytest.fixture(scope="module")
def type_ids(kinds: Any) -> dict[tuple[str, str], str]:
    """Object and developer name → id of the record type."""
    record_types = kinds.query("SELECT Id, SobjectType, DeveloperName FROM RecordType")
    return {(row["SobjectType"], row["DeveloperName"]): row["Id"] for row in record_types}


def test_describe_tells_them(kinds: Any, type_ids: dict[tuple[str, str], str]) -> None:
    described = kinds("GET", "sobjects/Account/describe").json()
    infos = {info["developerName"]: info for info in described["recordTypeInfos"]}
    assert {name: info["active"] for name, info in infos.items()} == {
        "Partner": True,
        "Supplier": True,
        "Old": False,
        "Master": True,
    }
    assert [n for n, info in infos.items() if info["defaultRecordTypeMapping"]] == ["Partner"]
    assert infos["Supplier"]["recordTypeId"] == type_ids["Account", "Supplier"]
    assert "RecordTypeId" in {field["name"] for field in described["fields"]}
    lead = kinds("GET", "sobjects/Lead/describe").json()
    assert "RecordTypeId" not in {field["name"] for field in lead["fields"]}


def test_a_record_takes_the_one_it_names_or_the_default(kinds: Any, type_ids: Any) -> None:
    for values, name in (
        ({}, "Partner"),
        ({"RecordTypeId": type_ids["Account", "Supplier"]}, "Supplier"),
    ):
        record_id = kinds("POST", "sobjects/Account", json={"Name": "A"} | values).json()["id"]
        read = kinds.query(f"SELECT RecordType.DeveloperName FROM Account WHERE Id = '{record_id}'")
        assert read[0]["RecordType"]["DeveloperName"] == name
    record_id = kinds("POST", "sobjects/Contact", json={"LastName": "Ito"}).json()["id"]
    assert kinds("GET", f"sobjects/Contact/{record_id}").json()["RecordTypeId"] is None


@pytest.mark.parametrize(
    "wrong",
    [("Account", "Old"), ("Contact", "Partner"), "012000000000001AAA", "012000000000000AAA"],
)
def test_others_are_refused(kinds: Any, type_ids: Any, wrong: Any) -> None:
    record_type = type_ids.get(wrong, wrong)
    values = {"Name": "A", "RecordTypeId": record_type}
    refused = kinds("POST", "sobjects/Account", json=values)
    assert refused.json() == [
        {
            "errorCode": "INVALID_CROSS_REFERENCE_KEY",
            "message": f"Record Type ID: this ID value isn't valid for the user: {record_type}",
            "fields": ["RecordTypeId"],
        }
    ]


def test_restricted_values_are_those_of_the_record_type(kinds: Any, type_ids: Any) -> None:
    def refused(answer: Any) -> bool:
        return bool(answer.status_code == 400) and (
            answer.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        )

    tin = {"Name": "A", "Tier__c": "Tin"}
    supplier = {"RecordTypeId": type_ids["Account", "Supplier"]}
    assert refused(kinds("POST", "sobjects/Account", json=tin))
    record_id = kinds("POST", "sobjects/Account", json=tin | supplier).json()["id"]
    assert refused(kinds("POST", "sobjects/Account", json=tin | supplier | {"Tier__c": "Lead"}))
    path = f"sobjects/Account/{record_id}"
    partner = {"RecordTypeId": type_ids["Account", "Partner"]}
    assert refused(kinds("PATCH", path, json=partner | {"Tier__c": "Tin"}))
    assert kinds("PATCH", path, json=partner).status_code == 204  # what was not sent is not judged
    assert refused(kinds("PATCH", path, json={"Tier__c": "Tin"}))
    data = f"Name,Tier__c,RecordTypeId\nA,Tin,\nB,tin,{supplier['RecordTypeId']}\nC,gold,\n"
    job = kinds.ingest(data, object="Account", operation="insert")
    assert job["numberRecordsFailed"] == 1
    assert "Tier: bad value for restricted picklist field: Tin:Tier__c --" in job["failedResults"]


def test_the_ui_api_lists_the_values(kinds: Any, type_ids: Any) -> None:
    info = kinds("GET", "ui-api/object-info/Account").json()
    assert info["defaultRecordTypeId"] == type_ids["Account", "Partner"]
    assert set(info["recordTypeInfos"]) >= {type_ids["Account", "Supplier"], "012000000000000AAA"}
    assert info["fields"]["Tier__c"]["dataType"] == "Picklist"

    def values(record_type: str, field: str) -> list[str]:
        path = f"ui-api/object-info/Account/picklist-values/{record_type}"
        every = kinds("GET", path).json()["picklistFieldValues"][field]
        assert kinds("GET", f"{path}/{field}").json() == every
        return [value["value"] for value in every["values"]]

    partner, supplier = type_ids["Account", "Partner"], type_ids["Account", "Supplier"]
    assert values(partner, "Tier__c") == ["Gold", "Silver"]
    assert values(partner, "Type") == ["Channel Partner / Reseller"]
    assert values(supplier, "Tier__c") == ["Gold", "Silver", "Tin"]
    assert values("012000000000000", "Tier__c") == ["Gold", "Silver", "Tin"]
    for path in ("Banana", f"Account/picklist-values/{type_ids['Contact', 'Partner']}",
                 f"Account/picklist-values/{partner}/Name"):  # fmt: skip
        assert kinds("GET", f"ui-api/object-info/{path}").status_code == 404


def test_states_are_listed_with_their_countries(kinds: Any) -> None:
    path = "ui-api/object-info/Contact/picklist-values/012000000000000AAA/MailingStateCode"
    states = kinds("GET", path).json()
    texas = next(value for value in states["values"] if value["label"] == "Texas")
    assert texas["validFor"] == [states["controllerValues"]["US"]]
