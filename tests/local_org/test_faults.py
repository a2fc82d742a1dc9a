"""Faults on demand, each seen from the client."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines.local_org import control


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("faulty")
    yield folder
    control.stop(folder)


@pytest.fixture
def faulty(home: Path, rest_of: Any) -> Any:
    """A client of the org, which runs whatever the last test did to it, without faults armed."""
    rest = rest_of(control.start(home, faults=True))
    control.inject(home)
    log_in(rest)
    return rest


def log_in(rest: Any) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": rest.org["client_id"],
        "client_secret": rest.org["client_secret"],
    }
    token = rest("POST", "/services/oauth2/token", data=form).json()["access_token"]
    rest.session.headers["Authorization"] = f"Bearer {token}"


def ended(home: Path) -> None:
    """Wait until a process that was made to die is gone."""
    while control.status(home)["running"]:
        time.sleep(0.02)


def upload(rest: Any, data: str, **spec: Any) -> str:
    """Make a job and close it; its path."""
    job = rest("POST", "jobs/ingest", json={"operation": "insert", **spec}).json()
    path = f"jobs/ingest/{job['id']}"
    assert rest("PUT", f"{path}/batches", data=data).status_code == 201
    assert rest("PATCH", path, json={"state": "UploadComplete"}).status_code == 200
    return path


def test_orgs_have_no_faults_unless_asked(own_org: Any) -> None:
    org = own_org()
    with pytest.raises(control.LocalOrgError, match="NOT_FOUND"):
        control.inject(Path(org["ca_file"]).parent, {"kind": "expire_sessions"})


def test_wrong_faults_are_named(faulty: Any, home: Path) -> None:
    with pytest.raises(control.LocalOrgError, match=r"lock_rows\.share"):
        control.inject(home, {"kind": "lock_rows", "object": "Contact", "share": 7})


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "INVALID_SESSION_ID"), (403, "REQUEST_LIMIT_EXCEEDED"), (503, "SERVER_UNAVAILABLE")],
)
def test_refusals_count_down(faulty: Any, home: Path, status: int, code: str) -> None:
    control.inject(home, {"kind": "refuse", "status": status, "path": "limits", "times": 2})
    assert faulty("GET", "sobjects").status_code == 200
    answers = [faulty("GET", "limits") for _ in range(3)]
    assert [a.status_code for a in answers] == [status, status, 200]
    assert answers[0].json()[0]["errorCode"] == code


def test_slow_answers(faulty: Any, home: Path) -> None:
    control.inject(home, {"kind": "slow", "seconds": 0.5, "path": "limits"})
    started = time.monotonic()
    faulty("GET", "limits")
    assert time.monotonic() - started >= 0.5


def test_connections_break(faulty: Any, home: Path) -> None:
    control.inject(home, {"kind": "reset", "during": "answer", "path": "sobjects$"})
    with pytest.raises(requests.exceptions.RequestException):
        faulty("GET", "sobjects")
    job = faulty("POST", "jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()
    path = f"jobs/ingest/{job['id']}"
    control.inject(home, {"kind": "reset", "during": "upload", "method": "PUT"})
    with pytest.raises(requests.exceptions.RequestException):
        faulty("PUT", f"{path}/batches", data=b"LastName\n" + b"Ito\n" * 3_000_000)
    assert faulty("PUT", f"{path}/batches", data="LastName\nIto\n").status_code == 201
    control.inject(home, {"kind": "reset", "during": "answer", "after_bytes": 10, "skip": 1})
    assert faulty("GET", "sobjects").status_code == 200
    with pytest.raises(requests.exceptions.RequestException):
        faulty("GET", "limits")


@pytest.mark.parametrize("kind", ["lose_answer", "reset"])
def test_the_work_is_done_though_the_answer_is_lost(
    faulty: Any, home: Path, key: str, kind: str
) -> None:
    more = {} if kind == "lose_answer" else {"during": "answer"}
    control.inject(home, {"kind": kind, "method": "POST", "path": "Account", **more})
    with pytest.raises(requests.exceptions.RequestException):
        faulty("POST", "sobjects/Account", json={"Name": key})
    soql = f"SELECT Id FROM Account WHERE Name = '{key}'"
    accounts = faulty.query(soql)
    assert len(accounts) == 1
    control.inject(home, {"kind": kind, "method": "DELETE", **more})
    with pytest.raises(requests.exceptions.RequestException):
        faulty("DELETE", f"sobjects/Account/{accounts[0]['Id']}")
    assert faulty.query(soql) == []


@pytest.mark.parametrize(("moment", "count"), [("before_work", 0), ("after_work", 1)])
def test_the_process_dies_at_a_request(
    faulty: Any, home: Path, key: str, moment: str, count: int
) -> None:
    control.inject(home, {"kind": "die", "moment": moment, "method": "POST"})
    with pytest.raises(requests.exceptions.RequestException):
        faulty("POST", "sobjects/Contact", json={"LastName": key})
    ended(home)
    control.start(home, faults=True)
    assert len(faulty.query(f"SELECT Id FROM Contact WHERE LastName = '{key}'")) == count


def test_sessions_expire(faulty: Any, home: Path) -> None:
    control.inject(home, {"kind": "expire_sessions"})
    assert faulty("GET", "limits").status_code == 401
    log_in(faulty)
    assert faulty("GET", "limits").status_code == 200


def test_rows_are_locked_for_a_while(faulty: Any, home: Path) -> None:
    control.inject(home, {"kind": "lock_rows", "object": "Contact", "share": 0.5, "seed": 3})
    data = "LastName\n" + "Ito\n" * 100
    spec = {"object": "Contact", "operation": "insert"}
    first = faulty.ingest(data, **spec)
    assert 20 < first["numberRecordsFailed"] < 80
    assert "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access" in first["failedResults"]
    assert faulty.ingest(data, **spec)["numberRecordsFailed"] == 0


def test_jobs_fail_and_hang(faulty: Any, home: Path) -> None:
    spec = {"object": "Contact", "operation": "insert"}
    control.inject(home, {"kind": "job", "end": "Failed"})
    failed = faulty.ingest("LastName\nIto\n", **spec)
    assert (failed["state"], failed["unprocessedrecords"]) == ("Failed", "LastName\nIto\n")
    control.inject(home, {"kind": "job", "end": "InProgress"})
    job = faulty("POST", "jobs/ingest", json=spec).json()
    path = f"jobs/ingest/{job['id']}"
    faulty("PUT", f"{path}/batches", data="LastName\nIto\n")
    faulty("PATCH", path, json={"state": "UploadComplete"})
    time.sleep(0.5)
    assert faulty("GET", path).json()["state"] == "InProgress"
    assert faulty("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert faulty.ingest("LastName\nIto\n", **spec)["state"] == "JobComplete"


@pytest.mark.parametrize("end", ["die_before_commit", "die_after_commit"])
def test_the_process_dies_in_a_job_and_the_job_goes_on(
    faulty: Any, home: Path, key: str, end: str
) -> None:
    control.inject(home, {"kind": "job", "end": end, "object": "Contact", "after_chunks": 2})
    path = upload(faulty, "LastName\n" + f"{key}\n" * 900, object="Contact")
    ended(home)
    control.start(home, faults=True)
    assert control.armed(home) == []
    while (info := faulty("GET", path).json())["state"] != "JobComplete":
        assert info["numberRecordsProcessed"] in {400, 900}
        time.sleep(0.02)
    counting = {"q": f"SELECT count() FROM Contact WHERE LastName = '{key}'"}
    count = faulty("GET", "query", params=counting).json()["totalSize"]
    assert count == info["numberRecordsProcessed"] == 900


def test_faults_outlive_the_process_that_they_kill(faulty: Any, home: Path) -> None:
    fault = {"kind": "job", "end": "die_after_commit", "times": 2, "after_chunks": 1}
    control.inject(home, fault)
    path = upload(faulty, "LastName\n" + "Ito\n" * 500, object="Contact")
    for _ in range(2):
        ended(home)
        control.start(home, faults=True)
    assert control.armed(home) == []
    while faulty("GET", path).json()["state"] != "JobComplete":
        time.sleep(0.02)


def test_query_jobs_fail_too(faulty: Any, home: Path) -> None:
    control.inject(home, {"kind": "job", "end": "Failed", "operation": "query"})
    spec = {"operation": "query", "query": "SELECT Id FROM Contact"}
    for state in ("Failed", "JobComplete"):
        job = faulty("POST", "jobs/query", json=spec).json()
        path = f"jobs/query/{job['id']}"
        while (info := faulty("GET", path).json())["state"] not in {"Failed", "JobComplete"}:
            time.sleep(0.02)
        assert info["state"] == state


def test_batches_that_share_an_account_lock_each_other(own_org: Any, rest_of: Any) -> None:
    org = own_org()
    home = Path(org["ca_file"]).parent
    control.stop(home)
    setup = home / "org.yaml"
    setup.write_text(setup.read_text().replace("contention: false", "contention: true"))
    rest = rest_of(control.start(home))
    shared, other = (
        rest("POST", "sobjects/Account", json={"Name": name}).json()["id"] for name in "ab"
    )
    # The last row of the first batch and one of the second batch's second chunk.
    parents = [""] * 9_999 + [shared] + [""] * 250 + [shared, other] + [""] * 300
    rows = "\n".join(f"Ito,{parent}" for parent in parents)
    job = rest.ingest(f"LastName,AccountId\n{rows}\n", object="Contact", operation="insert")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (len(parents), 200)
    text = f"exclusive access to this record or 1 records: {shared[:15]}:--"
    assert job["failedResults"].count(text) == 200
    again = job["failedResults"].splitlines()[1:]
    data = "\n".join(line.split('","', 2)[2].replace('"', "") for line in again)
    retried = rest.ingest(f"LastName,AccountId\n{data}\n", object="Contact", operation="insert")
    assert retried["numberRecordsFailed"] == 0
