"""Addresses: in an org with State and Country picklists text and code say the same."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def coded(rest: Any) -> bool:
    """Whether the org has picklists of countries and states, as new ones do."""
    described = rest("GET", "sobjects/Contact/describe").json()
    return "MailingCountryCode" in {field["name"] for field in described["fields"]}


def test_a_text_brings_its_code(rest: Any, key: str, coded: bool) -> None:
    values = {"LastName": key, "MailingCountry": "United States", "MailingState": "California"}
    contact_id = rest("POST", "sobjects/Contact", json=values).json()["id"]
    names = ("MailingCountryCode", "MailingStateCode") if coded else tuple(values)[1:]
    read = rest("GET", f"sobjects/Contact/{contact_id}").json()
    assert [read[name] for name in names] == (
        ["US", "CA"] if coded else ["United States", "California"]
    )
    compound = rest.query(f"SELECT MailingAddress FROM Contact WHERE Id = '{contact_id}'")
    assert compound[0]["MailingAddress"]["state"] == "California"


def test_only_free_text_takes_any_country(rest: Any, key: str, coded: bool) -> None:
    values = {"LastName": key, "MailingCountry": "Atlantis"}
    answer = rest("POST", "sobjects/Contact", json=values)
    if not coded:
        assert answer.status_code == 201
        return
    [error] = answer.json()
    assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert error["fields"] == ["MailingCountry"]
    assert error["message"].startswith("There's a problem with this country")


def test_describe_says_which_state_is_whose(rest: Any, coded: bool) -> None:
    described = rest("GET", "sobjects/Lead/describe").json()["fields"]
    fields = {field["name"]: field for field in described}
    assert ("StateCode" in fields) == coded
    if coded:
        assert fields["StateCode"]["controllerName"] == "CountryCode"
        assert fields["StateCode"]["dependentPicklist"] is True
        assert all(value["validFor"] for value in fields["StateCode"]["picklistValues"])
