"""Bulk API 2.0 ingest: files, chunks, results, and jobs that fail as a whole."""

import csv
import io
from typing import Any

import pytest

UPSERT = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_life_of_a_job(rest: Any, key: str) -> None:
    job = rest("POST", "jobs/ingest", json=UPSERT).json()
    assert (job["state"], job["apiVersion"], job["id"][:3]) == ("Open", 67.0, "750")
    assert job["contentUrl"] == f"services/data/v67.0/jobs/ingest/{job['id']}/batches"
    early = rest("GET", f"jobs/ingest/{job['id']}/successfulResults")
    assert early.status_code == 400
    data = f"Causeway_Key__c,LastName\n{key},Ito\n"
    assert rest("PUT", f"jobs/ingest/{job['id']}/batches", data=data).status_code == 201
    twice = rest("PUT", f"jobs/ingest/{job['id']}/batches", data=data)
    assert (twice.status_code, twice.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    aborted = rest("PATCH", f"jobs/ingest/{job['id']}", json={"state": "Aborted"})
    assert aborted.json()["state"] == "Aborted"
    unprocessed = rest("GET", f"jobs/ingest/{job['id']}/unprocessedrecords")
    assert unprocessed.text == data
    assert rest("DELETE", f"jobs/ingest/{job['id']}").status_code == 204
    assert rest("GET", f"jobs/ingest/{job['id']}").status_code == 404


def test_jobs_are_listed(rest: Any) -> None:
    job_id = rest("POST", "jobs/ingest", json=UPSERT).json()["id"]
    page = rest("GET", "jobs/ingest", params={"jobType": "V2Ingest"}).json()
    assert {"done", "records", "nextRecordsUrl"} <= set(page)
    while job_id not in {job["id"] for job in page["records"]} and page["nextRecordsUrl"]:
        page = rest("GET", page["nextRecordsUrl"]).json()
    assert job_id in {job["id"] for job in page["records"]}
    rest("PATCH", f"jobs/ingest/{job_id}", json={"state": "Aborted"})


def test_results_echo_columns_and_have_no_charset(rest: Any, key: str) -> None:
    data = (
        f'Causeway_Key__c,LastName,Description\n{key}-1,Café,"two\nlines, ""quoted"""\n{key}-2,,\n'
    )
    job = rest.ingest(data, **UPSERT)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (
        "JobComplete",
        2,
        1,
    )
    good, bad = rows(job["successfulResults"]), rows(job["failedResults"])
    assert list(good[0]) == ["sf__Id", "sf__Created", "Causeway_Key__c", "LastName", "Description"]
    assert good[0]["Description"] == 'two\nlines, "quoted"'
    assert (good[0]["LastName"], good[0]["sf__Created"]) == ("Café", "true")
    assert bad[0]["sf__Error"] == (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    )
    answer = rest("GET", f"jobs/ingest/{job['id']}/successfulResults")
    assert answer.headers["content-type"] == "text/csv"


def test_empty_keeps_and_na_clears(rest: Any, key: str) -> None:
    rest.ingest(f"Causeway_Key__c,LastName,Phone,Title\n{key},Ito,1,Boss\n", **UPSERT)
    rest.ingest(f"Causeway_Key__c,LastName,Phone,Title\n{key},,#N/A,\n", **UPSERT)
    soql = f"SELECT LastName, Phone, Title FROM Contact WHERE Causeway_Key__c = '{key}'"
    assert rest.query(soql) == [{"LastName": "Ito", "Phone": None, "Title": "Boss"}]


def test_duplicates_fail_within_a_chunk_and_pass_between_chunks(rest: Any, key: str) -> None:
    names = [f"{key}-{n}" for n in range(500)]
    names[10] = names[20] = f"{key}-twin"  # one chunk: both refused
    names[30] = names[430] = f"{key}-late"  # two chunks: the later one changes the record
    lines = [f"{name},Doe {n}" for n, name in enumerate(names)]
    job = rest.ingest("Causeway_Key__c,LastName\n" + "\n".join(lines) + "\n", **UPSERT)
    bad = rows(job["failedResults"])
    assert {r["Causeway_Key__c"] for r in bad} == {f"{key}-twin"}
    assert len(bad) == 2
    late = [r for r in rows(job["successfulResults"]) if r["Causeway_Key__c"] == f"{key}-late"]
    assert [r["sf__Created"] for r in late] == ["true", "false"]
    contacts = rest.query(f"SELECT LastName FROM Contact WHERE Causeway_Key__c = '{key}-late'")
    assert contacts == [{"LastName": "Doe 430"}]


def test_parents_by_external_id(rest: Any, key: str) -> None:
    accounts = {"object": "Account", "operation": "insert"}
    rest.ingest(f"Causeway_Key__c,Name\n{key}-a,Acme\n", **accounts)
    data = (
        "Causeway_Key__c,LastName,Account.Causeway_Key__c\n"
        f"{key}-1,Ito,{key.upper()}-A\n{key}-2,Abe,{key}-b\n{key}-3,Ono,\n"
    )
    job = rest.ingest(data, **UPSERT)
    assert rows(job["failedResults"])[0]["sf__Error"] == (
        f"INVALID_FIELD:Foreign key external ID: {key}-b not found for field Causeway_Key__c in "
        "entity Account:--"
    )
    soql = f"SELECT Account.Name FROM Contact WHERE Causeway_Key__c = '{key}-1'"
    assert rest.query(soql)[0]["Account"]["Name"] == "Acme"
    cleared = f"Causeway_Key__c,Account.Causeway_Key__c\n{key}-1,#N/A\n"
    assert rest.ingest(cleared, **UPSERT)["numberRecordsFailed"] == 0
    assert rest.query(soql) == [{"Account": None}]


def test_rows_may_name_parents_of_earlier_chunks(rest: Any, key: str) -> None:
    lines = [f"{key}-{n},A{n},{f'{key}-{n - 200}' if n >= 200 else ''}" for n in range(400)]
    spec = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}
    header = "Causeway_Key__c,Name,Parent.Causeway_Key__c\n"
    job = rest.ingest(header + "\n".join(lines) + "\n", **spec)
    assert job["numberRecordsFailed"] == 0


@pytest.mark.parametrize(
    ("data", "spec", "message"),
    [
        ("LastName,Nope__c\nIto,1\n", {}, "InvalidBatch : Field name not found : Nope__c"),
        ("FirstName\nMei\n", UPSERT, "InvalidBatch : Field name not found : Causeway_Key__c"),
        (
            "LastName\r\nIto\r\n",
            {},
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting "
            "is LF",
        ),
        ("LastName\n", {}, "InvalidBatch : Records not found"),
        ("", {}, "InvalidBatch : Records not found"),
        (
            'LastName\n"Ito" x\n',
            {},
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote "
            "should be within a quote",
        ),
        (
            'LastName,Title\nO"Neil,Boss\n',
            {},
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote "
            "should be within a quote",
        ),
        (
            '\ufeff"LastName"\n"Ito"\n',
            {},
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote "
            "should be within a quote",
        ),
    ],
)
def test_whole_jobs_fail(rest: Any, data: str, spec: dict[str, str], message: str) -> None:
    job = rest.ingest(data, **({"object": "Contact", "operation": "insert"} | spec))
    assert (job["state"], job["errorMessage"]) == ("Failed", message)
    assert job["unprocessedrecords"] == data


@pytest.mark.parametrize(
    ("delimiter", "mark", "ending"),
    [
        ("PIPE", "|", "LF"),
        ("TAB", "\t", "LF"),
        ("SEMICOLON", ";", "CRLF"),
        ("CARET", "^", "LF"),
        ("BACKQUOTE", "`", "LF"),
        ("COMMA", ",", "CRLF"),
    ],
)
def test_delimiters_and_line_ends(
    rest: Any, key: str, delimiter: str, mark: str, ending: str
) -> None:
    end = "\r\n" if ending == "CRLF" else "\n"
    data = f'LastName{mark}FirstName{end}{key}{mark}"Mei, really"{end}'
    spec = {"columnDelimiter": delimiter, "lineEnding": ending}
    job = rest.ingest(data, object="Contact", operation="insert", **spec)
    assert job["state"] == "JobComplete", job
    contacts = rest.query(f"SELECT FirstName FROM Contact WHERE LastName = '{key}'")
    assert contacts == [{"FirstName": "Mei, really"}]


def test_row_errors_of_each_kind(rest: Any, key: str) -> None:
    data = (
        "LastName,Birthdate,HasOptedOutOfEmail,MailingLatitude,Id\n"
        "Ito,01/02/2024,true,1.5,\n"
        "Ito,2024-02-30,true,1.5,\n"
        "Ito,2024-01-02,perhaps,1.5,\n"
        "Ito,2024-01-02,YES,north,\n"
        "Ito,2024-01-02,0,1e1,\n"
    )
    job = rest.ingest(data, object="Contact", operation="insert")
    codes = [r["sf__Error"].split(":")[0] for r in rows(job["failedResults"])]
    assert codes == [
        "INVALID_FIELD",
        "INVALID_FIELD",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
    ]
    assert len(rows(job["successfulResults"])) == 1


def test_update_and_delete_by_id(rest: Any, key: str) -> None:
    insertion = rest.ingest(f"Name\n{key} 1\n{key} 2\n", object="Account", operation="insert")
    ids = [r["sf__Id"] for r in rows(insertion["successfulResults"])]
    data = f"Id,Phone\n{ids[0]},1\n{ids[1][:15]},2\n,3\n001000000000000AAA,4\nbad,5\n"
    job = rest.ingest(data, object="Account", operation="update")
    assert [r["sf__Error"].split(":")[0] for r in rows(job["failedResults"])] == [
        "MISSING_ARGUMENT",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
    ]
    accounts = rest.query(f"SELECT Phone FROM Account WHERE Name LIKE '{key} %' ORDER BY Phone")
    assert accounts == [{"Phone": "1"}, {"Phone": "2"}]
    deletion = rest.ingest(f"Id\n{ids[0]}\n{ids[0]}\n", object="Account", operation="delete")
    assert (deletion["numberRecordsProcessed"], deletion["numberRecordsFailed"]) == (2, 1)
    hard = rest.ingest(f"Id\n{ids[0]}\n", object="Account", operation="hardDelete")
    assert hard["numberRecordsFailed"] == 0
    every = rest("GET", "queryAll", params={"q": f"SELECT Id FROM Account WHERE Id = '{ids[0]}'"})
    assert every.json()["totalSize"] == 0


def test_multipart(rest: Any, key: str) -> None:
    files = {
        "job": (None, '{"object":"Contact","operation":"insert"}', "application/json"),
        "content": ("content", f"LastName\n{key}\n", "text/csv"),
    }
    job = rest("POST", "jobs/ingest", files=files)
    assert job.status_code == 200, job.text
    import time

    while rest("GET", f"jobs/ingest/{job.json()['id']}").json()["state"] != "JobComplete":
        time.sleep(0.02)
    assert len(rest.query(f"SELECT Id FROM Contact WHERE LastName = '{key}'")) == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"object": "Banana", "operation": "insert"},
        {"object": "Contact", "operation": "juggle"},
        {"object": "Contact", "operation": "upsert"},
        {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Title"},
        {"object": "Contact", "operation": "insert", "columnDelimiter": "SPACE"},
        {"object": "LeadStatus", "operation": "insert"},
    ],
)
def test_jobs_that_cannot_be(rest: Any, spec: dict[str, str]) -> None:
    answer = rest("POST", "jobs/ingest", json=spec)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOB")


def test_chunked_and_gzipped_uploads(rest: Any, key: str) -> None:
    import gzip

    job = rest("POST", "jobs/ingest", json=UPSERT).json()
    data = gzip.compress(f"Causeway_Key__c,LastName\n{key},Ito\n".encode())
    put = rest(
        "PUT",
        f"jobs/ingest/{job['id']}/batches",
        data=iter([data[:10], data[10:]]),
        headers={"Content-Encoding": "gzip"},
    )
    assert put.status_code == 201
