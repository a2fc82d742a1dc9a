"""Describes: what a client learns of objects and fields."""

from typing import Any

import pytest


def fields_of(rest: Any, name: str) -> dict[str, dict[str, Any]]:
    return {f["name"]: f for f in rest("GET", f"sobjects/{name}/describe").json()["fields"]}


def test_global_describe(rest: Any) -> None:
    answer = rest("GET", "sobjects").json()
    assert (answer["encoding"], answer["maxBatchSize"]) == ("UTF-8", 200)
    objects = {o["name"]: o for o in answer["sobjects"]}
    for name, prefix in (("Account", "001"), ("Contact", "003"), ("Lead", "00Q")):
        about = objects[name]
        assert about["keyPrefix"] == prefix
        flags = ("createable", "updateable", "deletable", "mergeable", "undeletable", "queryable")
        assert all(about[flag] for flag in flags)
        assert about["urls"]["describe"] == f"/services/data/v67.0/sobjects/{name}/describe"
    assert objects["User"]["deletable"] is False
    assert objects["Organization"]["createable"] is False


def test_an_object_in_short(rest: Any) -> None:
    about = rest("GET", "sobjects/Account").json()
    assert about["objectDescribe"]["name"] == "Account"
    assert isinstance(about["recentItems"], list)


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead"])
def test_describe_has_what_clients_read(rest: Any, name: str) -> None:
    described = rest("GET", f"sobjects/{name}/describe").json()
    lists = ("childRelationships", "recordTypeInfos", "supportedScopes", "actionOverrides")
    assert all(isinstance(described[key], list) for key in lists)
    assert isinstance(described["urls"], dict)
    assert {i["recordTypeId"] for i in described["recordTypeInfos"]} >= {"012000000000000AAA"}
    key = fields_of(rest, name)["Causeway_Key__c"]
    assert (key["externalId"], key["unique"], key["custom"], key["length"]) == (
        True,
        True,
        True,
        36,
    )
    assert key["idLookup"] is True


def test_fields_say_what_may_be_done(rest: Any) -> None:
    contact, lead = fields_of(rest, "Contact"), fields_of(rest, "Lead")
    last = contact["LastName"]
    assert (last["type"], last["length"], last["nillable"]) == ("string", 80, False)
    assert last["byteLength"] == 240
    assert (contact["Name"]["createable"], contact["Name"]["nameField"]) == (False, True)
    assert contact["AccountId"]["referenceTo"] == ["Account"]
    assert contact["AccountId"]["relationshipName"] == "Account"
    assert contact["Email"]["idLookup"] is True
    assert contact["MailingAddress"]["type"] == "address"
    assert contact["MailingCity"]["compoundFieldName"] == "MailingAddress"
    assert set(lead["OwnerId"]["referenceTo"]) == {"Group", "User"}
    assert lead["Status"]["nillable"] is False
    statuses = {v["value"]: v["defaultValue"] for v in lead["Status"]["picklistValues"]}
    assert list(statuses.values()).count(True) == 1
    assert lead["LeadSource"]["restrictedPicklist"] is False
    assert (lead["IsConverted"]["updateable"], lead["ConvertedDate"]["type"]) == (False, "date")


def test_children(rest: Any) -> None:
    relationships = rest("GET", "sobjects/Account/describe").json()["childRelationships"]
    by_field = {(c["childSObject"], c["field"]): c for c in relationships}
    assert by_field["Contact", "AccountId"]["relationshipName"] == "Contacts"
    assert by_field["Contact", "AccountId"]["cascadeDelete"] is True
    assert by_field["Account", "ParentId"]["relationshipName"] == "ChildAccounts"


def test_describes_are_cacheable(rest: Any) -> None:
    for path in ("sobjects", "sobjects/Lead/describe"):
        first = rest("GET", path)
        since = {"If-Modified-Since": first.headers["Last-Modified"]}
        again = rest("GET", path, headers=since)
        assert (again.status_code, again.content) == (304, b"")


def test_an_object_that_is_not_there(rest: Any) -> None:
    answer = rest("GET", "sobjects/Banana/describe")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
