"""sObject Collections and composite requests."""

from typing import Any

import pytest


def contact(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}, **values}


def test_mixed_objects_in_order(rest: Any) -> None:
    records = [
        contact(LastName="Ito"),
        {"attributes": {"type": "Account"}, "Name": "A"},
        contact(FirstName="nameless"),
        contact(LastName="Abe"),
    ]
    results = rest("POST", "composite/sobjects", json={"records": records}).json()
    assert [r["success"] for r in results] == [True, True, False, True]
    assert [r["id"][:3] for r in results if r["success"]] == ["003", "001", "003"]
    assert results[2]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"],
        }
    ]


def test_all_or_none(rest: Any, key: str) -> None:
    body = {
        "allOrNone": True,
        "records": [contact(LastName=key), contact(FirstName="nameless")],
    }
    results = rest("POST", "composite/sobjects", json=body).json()
    assert [r["errors"][0]["statusCode"] for r in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert rest.query(f"SELECT Id FROM Contact WHERE LastName = '{key}'") == []


def test_upsert_update_retrieve_delete(rest: Any, key: str) -> None:
    records = [contact(LastName="Ito", Causeway_Key__c=f"{key}-{n}") for n in range(3)]
    path = "composite/sobjects/Contact/Causeway_Key__c"
    first = rest("PATCH", path, json={"records": records}).json()
    assert [r["created"] for r in first] == [True] * 3
    again = rest("PATCH", path, json={"records": records[:1]}).json()
    assert again == [{"id": first[0]["id"], "success": True, "errors": [], "created": False}]
    ids = [r["id"] for r in first]
    changes = [contact(id=ids[0], Title="Boss"), contact(id=ids[1], LastName=None)]
    updated = rest("PATCH", "composite/sobjects", json={"records": changes}).json()
    assert [r["success"] for r in updated] == [True, False]
    request = {"ids": [ids[0], "003000000000000AAA"], "fields": ["Title", "LastName"]}
    read = rest("POST", "composite/sobjects/Contact", json=request).json()
    assert (read[0]["Title"], read[0]["LastName"], read[1]) == ("Boss", "Ito", None)
    deletions = rest("DELETE", f"composite/sobjects?ids={','.join([*ids, ids[0]])}").json()
    assert [r["success"] for r in deletions] == [True, True, True, False]


def test_upsert_on_id_inserts_without_one(rest: Any) -> None:
    results = rest(
        "PATCH",
        "composite/sobjects/Contact/Id",
        json={"records": [contact(Id=None, LastName="Ito")]},
    ).json()
    assert results[0]["success"], results
    assert results[0]["created"] is True


def test_duplicate_keys_in_one_call_are_all_refused(rest: Any, key: str) -> None:
    records = [contact(LastName="Ito", Causeway_Key__c=k) for k in (key, key.upper(), f"{key}-2")]
    results = rest(
        "PATCH", "composite/sobjects/Contact/Causeway_Key__c", json={"records": records}
    ).json()
    assert [r["success"] for r in results] == [False, False, True]
    assert results[0]["errors"][0]["message"] == f"Duplicate external id specified: {key}"


def test_two_hundred_records_at_most(rest: Any) -> None:
    answer = rest("POST", "composite/sobjects", json={"records": [contact(LastName="x")] * 201})
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "EXCEEDED_MAX_SIZE_REQUEST"


@pytest.mark.parametrize("all_or_none", [False, True])
def test_composite_uses_earlier_answers(rest: Any, key: str, all_or_none: bool) -> None:
    base = "/services/data/v67.0"
    body = {
        "allOrNone": all_or_none,
        "compositeRequest": [
            {
                "method": "POST",
                "url": f"{base}/sobjects/Account",
                "referenceId": "acme",
                "body": {"Name": key},
            },
            {
                "method": "POST",
                "url": f"{base}/sobjects/Contact",
                "referenceId": "mei",
                "body": {"LastName": "Ito", "AccountId": "@{acme.id}"},
            },
            {
                "method": "GET",
                "url": f"{base}/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{{mei.id}}'",
                "referenceId": "read",
            },
        ],
    }
    answers = rest("POST", "composite", json=body).json()["compositeResponse"]
    assert [a["httpStatusCode"] for a in answers] == [201, 201, 200]
    assert answers[2]["body"]["records"][0]["Account"]["Name"] == key


def test_composite_all_or_none_undoes(rest: Any, key: str) -> None:
    base = "/services/data/v67.0"
    parts = [
        {
            "method": "POST",
            "url": f"{base}/sobjects/Account",
            "referenceId": "a",
            "body": {"Name": key},
        },
        {"method": "POST", "url": f"{base}/sobjects/Contact", "referenceId": "b", "body": {}},
    ]
    body = {"allOrNone": True, "compositeRequest": parts}
    answers = rest("POST", "composite", json=body).json()["compositeResponse"]
    assert [a["body"][0]["errorCode"] for a in answers] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
    ]
    assert rest.query(f"SELECT Id FROM Account WHERE Name = '{key}'") == []


def test_a_record_of_nothing_but_defaults(rest: Any) -> None:
    assert rest("POST", "sobjects/Task", json={}).status_code == 201
    two = {"records": [{"attributes": {"type": "Task"}}] * 2}
    assert [r["success"] for r in rest("POST", "composite/sobjects", json=two).json()] == [True] * 2


def test_few_queries_and_few_changes_of_object_in_one_call(rest: Any) -> None:
    parts = [
        {
            "method": "GET",
            "url": "/services/data/v67.0/query?q=SELECT+Id+FROM+User",
            "referenceId": n,
        }
        for n in "abcdef"
    ]
    for number, status in ((5, 200), (6, 400)):
        answer = rest("POST", "composite", json={"compositeRequest": parts[:number]})
        assert answer.status_code == status, answer.text
    mixed = [{"attributes": {"type": t}} for _ in range(6) for t in ("Account", "Contact")]
    for number, status in ((10, 200), (11, 400)):
        answer = rest("POST", "composite/sobjects", json={"records": mixed[:number]})
        assert answer.status_code == status, answer.text


def test_batch(rest: Any) -> None:
    body = {
        "haltOnError": True,
        "batchRequests": [
            {"method": "GET", "url": "v67.0/limits/recordCount?sObjects=Account"},
            {"method": "GET", "url": "v67.0/sobjects/Banana"},
            {"method": "GET", "url": "v67.0/limits"},
        ],
    }
    answer = rest("POST", "composite/batch", json=body).json()
    assert answer["hasErrors"] is True
    assert [r["statusCode"] for r in answer["results"]] == [200, 404, 412]


def test_tree(rest: Any, key: str) -> None:
    def account(name: str | None) -> dict[str, Any]:
        return {
            "attributes": {"type": "Account", "referenceId": "acme"},
            "Name": key,
            "Contacts": {
                "records": [
                    {"attributes": {"type": "Contact", "referenceId": "mei"}, "LastName": name}
                ]
            },
        }

    created = rest("POST", "composite/tree/Account", json={"records": [account("Ito")]})
    assert created.status_code == 201
    assert [r["referenceId"] for r in created.json()["results"]] == ["acme", "mei"]
    contacts = rest.query(f"SELECT Name FROM Contact WHERE Account.Name = '{key}'")
    assert contacts == [{"Name": "Ito"}]
    refused = rest("POST", "composite/tree/Account", json={"records": [account(None)]})
    assert refused.status_code == 400
    assert refused.json()["results"][0]["referenceId"] == "mei"
    assert (
        rest("GET", f"query?q=SELECT count() FROM Account WHERE Name='{key}'").json()["totalSize"]
        == 1
    )


def test_a_collection_of_nothing_is_refused(rest: Any) -> None:
    for method, path in (
        ("POST", "composite/sobjects"),
        ("PATCH", "composite/sobjects"),
        ("PATCH", "composite/sobjects/Contact/Causeway_Key__c"),
    ):
        answer = rest(method, path, json={"records": []})
        assert (answer.status_code, answer.json()[0]["message"]) == (
            *(400, "At least 1 record is required"),
        )
        assert answer.json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert rest("DELETE", "composite/sobjects?ids=").status_code == 400


def test_records_that_say_not_which_they_are(rest: Any) -> None:
    contact = {"attributes": {"type": "Contact"}, "Title": "x"}
    [refused] = rest("PATCH", "composite/sobjects", json={"records": [contact]}).json()
    [error] = refused["errors"]
    assert (error["statusCode"], error["fields"]) == ("MISSING_ARGUMENT", [])
    keyed = rest(
        "PATCH", "composite/sobjects/Contact/Causeway_Key__c", json={"records": [contact]}
    ).json()
    assert keyed[0]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
