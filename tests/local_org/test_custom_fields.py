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
    permission_set = make(rest, "PermissionSet", Name=f"P_{name}", Label=name)
    user = rest.query("SELECT Id FROM User")[0]["Id"]
    make(rest, "PermissionSetAssignment", PermissionSetId=permission_set, AssigneeId=user)
    make(
        rest,
        "FieldPermissions",
        ParentId=permission_set,
        SobjectType=object_name,
        Field=f"{object_name}.{name}",
        PermissionsRead=True,
        PermissionsEdit=edit,
    )


def fields(rest: Any, name: str) -> dict[str, Any]:
    return {f["name"]: f for f in rest("GET", f"sobjects/{name}/describe").json()["fields"]}


def test_a_new_field_is_invisible_until_granted(fresh: Any) -> None:
    body = {"FullName": "Contact.Level__c", "Metadata": TEXT}
    created = fresh("POST", "tooling/sobjects/CustomField", json=body)
    assert created.status_code == 201
    assert "Level__c" not in fields(fresh, "Contact")
    unseen = fresh("POST", "sobjects/Contact", json={"LastName": "Ito", "Level__c": "x"})
    assert unseen.json()[0]["errorCode"] == "INVALID_FIELD"
    job = fresh.ingest("LastName,Level__c\nIto,x\n", object="Contact", operation="insert")
    assert job["errorMessage"] == "InvalidBatch : Field name not found : Level__c"
    grant(fresh, "Level__c", "Contact")
    described = fields(fresh, "Contact")["Level__c"]
    assert (described["externalId"], described["unique"], described["length"]) == (True, True, 10)
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


@pytest.fixture
def sf(fresh: Any, monkeypatch: Any) -> Salesforce:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", fresh.org["ca_file"])
    return Salesforce(session_id=fresh.org["access_token"], instance_url=fresh.org["https_url"])


def test_simple_salesforce_reads_changes_and_deletes_fields(fresh: Any, sf: Salesforce) -> None:
    mdapi = sf.mdapi
    shape = mdapi.CustomField(fullName="Account.Shape__c", label="Shape", type="Text", length=9)
    mdapi.CustomField.create(shape)
    grant(fresh, "Shape__c", "Account")
    for number in range(2):
        make(fresh, "Account", Name=f"A{number}", Shape__c="roundish")
    read = mdapi.CustomField.read("Account.Shape__c")
    assert (read.fullName, read.label, read.type, read.length) == (
        "Account.Shape__c", "Shape", "Text", 9,
    )  # fmt: skip
    read.label, read.length, read.inlineHelpText = "Form", 12, "How it looks"
    mdapi.CustomField.update(read)
    described = fields(fresh, "Account")["Shape__c"]
    assert (described["label"], described["length"], described["inlineHelpText"]) == (
        "Form",
        12,
        "How it looks",
    )
    read.length = 5
    with pytest.raises(Exception, match="records hold more than 5 characters"):
        mdapi.CustomField.update(read)
    read.length, read.unique = 12, True
    with pytest.raises(Exception, match="DUPLICATE_VALUE"):
        mdapi.CustomField.update(read)
    read.unique, read.label = False, "Shape again"
    mdapi.CustomField.upsert(read)
    mdapi.CustomField.delete("Account.Shape__c")
    assert "Shape__c" not in fields(fresh, "Account")
    assert mdapi.CustomField.read("Account.Shape__c").fullName is None
    with pytest.raises(Exception, match="no CustomField named"):
        mdapi.CustomField.delete("Account.Shape__c")


def test_simple_salesforce_lists_and_describes_metadata(sf: Salesforce) -> None:
    query = sf.mdapi.ListMetadataQuery(type="CustomField")
    listed = {component.fullName: component for component in sf.mdapi.list_metadata([query])}
    assert listed["Contact.Causeway_Key__c"].fileName == "objects/Contact.object"
    described = sf.mdapi.describe_metadata()
    assert "CustomObject" in [kind.xmlName for kind in described.metadataObjects]
    contact = sf.mdapi.CustomObject.read("Contact")
    assert "Causeway_Key__c" in [field.fullName for field in contact.fields]
    with pytest.raises(Exception, match="INVALID_TYPE"):
        sf.mdapi.Profile.read("Admin")


def test_a_field_that_the_set_up_declares_is_the_set_ups(sf: Salesforce) -> None:
    with pytest.raises(Exception, match="declared in the set-up file"):
        sf.mdapi.CustomField.delete("Contact.Causeway_Key__c")


def test_the_tooling_api_knows_fields_as_records(fresh: Any) -> None:
    described = {"type": "Number", "label": "Size", "precision": 4, "scale": 1}
    body = {"FullName": "Lead.Size__c", "Metadata": described}
    field_id = fresh("POST", "tooling/sobjects/CustomField", json=body).json()["id"]
    path = f"tooling/sobjects/CustomField/{field_id}"
    assert fresh("GET", path).json()["Metadata"] == described | {
        "externalId": False, "required": False, "unique": False,
    }  # fmt: skip
    changed = fresh("PATCH", path, json={"Metadata": described | {"type": "Text", "length": 4}})
    assert changed.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert fresh("PATCH", path, json={"Metadata": described | {"label": "L"}}).status_code == 204

    def query(soql: str) -> list[dict[str, Any]]:
        answer = fresh("GET", "tooling/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["records"])

    [row] = query("SELECT Id, FullName FROM CustomField WHERE DeveloperName = 'Size'")
    assert (row["Id"], row["FullName"]) == (field_id, "Lead.Size__c")
    grant(fresh, "Size__c", "Lead")
    [row] = query(
        "SELECT QualifiedApiName, DataType, EntityDefinition.Label FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName = 'Lead' AND QualifiedApiName LIKE 'Size%'"
    )
    assert (row["DataType"], row["EntityDefinition"]["Label"]) == ("Number(3, 1)", "Lead")
    [row] = query("SELECT DataType FROM FieldDefinition WHERE DurableId = 'Account.Name'")
    assert row["DataType"] == "Text(255)"
    assert query("SELECT Id FROM InstalledSubscriberPackage") == []
    assert fresh("DELETE", path).status_code == 204
    assert fresh("GET", path).status_code == 404
    assert query("SELECT Id FROM CustomField WHERE DeveloperName = 'Size'") == []


PICK = {"fullName": "Red", "default": False}
RULES: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "Text", "length": 5, "required": True}, None, "REQUIRED_FIELD_MISSING"),
    ({"type": "Text", "length": 5}, "x" * 6, "STRING_TOO_LONG"),
    ({"type": "Number", "precision": 4, "scale": 1}, 1234.5, "NUMBER_OUTSIDE_VALID_RANGE"),
    ({"type": "Email"}, "nobody", "INVALID_EMAIL_ADDRESS"),
    ({"type": "Date"}, "1600-01-01", "NUMBER_OUTSIDE_VALID_RANGE"),
    ({"type": "Lookup", "referenceTo": "Account"}, "001000000000001AAA",
     "INVALID_CROSS_REFERENCE_KEY"),
    *(
        ({"type": kind, "valueSet": {"restricted": True, "valueSetDefinition": {"value": [PICK]}}},
         value, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
        for kind, value in (("Picklist", "Blue"), ("MultiselectPicklist", "Red;Blue"))
    ),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "value", "code"), RULES)
def test_what_a_field_declares_is_enforced(
    fresh: Any, metadata: dict[str, Any], value: Any, code: str
) -> None:
    name = "Rule__c"
    body = {"FullName": f"Lead.{name}", "Metadata": {"label": "Rule"} | metadata}
    field_id = fresh("POST", "tooling/sobjects/CustomField", json=body).json()["id"]
    grant(fresh, name, "Lead")
    lead = {"LastName": "Ito", "Company": "x"}
    refused = fresh("POST", "sobjects/Lead", json=lead | {name: value})
    assert refused.json()[0]["errorCode"] == code
    assert refused.json()[0]["fields"] == [name]
    assert fresh("DELETE", f"tooling/sobjects/CustomField/{field_id}").status_code == 204
    assert fresh("POST", "sobjects/Lead", json=lead).status_code == 201


def test_case_counts_where_the_field_says_so(fresh: Any) -> None:
    for name, sensitive in (("Loose__c", False), ("Strict__c", True)):
        described = TEXT | {"caseSensitive": sensitive}
        body = {"FullName": f"Lead.{name}", "Metadata": described}
        assert fresh("POST", "tooling/sobjects/CustomField", json=body).status_code == 201
        grant(fresh, name, "Lead")
        statuses = [
            fresh("PATCH", f"sobjects/Lead/{name}/{key}", json={"LastName": "I", "Company": "x"})
            for key in ("ab", "AB")
        ]
        assert [s.status_code for s in statuses] == [201, 201 if sensitive else 200]


def test_made_fields_survive_a_restart(fresh: Any, rest_of: Any) -> None:
    home = Path(fresh.org["ca_file"]).parent
    body = {"FullName": "Lead.Kept__c", "Metadata": {"type": "Checkbox", "label": "Kept"}}
    assert fresh("POST", "tooling/sobjects/CustomField", json=body).status_code == 201
    grant(fresh, "Kept__c", "Lead")
    lead_id = make(fresh, "Lead", LastName="Ito", Company="x", Kept__c=True)
    control.stop(home)
    fresh.org = control.start(home)
    assert rest_of(fresh.org)("GET", f"sobjects/Lead/{lead_id}").json()["Kept__c"] is True


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
