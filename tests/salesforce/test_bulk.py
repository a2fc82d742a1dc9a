"""Files of rows into an org and its answers out of it, through a real one."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pipelines.salesforce import bulk_query
from pipelines.salesforce.bulk import IngestJob
from pipelines.salesforce.connection import Connection
from pipelines.salesforce.errors import JobFailed, RequestRefused
from pipelines.salesforce.org import Org
from pipelines.salesforce.rows import Load, RowError

INSERT = Load("Contact", "insert")
UPSERT = Load("Contact", "upsert", external_id="Causeway_Key__c")
HARD = ["Café £ 日本 😀", 'quote " inside', "comma, inside", "two\nlines", "odd\u2028separator"]


def write(file: Path, rows: Iterable[dict[str, str]]) -> Path:
    rows = list(rows)
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_a_file_is_loaded_and_every_row_is_answered(org: Org, tmp_path: Path) -> None:
    rows = [{"LastName": f"Bulk {n}", "Email": f"bulk{n}@example.com"} for n in range(450)]
    rows[7]["LastName"] = ""
    [result] = org.ingest(INSERT, [write(tmp_path / "rows.csv", rows)], results=tmp_path / "out")
    assert (result.state, result.processed, result.failed) == ("JobComplete", 450, 1)
    loaded = read(result.successful)
    assert len(loaded) == 449
    assert {row["sf__Created"] for row in loaded} == {"true"}
    assert all(row["sf__Id"].startswith("003") for row in loaded)
    [refused] = read(result.failed_rows)
    assert refused["Email"] == "bulk7@example.com"
    assert RowError.from_bulk(refused["sf__Error"]) == RowError(
        "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",)
    )
    assert read(result.unprocessed) == []


def test_results_are_the_orgs_bytes(org: Org, tmp_path: Path) -> None:
    rows = [{"LastName": f"Hard {n}", "Description": text} for n, text in enumerate(HARD)]
    [result] = org.ingest(INSERT, [write(tmp_path / "rows.csv", rows)], results=tmp_path)
    answer = org.session.get(f"jobs/ingest/{result.job_id}/successfulResults")
    assert result.successful.read_bytes() == answer.content
    assert {row["Description"] for row in read(result.successful)} == set(HARD)


def test_an_upsert_creates_once_then_updates(org: Org, tmp_path: Path) -> None:
    rows = [{"Causeway_Key__c": f"p-bulk-{n}", "LastName": f"Twice {n}"} for n in range(3)]
    file = write(tmp_path / "rows.csv", rows)
    created = []
    for _ in range(2):
        [result] = org.ingest(UPSERT, [file], results=tmp_path)
        created.append({row["sf__Created"] for row in read(result.successful)})
    assert created == [{"true"}, {"false"}]


def test_several_files_load_side_by_side_and_keep_their_order(org: Org, tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{part}.csv", [{"LastName": f"Part {part}-{n}"} for n in range(part + 1)])
        for part in range(5)
    ]
    file_of_job: dict[str, Path] = {}
    results = org.ingest(INSERT, files, results=tmp_path / "out", on_job=file_of_job.__setitem__)
    assert [result.processed for result in results] == [1, 2, 3, 4, 5]
    assert [file_of_job[result.job_id] for result in results] == files


def test_a_job_that_fails_whole_is_a_result(org: Org, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", [{"LastName": "Whole", "Nope__c": "x"}])
    [result] = org.ingest(INSERT, [file], results=tmp_path)
    assert result.state == "Failed"
    assert "Nope__c" in result.error_message
    assert read(result.unprocessed) == [{"LastName": "Whole", "Nope__c": "x"}]


def test_an_object_that_is_none_is_refused(org: Org, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", [{"LastName": "None"}])
    with pytest.raises(RequestRefused):
        org.ingest(Load("Nope__c", "insert"), [file], results=tmp_path)


KILLED = """
import os, pathlib, signal, sys
from pipelines.salesforce.connection import Connection
from pipelines.salesforce.org import Org
from pipelines.salesforce.rows import Load

def store_and_die(job_id, file):
    pathlib.Path("job").write_text(job_id)
    os.kill(os.getpid(), signal.SIGKILL)

url, ca_file, client_id, client_secret = sys.argv[1:]
connection = Connection(
    name="killed", login_url=url, ca_file=ca_file, is_local=True,
    client_id=client_id, client_secret=client_secret,
)
with Org(connection) as org:
    file = pathlib.Path("rows.csv")
    org.ingest(Load("Contact", "insert"), [file], results=file.parent, on_job=store_and_die)
"""


def process(
    code: str, connection: Connection, *arguments: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, in `folder`, with what it needs to connect."""
    secrets = [connection.client_id, connection.client_secret]
    command = [sys.executable, "-c", code, connection.login_url, str(connection.ca_file)]
    command += [secret.get_secret_value() for secret in secrets if secret] + [*arguments]
    environ = os.environ | {"PYTHONPATH": str(Path.cwd())}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env=environ
    )


def test_a_job_stored_before_the_process_was_killed_is_resumed_and_loads_once(
    org: Org, tmp_path: Path
) -> None:
    write(tmp_path / "rows.csv", [{"LastName": "Killed"}])
    assert process(KILLED, org.connection, folder=tmp_path).returncode == -signal.SIGKILL
    for _ in range(2):
        result = org.resume((tmp_path / "job").read_text(), results=tmp_path)
        assert (result.state, result.processed, result.failed) == ("JobComplete", 1, 0)
    assert len(list(org.query("select Id from Contact where LastName = 'Killed'"))) == 1


def test_a_job_that_runs_already_is_resumed_and_loads_once(org: Org, tmp_path: Path) -> None:
    job = IngestJob.create(org.session, INSERT)
    job.upload(write(tmp_path / "rows.csv", [{"LastName": "Resumed"}]))
    job.close()
    result = org.resume(job.id, results=tmp_path)
    assert (result.state, result.processed, result.failed) == ("JobComplete", 1, 0)
    assert len(list(org.query("select Id from Contact where LastName = 'Resumed'"))) == 1


def test_a_job_whose_id_could_not_be_stored_has_written_nothing(org: Org, tmp_path: Path) -> None:
    def full_disk(job_id: str, file: Path) -> None:
        job_ids.append(job_id)
        raise OSError(28, "No space left on device")

    job_ids: list[str] = []
    file = write(tmp_path / "rows.csv", [{"LastName": "Aborted"}])
    with pytest.raises(OSError, match="No space"):
        org.ingest(INSERT, [file], results=tmp_path, on_job=full_disk)
    assert IngestJob(org.session, job_ids[0]).info().state == "Aborted"
    assert not list(org.query("select Id from Contact where LastName = 'Aborted'"))


def test_a_token_revoked_in_the_middle_of_a_job_is_replaced(org: Org, tmp_path: Path) -> None:
    def revoke(job_id: str, file: Path) -> None:
        token = org.session.token.access_token.get_secret_value()
        org.session.post("/services/oauth2/revoke", data={"token": token})

    file = write(tmp_path / "rows.csv", [{"LastName": "Revoked in bulk"}])
    [result] = org.ingest(INSERT, [file], results=tmp_path, on_job=revoke)
    assert result.state == "JobComplete"


def test_a_query_comes_in_pages_that_follow_each_other(org: Org, tmp_path: Path) -> None:
    names = [f"Query {number:04}" for number in range(950)]
    rows = [{"LastName": name, "Description": "ü\n,"} for name in names]
    org.ingest(INSERT, [write(tmp_path / "rows.csv", rows)], results=tmp_path)
    soql = "select LastName, Description from Contact where LastName like 'Query %'"
    soql += " order by LastName"
    pages = bulk_query.query(org.session, soql, tmp_path / "pages", page_rows=400)
    assert pages == sorted(pages)
    assert [len(read(page)) for page in pages] == [400, 400, 150]
    assert [row for page in pages for row in read(page)] == rows
    jobs = org.session.get("jobs/query").json()["records"]
    assert pages[0].name.split("-")[0] not in {job["id"] for job in jobs}


def test_an_empty_query_is_a_page_of_its_header(org: Org, tmp_path: Path) -> None:
    pages = org.bulk_query("select Id from Contact where LastName = 'Nobody at all'", tmp_path)
    assert [read(page) for page in pages] == [[]]
    assert "Id" in pages[0].read_text()


def test_deleted_rows_are_read_when_asked_for(org: Org, tmp_path: Path) -> None:
    [created] = org.collections(INSERT, [{"LastName": "Deleted"}])
    org.collections(Load("Contact", "delete"), [{"Id": created.id}])
    soql = "select Id, IsDeleted from Contact where LastName = 'Deleted'"
    assert [read(page) for page in org.bulk_query(soql, tmp_path)] == [[]]
    [page] = org.bulk_query(soql, tmp_path, include_deleted=True)
    assert read(page) == [{"Id": created.id, "IsDeleted": "true"}]


@pytest.mark.parametrize("locator", ["null", None])
def test_pages_end_at_the_word_null_or_without_a_locator(
    wire: Any, tmp_path: Path, locator: str | None
) -> None:
    wire.log_in()
    wire.say(200, b"Id\n1\n", Sforce_Locator="MTAw")
    wire.say(200, b"Id\n2\n", **({"Sforce_Locator": locator} if locator else {}))
    with Org(wire.connection()) as org:
        pages = bulk_query.QueryJob(org.session, "750Q").pages(tmp_path)
    assert [page.read_bytes() for page in pages] == [b"Id\n1\n", b"Id\n2\n"]
    assert wire.requests[-1].path.endswith("/results?locator=MTAw")


def test_a_query_the_org_gives_up_is_an_error(wire: Any, tmp_path: Path) -> None:
    wire.log_in()
    wire.say(200, {"id": "750Q", "state": "UploadComplete"})
    wire.say(200, {"id": "750Q", "state": "Failed", "errorMessage": "too many retries"})
    with (
        Org(wire.connection()) as org,
        pytest.raises(JobFailed, match="750Q: Failed – too many retries") as error,
    ):
        org.bulk_query("select Id from Contact", tmp_path)
    assert error.value.job_id == "750Q"


def test_a_query_job_that_cannot_be_deleted_costs_nothing(
    wire: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wire.log_in()
    wire.say(200, {"id": "750Q", "state": "UploadComplete"})
    wire.say(200, {"id": "750Q", "state": "JobComplete"})
    wire.say(200, b"Id\n1\n", Sforce_Locator="null")
    wire.hang_up()
    with Org(wire.connection()) as org:
        pages = org.bulk_query("select Id from Contact", tmp_path)
    assert len(pages) == 1
    assert "750Q was left in the org" in caplog.text


MEMORY = """
import pathlib, sys
from pipelines.salesforce.bulk import IngestJob
from pipelines.salesforce.connection import Connection
from pipelines.salesforce.org import Org
from pipelines.salesforce.rows import Load

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

url, ca_file, client_id, client_secret, what = sys.argv[1:]
file = pathlib.Path("large.csv")
connection = Connection(
    name="memory", login_url=url, ca_file=ca_file, is_local=True,
    client_id=client_id, client_secret=client_secret,
)
with Org(connection) as org:
    org.session.get("limits")
    before = peak()
    if what == "upload":
        job = IngestJob.create(org.session, Load("Contact", "insert"))
        job.upload(file)
        job.abort()
    else:
        org.session.download("large", file)
print(peak() - before)
"""
LARGE = 60_000_000  # bytes
ALLOWED = 30  # megabytes on top of what the process used before


def test_an_upload_is_not_held_in_memory(org: Org, tmp_path: Path) -> None:
    row = b"Lovelace,Ada\n"
    (tmp_path / "large.csv").write_bytes(b"LastName,FirstName\n" + row * (LARGE // len(row)))
    done = process(MEMORY, org.connection, "upload", folder=tmp_path)
    assert float(done.stdout) < ALLOWED, done.stderr


def test_a_download_is_not_held_in_memory(wire: Any, tmp_path: Path) -> None:
    body = b"x" * LARGE
    wire.log_in()
    wire.say(200, {})
    wire.say(200, body)
    done = process(MEMORY, wire.connection(), "download", folder=tmp_path)
    assert float(done.stdout) < ALLOWED, done.stderr
    assert (tmp_path / "large.csv").read_bytes() == body
