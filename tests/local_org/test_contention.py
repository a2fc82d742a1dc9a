"""Writers of one account at once lock each other out, through every API, if the org says so."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines.local_org import control

LOCKED = "unable to obtain exclusive access to this record or 1 records: "
SOAP = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="urn:partner.soap.sforce.com"><e:Header><SessionHeader><sessionId>{token}</sessionId>'
    "</SessionHeader></e:Header><e:Body>{body}</e:Body></e:Envelope>"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("contended")
    yield folder
    control.stop(folder)


@pytest.fixture
def contended(home: Path, rest_of: Any) -> Any:
    rest = rest_of(control.start(home, faults=True))
    control.inject(home)
    return rest


def single(rest: Any, account: str) -> str:
    return rest("POST", "sobjects/Contact", json={"LastName": "x", "AccountId": account}).text


def collection(rest: Any, account: str) -> str:
    contact = {"attributes": {"type": "Contact"}, "LastName": "x", "AccountId": account}
    answer = rest("POST", "composite/sobjects", json={"records": [contact] * 3})
    return answer.text


def composite(rest: Any, account: str) -> str:
    part = {
        "method": "PATCH",
        "url": f"/services/data/v67.0/sobjects/Account/{account}",
        "referenceId": "a",
        "body": {"Phone": "1"},
    }
    return rest("POST", "composite", json={"compositeRequest": [part]}).text


def tree(rest: Any, account: str) -> str:
    contact = {"attributes": {"type": "Contact", "referenceId": "a"}, "LastName": "x"}
    records = {"records": [contact | {"AccountId": account}]}
    return rest("POST", "composite/tree/Contact", json=records).text


def deletion(rest: Any, account: str) -> str:
    return rest("DELETE", f"sobjects/Account/{account}").text


def classic(rest: Any, account: str) -> str:
    headers = {"X-SFDC-Session": rest.org["access_token"]}
    base = "/services/async/67.0/job"
    spec = {"operation": "insert", "object": "Contact", "contentType": "CSV"}
    job = rest("POST", base, json=spec, headers=headers).json()["id"]
    csv = f"LastName,AccountId\nx,{account}\n"
    slow = {"Content-Type": "text/csv", **headers}
    batch = rest("POST", f"{base}/{job}/batch", data=csv, headers=slow)
    batch_id = batch.text.partition("<id>")[2].partition("</id>")[0]
    return rest("GET", f"{base}/{job}/batch/{batch_id}/result", headers=headers).text


def conversion(rest: Any, account: str) -> str:
    lead = rest("POST", "sobjects/Lead", json={"LastName": "x", "Company": "y"}).json()["id"]
    body = (
        f"<convertLead><leadConverts><accountId>{account}</accountId><leadId>{lead}</leadId>"
        "<convertedStatus>Closed - Converted</convertedStatus>"
        "<doNotCreateOpportunity>true</doNotCreateOpportunity></leadConverts></convertLead>"
    )
    return call(rest, body)


def merge(rest: Any, account: str) -> str:
    victim = rest("POST", "sobjects/Account", json={"Name": "Twin"}).json()["id"]
    sobject = 'xmlns:s="urn:sobject.partner.soap.sforce.com"'
    body = (
        f"<merge {sobject}><mergeRequests><masterRecord><s:type>Account</s:type>"
        f"<s:Id>{account}</s:Id></masterRecord><recordToMergeIds>{victim}</recordToMergeIds>"
        "</mergeRequests></merge>"
    )
    return call(rest, body)


def call(rest: Any, body: str) -> str:
    envelope = SOAP.format(token=rest.org["access_token"], body=body)
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    return rest("POST", "/services/Soap/u/60.0", data=envelope, headers=headers).text


WRITES = {
    single: "sobjects/Contact$",
    collection: "composite/sobjects$",
    composite: "composite$",
    tree: "composite/tree",
    deletion: "sobjects/Account/",
    classic: "batch$",
    conversion: "Soap",
    merge: "Soap",
}


@pytest.mark.parametrize("write", WRITES)
def test_who_comes_while_another_is_under_way_is_refused(
    contended: Any, home: Path, write: Callable[[Any, str], str]
) -> None:
    account = contended("POST", "sobjects/Account", json={"Name": "A"}).json()["id"]
    other = contended("POST", "sobjects/Account", json={"Name": "B"}).json()["id"]

    def meanwhile(free: str) -> tuple[str, requests.Response]:
        """A write that is slow to begin, and one that is done meanwhile."""
        path = WRITES[write]
        control.inject(
            home, {"kind": "slow", "seconds": 0.8, "path": path, "method": method(write)}
        )
        with ThreadPoolExecutor() as pool:
            slow = pool.submit(write, contended, account)
            while any(fault["kind"] == "slow" for fault in control.armed(home)):
                pass
            quick = contended("PATCH", f"sobjects/Account/{free}", json={"Site": "s"})
            return slow.result(), quick

    # Nothing contends until it is switched on.
    if write is not deletion:
        answer, quick = meanwhile(account)
        assert (LOCKED in answer, quick.status_code) == (False, 204)
    control.inject(home, {"kind": "lock_contention"})
    answer, quick = meanwhile(account)
    assert quick.status_code == 204
    assert "UNABLE_TO_LOCK_ROW" in answer
    assert LOCKED + account[:15] in answer
    # Another account is nobody's business, and alone the same write passes.
    answer, _ = meanwhile(other)
    assert LOCKED not in answer
    if write is not deletion:
        assert LOCKED not in write(contended, account)


def method(write: Callable[[Any, str], str]) -> str:
    return "DELETE" if write is deletion else "POST"


def test_a_bulk_job_can_be_switched_to_contend(contended: Any, home: Path) -> None:
    account = contended("POST", "sobjects/Account", json={"Name": "A"}).json()["id"]
    rows = "LastName,AccountId\n" + f"x,{account}\n" * 10_001
    quiet = contended.ingest(rows, object="Contact", operation="insert")
    assert quiet["numberRecordsFailed"] == 0
    control.inject(home, {"kind": "lock_contention"})
    loud = contended.ingest(rows, object="Contact", operation="insert")
    assert loud["numberRecordsFailed"] == 1
    assert LOCKED + account[:15] in loud["failedResults"]


def test_deletions_meet_locked_rows_too(contended: Any, home: Path) -> None:
    contact = contended("POST", "sobjects/Contact", json={"LastName": "x"}).json()["id"]
    control.inject(home, {"kind": "lock_rows", "object": "Contact", "share": 1})
    refused = contended("DELETE", f"sobjects/Contact/{contact}")
    assert refused.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert contended("DELETE", f"sobjects/Contact/{contact}").status_code == 204
