"""Custom fields made through the API, invisible until a permission set grants them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce import Salesforce

from pipelines.local_org import control

TEXT = {"type": "Text", "label": "Level", "length": 10, "externalId": True, "unique": True}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("fields")
    yield rest_of(control.start(home))
    control.stop(home)


def make(rest: Any, name: str, **values: Any) -> str:
    answer = rest("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def grant(rest: Any, name: str, object_name: str, *, edit: bool = True) -> None:
    known = make(rest, "PermissionSet", Name=f"P_{name}", Label=name)
    user = rest.query("SELECT Id FROM User")[0]["Id"]
    make(rest, "PermissionSetAssignment", PermissionSetId=known, AssigneeId=user)
    make(
        rest,
        "FieldPermissions",
        ParentId=known,
        SobjectType=object_name,
        Field=f"{object_name}.{name}",
        PermissionsRead=True,
        PermissionsEdit=edit,
    )


def fields(rest: Any, name: str) -> dict[str, Any]:
    return {f["name"]: f for f in rest("GET", f"sobjects/{name}/describe").json()["fields"]}


def test_a_new_field_is_invisible_until_granted(fresh: Any) -> None:
    body = {"FullName": "Contact.Level__c", "Metadata": TEXT}
    made = fresh("POST", "tooling/sobjects/CustomField", json=body)
    assert made.status_code == 201
    assert "Level__c" not in fields(fresh, "Contact")
    unseen = fresh("POST", "sobjects/Contact", json={"LastName": "Ito", "Level__c": "x"})
    assert unseen.json()[0]["errorCode"] == "INVALID_FIELD"
    job = fresh.ingest("LastName,Level__c\nIto,x\n", object="Contact", operation="insert")
    assert job["errorMessage"] == "InvalidBatch : Field name not found : Level__c"
    grant(fresh, "Level__c", "Contact")
    seen = fields(fresh, "Contact")["Level__c"]
    assert (seen["externalId"], seen["unique"], seen["length"]) == (True, True, 10)
    assert (
        fresh("PATCH", "sobjects/Contact/Level__c/x", json={"LastName": "Ito"}).status_code == 201
    )
    again = fresh("POST", "tooling/sobjects/CustomField", json=body)
    assert again.json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"


def test_a_grant_to_read_is_none_to_write(fresh: Any) -> None:
    body = {"FullName": "Account.Score__c", "Metadata": {"type": "Number", "label": "Score"}}
    assert fresh("POST", "tooling/sobjects/CustomField", json=body).status_code == 201
    grant(fresh, "Score__c", "Account", edit=False)
    assert fields(fresh, "Account")["Score__c"]["updateable"] is False
    refused = fresh("POST", "sobjects/Account", json={"Name": "A", "Score__c": 3})
    assert refused.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_simple_salesforce_makes_fields_through_metadata(fresh: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", fresh.org["ca_file"])
    sf = Salesforce(session_id=fresh.org["access_token"], instance_url=fresh.org["https_url"])
    field = sf.mdapi.CustomField(fullName="Lead.Color__c", label="Color", type="Picklist")
    field.valueSet = {
        "restricted": True,
        "valueSetDefinition": {
            "sorted": False,
            "value": [{"fullName": "Red", "default": False, "label": "Red"}],
        },
    }
    sf.mdapi.CustomField.create(field)
    grant(fresh, "Color__c", "Lead")
    assert [v["value"] for v in fields(fresh, "Lead")["Color__c"]["picklistValues"]] == ["Red"]
    with pytest.raises(Exception, match="DUPLICATE_DEVELOPER_NAME"):
        sf.mdapi.CustomField.create(field)


def test_made_fields_survive_a_restart(fresh: Any, rest_of: Any) -> None:
    home = Path(fresh.org["ca_file"]).parent
    body = {"FullName": "Lead.Kept__c", "Metadata": {"type": "Checkbox", "label": "Kept"}}
    assert fresh("POST", "tooling/sobjects/CustomField", json=body).status_code == 201
    grant(fresh, "Kept__c", "Lead")
    made = make(fresh, "Lead", LastName="Ito", Company="x", Kept__c=True)
    control.stop(home)
    fresh.org = control.start(home)
    assert rest_of(fresh.org)("GET", f"sobjects/Lead/{made}").json()["Kept__c"] is True


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("Banana.X__c", TEXT, "INVALID_TYPE"),
        ("Contact.X", TEXT, "INVALID_FIELD"),
        ("Contact.X__c", {"type": "Magic", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact.X__c", {"label": "X"}, "FIELD_INTEGRITY_EXCEPTION"),
    ],
)
def test_fields_that_cannot_be(fresh: Any, name: str, metadata: dict[str, Any], code: str) -> None:
    body = {"FullName": name, "Metadata": metadata}
    answer = fresh("POST", "tooling/sobjects/CustomField", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
