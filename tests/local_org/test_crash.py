"""An org that is killed in the middle of a job has each chunk of 200 rows whole, or not at all."""

import csv
import io
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.local_org import control

CHUNK = 200
ROWS = 3_000
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}
Rows = dict[str, tuple[str, str]]
"""Key → name and the key of the parent."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("crash") / "org"
    yield folder
    control.stop(folder)


@pytest.mark.parametrize("after", [0, 1_400])
def test_each_chunk_is_whole_or_absent(home: Path, rest_of: Any, after: int) -> None:
    org = control.start(home)
    rest = rest_of(org)
    # Rows that name rows of earlier chunks as parents are written chunk by chunk.
    keys = [f"{after}-{n:05}" for n in range(ROWS)]
    parents = ["" if n < CHUNK else keys[n - CHUNK] for n in range(ROWS)]
    sent = {key: (f"A {key}", parent) for key, parent in zip(keys, parents, strict=True)}
    job = rest("POST", "jobs/ingest", json=UPSERT).json()["id"]
    rest("PUT", f"jobs/ingest/{job}/batches", data=as_csv(sent))
    rest("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
    while rest("GET", f"jobs/ingest/{job}").json()["numberRecordsProcessed"] < after:
        time.sleep(0.005)
    os.kill(org["pid"], signal.SIGKILL)
    while control.status(home)["running"]:
        time.sleep(0.01)

    remaining = stored(home, f"{after}-")
    assert after <= len(remaining) < ROWS
    assert len(remaining) % CHUNK == 0
    assert remaining == dict(list(sent.items())[: len(remaining)])

    rest = rest_of(control.start(home))
    while (info := rest("GET", f"jobs/ingest/{job}").json())["state"] != "JobComplete":
        assert info["state"] in {"UploadComplete", "InProgress"}, info
        time.sleep(0.02)
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (ROWS, 0)
    successes = rest("GET", f"jobs/ingest/{job}/successfulResults").content.decode()
    rows = list(csv.DictReader(io.StringIO(successes, newline="")))
    assert sorted(row["Causeway_Key__c"] for row in rows) == keys
    assert {row["sf__Created"] for row in rows} == {"true"}
    control.stop(home)
    assert stored(home, f"{after}-") == sent


def as_csv(rows: Rows) -> bytes:
    lines = [f"{key},{name},{parent}" for key, (name, parent) in rows.items()]
    header = "Causeway_Key__c,Name,Parent.Causeway_Key__c"
    return "\n".join([header, *lines, ""]).encode()


def stored(home: Path, prefix: str) -> Rows:
    """What the file of a dead org holds, read from a copy."""
    copy = home.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home / "records", copy)
    with duckdb.connect(str(copy / "local.duckdb")) as connection:
        lines = connection.execute(
            'select a."Causeway_Key__c", a."Name", coalesce(p."Causeway_Key__c", \'\') '
            'from records."Account" a left join records."Account" p on p."Id" = a."ParentId" '
            'where starts_with(a."Causeway_Key__c", ?) order by 1',
            [prefix],
        ).fetchall()
    keyed = {key: (name, parent) for key, name, parent in lines}
    assert len(keyed) == len(lines)
    return keyed
