"""Undelete, purge, and what the API tells of deleted records."""

import datetime as dt
import re
from typing import Any

import pytest


@pytest.fixture
def soap(org: dict[str, Any], rest: Any) -> Any:
    """Calls an operation with ids; a (success, status code, id) for each."""

    def call(operation: str, *ids: str) -> list[tuple[bool, str | None, str | None]]:
        listed = "".join(f"<ids>{record_id}</ids>" for record_id in ids)
        body = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns="urn:partner.soap.sforce.com"><soapenv:Header><SessionHeader><sessionId>'
            f"{org['access_token']}</sessionId></SessionHeader></soapenv:Header><soapenv:Body>"
            f"<{operation}>{listed}</{operation}></soapenv:Body></soapenv:Envelope>"
        )
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        answer = rest("POST", "/services/Soap/u/67.0", data=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return [
            (
                "<success>true</success>" in result,
                (re.findall("<statusCode>(.*?)<", result) or [None])[0],
                (re.findall("<id>(.*?)<", result) or [None])[0],
            )
            for result in re.findall("<result>(.*?)</result>", answer.text)
        ]

    return call


@pytest.fixture
def family(rest: Any, key: str) -> dict[str, str]:
    """An account with two contacts, of which one reports to the other, and a child account."""
    ids: dict[str, str] = {}

    def make(name: str, sobject: str, **values: Any) -> None:
        answer = rest("POST", f"sobjects/{sobject}", json=values)
        assert answer.status_code == 201, answer.text
        ids[name] = answer.json()["id"]

    make("account", "Account", Name=key)
    make("child", "Account", Name=f"{key} child", ParentId=ids["account"])
    make("boss", "Contact", LastName=f"{key} boss", AccountId=ids["account"])
    make("clerk", "Contact", LastName=f"{key} clerk", AccountId=ids["account"])
    return ids


def live(rest: Any, sobject: str, *ids: str) -> list[str]:
    listed = ", ".join(f"'{record_id}'" for record_id in ids)
    return [r["Id"] for r in rest.query(f"SELECT Id FROM {sobject} WHERE Id IN ({listed})")]


def test_a_record_comes_back_with_what_went_with_it(
    rest: Any, soap: Any, family: dict[str, str]
) -> None:
    account, child = family["account"], family["child"]
    contacts = [family["boss"], family["clerk"]]
    rest("DELETE", f"sobjects/Contact/{family['clerk']}")
    rest("DELETE", f"sobjects/Account/{account}")
    assert live(rest, "Contact", *contacts) == []
    assert rest("GET", f"sobjects/Account/{child}").json()["ParentId"] is None
    assert soap("undelete", account[:15]) == [(True, None, account)]
    # The clerk was deleted before, on its own, and stays in the bin.
    assert live(rest, "Contact", *contacts) == [family["boss"]]
    assert rest("GET", f"sobjects/Account/{child}").json()["ParentId"] == account
    assert soap("undelete", family["clerk"]) == [(True, None, family["clerk"])]
    assert len(live(rest, "Contact", *contacts)) == 2


def test_what_cannot_come_back(rest: Any, soap: Any, family: dict[str, str], key: str) -> None:
    rest("PATCH", f"sobjects/Contact/{family['boss']}", json={"Causeway_Key__c": key})
    rest("DELETE", f"sobjects/Contact/{family['boss']}")
    rival = {"LastName": "Rival", "Causeway_Key__c": key}
    assert rest("POST", "sobjects/Contact", json=rival).status_code == 201
    rest("DELETE", f"sobjects/Account/{family['account']}")
    results = soap("undelete", family["boss"], family["clerk"], family["child"], "003xx", "")
    codes = [code for _, code, _ in results]
    assert codes == ["UNDELETE_FAILED"] * 3 + ["MALFORMED_ID"] * 2
    soap("undelete", family["account"])
    assert soap("undelete", family["boss"])[0][1] == "DUPLICATE_VALUE"


def test_merged_records_come_back_alone(rest: Any, soap: Any, family: dict[str, str]) -> None:
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns="urn:partner.soap.sforce.com"><soapenv:Header><SessionHeader><sessionId>'
        f"{rest.org['access_token']}</sessionId></SessionHeader></soapenv:Header><soapenv:Body>"
        f"<merge><mergeRequests><masterRecord><type>Contact</type><Id>{family['boss']}</Id>"
        f"</masterRecord><recordToMergeIds>{family['clerk']}</recordToMergeIds></mergeRequests>"
        "</merge></soapenv:Body></soapenv:Envelope>"
    )
    rest("POST", "/services/Soap/u/67.0", data=body, headers={"Content-Type": "text/xml"})
    soql = f"SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = '{family['clerk']}'"
    read = rest("GET", "queryAll", params={"q": soql}).json()["records"][0]
    assert (read["IsDeleted"], read["MasterRecordId"]) == (True, family["boss"])
    assert soap("undelete", family["clerk"])[0][0]
    assert rest.query(soql) == [{"IsDeleted": False, "MasterRecordId": None}]


def test_an_emptied_bin_is_empty(rest: Any, soap: Any, family: dict[str, str]) -> None:
    account = family["account"]
    assert soap("emptyRecycleBin", account)[0][1] == "UNDELETE_FAILED"
    rest("DELETE", f"sobjects/Account/{account}")
    assert soap("emptyRecycleBin", account) == [(True, None, account)]
    for name, record_id in (("Account", account), ("Contact", family["boss"])):
        soql = f"SELECT Id FROM {name} WHERE Id = '{record_id}'"
        assert rest("GET", "queryAll", params={"q": soql}).json()["totalSize"] == 0
    assert soap("undelete", account)[0][1] == "UNDELETE_FAILED"


def test_the_api_tells_what_was_deleted_and_changed(rest: Any, family: dict[str, str]) -> None:
    rest("DELETE", f"sobjects/Contact/{family['boss']}")
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
    span = {
        "start": (moment - dt.timedelta(minutes=5)).isoformat(),
        "end": (moment + dt.timedelta(minutes=1)).isoformat(),
    }
    answer = rest("GET", "sobjects/Contact/deleted/", params=span).json()
    deleted = {record["id"] for record in answer["deletedRecords"]}
    changed = set(rest("GET", "sobjects/Contact/updated/", params=span).json()["ids"])
    assert family["boss"] in deleted - changed
    assert family["clerk"] in changed - deleted
    wrong = rest("GET", "sobjects/Contact/deleted", params={"start": "yesterday"})
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
    backwards = rest(
        "GET", "sobjects/Contact/updated", params={"start": span["end"], "end": span["start"]}
    )
    assert backwards.status_code == 400
