"""Starting, looking at, stopping and emptying an org; what survives which end."""

import json
import os
import shutil
import signal
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipelines.local_org import control
from pipelines.local_org.process import process_started


def test_start_tells_everything_and_is_idempotent(own_org: Any, tmp_path: Path) -> None:
    first = own_org()
    assert tuple(first) == control.PUBLIC_KEYS
    home = Path(first["ca_file"]).parent
    assert control.start(home) == first
    status = control.status(home)
    assert status == first | {"running": True}
    assert stat.S_IMODE((home / "org.json").stat().st_mode) == 0o600
    stopped = control.stop(home)
    assert (stopped["running"], stopped["pid"]) == (False, None)
    again = control.start(home)
    assert again == first | {"pid": again["pid"]}


def test_two_starts_at_once_make_one_org(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(control.start, [tmp_path / "one"] * 2))
    assert both[0] == both[1]
    control.stop(tmp_path / "one")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(control.LocalOrgError, match=f"Port {port} .* is in use"):
            control.start(tmp_path / "org", port)


def test_a_wrong_set_up_is_named_with_its_line(own_org: Any) -> None:
    with pytest.raises(control.LocalOrgError, match=r"org\.yaml:\d+: banana") as wrong:
        own_org("\nbanana: 1\n")
    assert "Extra inputs" in str(wrong.value)


def test_a_pid_of_another_process_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "org.json").write_text(json.dumps({"pid": os.getpid(), "process_started": "x"}))
    assert control.status(tmp_path)["running"] is False
    control.stop(tmp_path)


def test_an_org_ends_when_its_home_is_deleted(tmp_path: Path) -> None:
    home = tmp_path / "org"
    pid = control.start(home)["pid"]
    shutil.rmtree(home)
    deadline = time.monotonic() + 20
    while process_started(pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not (home / "org.json").exists()
    control.status(home)


def test_status_before_the_first_start(tmp_path: Path) -> None:
    status = control.status(tmp_path / "none")
    assert status["running"] is False
    assert not (tmp_path / "none").exists()


def test_reset_empties_and_keeps_identity(own_org: Any, rest_of: Any) -> None:
    org = own_org()
    home = Path(org["ca_file"]).parent
    rest_of(org)("POST", "sobjects/Account", json={"Name": "Acme"})
    after = control.reset(home)
    assert after == org | {"pid": after["pid"], "running": True}
    assert rest_of(org).query("SELECT Id FROM Account") == []


def test_records_survive_kill_9(own_org: Any, rest_of: Any) -> None:
    org = own_org()
    home = Path(org["ca_file"]).parent
    account_id = rest_of(org)("POST", "sobjects/Account", json={"Name": "Acme"}).json()["id"]
    os.kill(org["pid"], signal.SIGKILL)
    while control.status(home)["running"]:
        time.sleep(0.01)
    control.start(home)
    assert rest_of(org).query("SELECT Id FROM Account") == [{"Id": account_id}]


def test_a_job_killed_in_the_middle_goes_on(own_org: Any, rest_of: Any) -> None:
    org = own_org()
    home = Path(org["ca_file"]).parent
    rest = rest_of(org)
    rows = 120_000
    lines = "\n".join(f"k-{n},Doe" for n in range(rows))
    spec = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}
    job = rest("POST", "jobs/ingest", json=spec).json()
    path = f"jobs/ingest/{job['id']}"
    rest("PUT", f"{path}/batches", data=f"Causeway_Key__c,LastName\n{lines}\n")
    rest("PATCH", path, json={"state": "UploadComplete"})
    for seconds in (0.05, 0.3, 0.8):
        time.sleep(seconds)
        os.kill(org["pid"], signal.SIGKILL)
        while control.status(home)["running"]:
            time.sleep(0.01)
        org = control.start(home)
    rest = rest_of(org)
    while (info := rest("GET", path).json())["state"] != "JobComplete":
        assert info["state"] in {"UploadComplete", "InProgress"}
        time.sleep(0.05)
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (rows, 0)
    total = rest("GET", "query", params={"q": "SELECT count() FROM Contact"}).json()["totalSize"]
    assert total == rows
    results = rest("GET", f"{path}/successfulResults").text
    assert results.count("\n") == rows + 1
    assert results.count('"true"') == rows
