"""Faults on demand, each seen from the client."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines.local_org import control


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    control.start(tmp_path, faults=True)
    yield tmp_path
    control.stop(tmp_path)


@pytest.fixture
def faulty(home: Path, rest_of: Any) -> Any:
    return rest_of(control.start(home))


def test_orgs_have_no_faults_unless_asked(own_org: Any) -> None:
    org = own_org()
    with pytest.raises(control.LocalOrgError, match="NOT_FOUND"):
        control.inject(Path(org["ca_file"]).parent, {"kind": "expire_sessions"})


def test_wrong_faults_are_named(home: Path) -> None:
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


def test_sessions_expire(faulty: Any, home: Path) -> None:
    control.inject(home, {"kind": "expire_sessions"})
    assert faulty("GET", "limits").status_code == 401
    asked = {
        "grant_type": "client_credentials",
        "client_id": faulty.org["client_id"],
        "client_secret": faulty.org["client_secret"],
    }
    token = faulty("POST", "/services/oauth2/token", data=asked).json()["access_token"]
    faulty.session.headers["Authorization"] = f"Bearer {token}"
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
def test_the_process_dies_and_the_job_goes_on(
    faulty: Any, home: Path, rest_of: Any, end: str
) -> None:
    control.inject(home, {"kind": "job", "end": end, "object": "Contact"})
    job = faulty("POST", "jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()
    path = f"jobs/ingest/{job['id']}"
    faulty("PUT", f"{path}/batches", data="LastName\nIto\nAbe\n")
    faulty("PATCH", path, json={"state": "UploadComplete"})
    while control.status(home)["running"]:
        time.sleep(0.02)
    again = rest_of(control.start(home))
    while again("GET", path).json()["state"] != "JobComplete":
        time.sleep(0.02)
    assert sorted(r["LastName"] for r in again.query("SELECT LastName FROM Contact")) == [
        "Abe",
        "Ito",
    ]
