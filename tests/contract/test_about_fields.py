"""What an org tells of its fields beside describe: the UI API and the Tooling API."""

from typing import Any

MASTER = "012000000000000AAA"


def test_the_master_record_type_has_every_value(rest: Any) -> None:
    described = rest("GET", "sobjects/Lead/describe").json()["fields"]
    sources = next(f for f in described if f["name"] == "LeadSource")["picklistValues"]
    path = f"ui-api/object-info/Lead/picklist-values/{MASTER}/LeadSource"
    listed = rest("GET", path).json()["values"]
    active = [value["value"] for value in sources if value["active"]]
    assert [value["value"] for value in listed] == active
    info = rest("GET", "ui-api/object-info/Lead").json()
    assert info["apiName"] == "Lead"
    assert info["fields"]["LeadSource"]["dataType"] == "Picklist"
    assert any(kind["master"] for kind in info["recordTypeInfos"].values())


def test_fields_can_be_queried(rest: Any) -> None:
    soql = (
        "SELECT QualifiedApiName, DataType FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName = 'Account' AND QualifiedApiName = 'Name'"
    )
    answer = rest("GET", "tooling/query", params={"q": soql}).json()
    assert answer["size"] == answer["totalSize"] == 1
    assert answer["records"][0]["QualifiedApiName"] == "Name"
    soql = (
        "SELECT Id, DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId = 'Contact'"
    )
    answer = rest("GET", "tooling/query", params={"q": soql}).json()
    key = next(row for row in answer["records"] if row["DeveloperName"] == "Causeway_Key")
    described = rest("GET", f"tooling/sobjects/CustomField/{key['Id']}").json()
    assert described["FullName"] == "Contact.Causeway_Key__c"
    assert described["Metadata"]["externalId"] is True
