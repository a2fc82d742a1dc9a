"""Bulk API 1.0, as CumulusCI and older loaders use it (api-facts 3.9)."""

import csv
import io
import time
from typing import Any

from lxml import etree

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


def call(rest: Any, method: str, path: str, body: str, kind: str = "application/xml") -> Any:
    headers = {"X-SFDC-Session": rest.connection[1], "Content-Type": f"{kind}; charset=UTF-8"}
    return rest(method, f"/services/async/67.0/job{path}", data=body.encode(), headers=headers)


def text_of(answer: Any, name: str) -> str:
    return str(etree.fromstring(answer.content).findtext(f".//{{*}}{name}"))


def job(rest: Any, **values: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    body = f'<jobInfo xmlns="{NAMESPACE}">{inner}<contentType>CSV</contentType></jobInfo>'
    created = call(rest, "POST", "", body)
    assert created.status_code == 201, created.text
    assert text_of(created, "state") == "Open"
    return text_of(created, "id")


def run(rest: Any, job_id: str, data: str) -> str:
    """Send a batch and wait for it; the path of its results."""
    batch = text_of(call(rest, "POST", f"/{job_id}/batch", data, "text/csv"), "id")
    path = f"/{job_id}/batch/{batch}"
    while (state := text_of(call(rest, "GET", path, ""), "state")) in {"Queued", "InProgress"}:
        time.sleep(0.02)
    assert state == "Completed"
    return f"{path}/result"


def test_batches_answer_in_the_order_of_their_rows(rest: Any, key: str) -> None:
    job_id = job(rest, operation="insert", object="Contact")
    path = run(rest, job_id, f'"LastName","FirstName"\r\n"{key}","Mei"\r\n"","Ken"\r\n')
    rows = list(csv.DictReader(io.StringIO(call(rest, "GET", path, "").text, newline="")))
    assert [(row["Success"], row["Created"]) for row in rows] == [("true", "true"), ("false",) * 2]
    assert rows[0]["Id"][:3] == "003"
    assert rows[1]["Error"].startswith("REQUIRED_FIELD_MISSING:")
    closed = f'<jobInfo xmlns="{NAMESPACE}"><state>Closed</state></jobInfo>'
    assert text_of(call(rest, "POST", f"/{job_id}", closed), "state") == "Closed"
    assert text_of(call(rest, "GET", f"/{job_id}", ""), "numberRecordsFailed") == "1"


def test_queries_have_results_of_their_own(rest: Any, key: str) -> None:
    rest("POST", "sobjects/Account", json={"Name": key})
    job_id = job(rest, operation="query", object="Account")
    path = run(rest, job_id, f"SELECT Name FROM Account WHERE Name = '{key}'")
    result = text_of(call(rest, "GET", path, ""), "result")
    assert result[:3] == "752"
    assert call(rest, "GET", f"{path}/{result}", "").text == f'"Name"\n"{key}"\n'


def test_refusals_have_their_own_codes(rest: Any) -> None:
    body = f'<jobInfo xmlns="{NAMESPACE}"><operation>x</operation></jobInfo>'
    refused = call(rest, "POST", "", body)
    assert (refused.status_code, text_of(refused, "exceptionCode")) == (400, "InvalidJob")
    lost = call(rest, "GET", "/750000000000000AAA", "")
    assert text_of(lost, "exceptionCode") == "InvalidJob"
