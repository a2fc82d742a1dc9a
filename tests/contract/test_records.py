"""Single records: the answers and refusals of api-facts 2.3, over a bare client."""

from typing import Any

import pytest


def make(rest: Any, name: str, **values: Any) -> str:
    answer = rest("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_create_says_where(rest: Any) -> None:
    answer = rest("POST", "sobjects/Account", json={"Name": "Acme"})
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "success": True, "errors": []}
    assert len(answer.json()["id"]) == 18
    assert answer.headers["Location"].endswith(f"/sobjects/Account/{answer.json()['id']}")


def test_system_fields_and_defaults(rest: Any) -> None:
    lead = rest(
        "GET", f"sobjects/Lead/{make(rest, 'Lead', LastName='Ito', Company='Ito KK')}"
    ).json()
    user = lead["OwnerId"]
    assert lead["attributes"]["type"] == "Lead"
    assert lead["Status"] == "Open - Not Contacted"
    assert (lead["IsConverted"], lead["HasOptedOutOfEmail"], lead["IsDeleted"]) == (False,) * 3
    assert lead["CreatedById"] == lead["LastModifiedById"] == user
    assert lead["CreatedDate"] == lead["SystemModstamp"]
    assert lead["CreatedDate"].endswith(".000+0000")
    assert lead["Address"] is None


def test_compound_fields_are_composed_and_refused(rest: Any) -> None:
    contact = make(rest, "Contact", FirstName="Mei", LastName="Ito", MailingCity="Kobe")
    read = rest("GET", f"sobjects/Contact/{contact}?fields=Name,MailingAddress").json()
    assert read["Name"] == "Mei Ito"
    assert read["MailingAddress"]["city"] == "Kobe"
    assert read["MailingAddress"]["street"] is None
    answer = rest("PATCH", f"sobjects/Contact/{contact}", json={"Name": "M"})
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


@pytest.mark.parametrize(
    ("name", "values", "code", "message", "fields"),
    [
        (
            "Lead",
            {"FirstName": "Mei"},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName, Company]",
            ["LastName", "Company"],
        ),
        (
            "Contact",
            {"LastName": "x" * 81},
            "STRING_TOO_LONG",
            f"Last Name: data value too large: {'x' * 81} (max length=80)",
            ["LastName"],
        ),
        (
            "Contact",
            {"LastName": "Ito", "Email": "foo"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: foo",
            ["Email"],
        ),
        (
            "Account",
            {"Name": "A", "CleanStatus": "Sparkling"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Clean Status: bad value for restricted picklist field: Sparkling",
            ["CleanStatus"],
        ),
        (
            "Contact",
            {"LastName": "Ito", "AccountId": "bad id"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: bad id",
            ["AccountId"],
        ),
        (
            "Contact",
            {"LastName": "Ito", "AccountId": "001000000000000AAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            ["AccountId"],
        ),
        (
            "Account",
            {"Name": "A", "Foo__c": "x"},
            "INVALID_FIELD",
            "No such column 'Foo__c' on sobject of type Account",
            [],
        ),
        (
            "Account",
            {"Name": "A", "IsDeleted": True},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: IsDeleted. Please check the security settings of "
            "this field and verify that it is read/write for your profile or permission set.",
            ["IsDeleted"],
        ),
        (
            "Account",
            {"Name": "A", "NumberOfEmployees": 123456789},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 123456789",
            ["NumberOfEmployees"],
        ),
        (
            "Contact",
            {"LastName": "Ito", "Account": {"Causeway_Key__c": "nobody"}},
            "INVALID_FIELD",
            "Foreign key external ID: nobody not found for field Causeway_Key__c in entity Account",
            [],
        ),
    ],
)
def test_refusals(
    rest: Any, name: str, values: dict[str, Any], code: str, message: str, fields: list[str]
) -> None:
    answer = rest("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 400
    assert answer.json() == [{"message": message, "errorCode": code, "fields": fields}]


@pytest.mark.parametrize(
    "values",
    [
        {"Birthdate": "01/02/2024"},
        {"Birthdate": ""},
        {"HasOptedOutOfEmail": 3},
        {"LastName": 5},
        {"MailingLatitude": "north"},
        {"LastName": {"a": 1, "b": [1]}} | {"MailingLatitude": [1]},
    ],
)
def test_wrong_json_types(rest: Any, values: dict[str, Any]) -> None:
    answer = rest("POST", "sobjects/Contact", json={"LastName": "Ito"} | values)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] in {"JSON_PARSER_ERROR", "INVALID_FIELD"}


def test_null_clears_and_silence_keeps(rest: Any) -> None:
    contact = make(rest, "Contact", LastName="Ito", Phone="1", Title="Boss")
    assert rest("PATCH", f"sobjects/Contact/{contact}", json={"Phone": None}).status_code == 204
    read = rest("GET", f"sobjects/Contact/{contact}").json()
    assert (read["Phone"], read["Title"]) == (None, "Boss")


def test_values_are_stored_as_salesforce_stores_them(rest: Any) -> None:
    contact = make(
        rest, "Contact", LastName="Ito  ", Email="Mei@X.Org", LeadSource="web", Title=" \t"
    )
    read = rest("GET", f"sobjects/Contact/{contact}").json()
    assert (read["LastName"], read["Email"], read["LeadSource"], read["Title"]) == (
        "Ito",
        "mei@x.org",
        "Web",
        None,
    )
    other = make(rest, "Contact", LastName="Ito", LeadSource="Carrier Pigeon")
    assert rest("GET", f"sobjects/Contact/{other}").json()["LeadSource"] == "Carrier Pigeon"


def test_upsert_statuses(rest: Any, key: str) -> None:
    path = f"sobjects/Contact/Causeway_Key__c/{key}"
    created = rest("PATCH", path, json={"LastName": "Ito"})
    assert (created.status_code, created.json()["created"]) == (201, True)
    changed = rest("PATCH", f"sobjects/Contact/Causeway_Key__c/{key.upper()}", json={"Title": "x"})
    assert (changed.status_code, changed.json()["created"]) == (200, False)
    assert changed.json()["id"] == created.json()["id"]
    assert rest.at("45.0")("PATCH", path, json={"Title": "y"}).status_code == 204
    wrong = rest("PATCH", "sobjects/Contact/Title/x", json={"LastName": "Ito"})
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    inside = rest("PATCH", path, json={"Causeway_Key__c": key})
    assert (inside.status_code, inside.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    missing = rest("PATCH", f"sobjects/Contact/Causeway_Key__c/{key}-no?updateOnly=true", json={})
    assert missing.status_code == 404


def test_several_matches(rest: Any, key: str) -> None:
    both = [make(rest, "Contact", LastName="Ito", Email=f"{key}@x.org") for _ in range(2)]
    answer = rest("PATCH", f"sobjects/Contact/Email/{key}@x.org", json={"LastName": "Abe"})
    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v67.0/sobjects/Contact/{i}" for i in both]


def test_unique_values(rest: Any, key: str) -> None:
    first = make(rest, "Contact", LastName="Ito", Causeway_Key__c=key)
    answer = rest(
        "POST", "sobjects/Contact", json={"LastName": "Abe", "Causeway_Key__c": key.upper()}
    )
    assert answer.json()[0] == {
        "message": "duplicate value found: Causeway_Key__c duplicates value on record with id: "
        + first[:15],
        "errorCode": "DUPLICATE_VALUE",
        "fields": [],
    }


def test_deleted_records(rest: Any, key: str) -> None:
    account = make(rest, "Account", Name=key)
    contact = make(rest, "Contact", LastName="Ito", AccountId=account, Causeway_Key__c=key)
    child = make(rest, "Account", Name="child", ParentId=account)
    assert rest("DELETE", f"sobjects/Account/{account}").status_code == 204
    for record in (f"Account/{account}", f"Contact/{contact}"):
        answer = rest("GET", f"sobjects/{record}")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert rest("GET", f"sobjects/Account/{child}").json()["ParentId"] is None
    new_contact = make(rest, "Contact", LastName="Abe", Causeway_Key__c=key)
    assert new_contact != contact
    late = rest("POST", "sobjects/Contact", json={"LastName": "Abe", "AccountId": account})
    assert late.json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_short_ids_are_taken_and_long_ones_answered(rest: Any) -> None:
    account = make(rest, "Account", Name="A")
    contact = make(rest, "Contact", LastName="Ito", AccountId=account[:15])
    assert rest("GET", f"sobjects/Contact/{contact[:15]}").json()["AccountId"] == account


def test_unknown_things(rest: Any) -> None:
    assert rest("GET", "sobjects/Banana/describe").status_code == 404
    assert rest("GET", "sobjects/Account/001000000000000AAA").status_code == 404
    answer = rest("PUT", "sobjects/Account")
    assert answer.status_code == 405
    assert answer.json()[0]["errorCode"] == "METHOD_NOT_ALLOWED"
    assert rest("DELETE", "sobjects/User/005000000000000AAA").status_code == 405
    broken = rest(
        "POST", "sobjects/Account", data="{", headers={"Content-Type": "application/json"}
    )
    assert broken.json()[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_owner_must_be_of_the_right_kind(rest: Any) -> None:
    account = make(rest, "Account", Name="A")
    answer = rest("POST", "sobjects/Contact", json={"LastName": "Ito", "OwnerId": account})
    assert answer.json()[0]["errorCode"] == "MALFORMED_ID"
