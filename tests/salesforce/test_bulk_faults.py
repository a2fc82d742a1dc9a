"""What becomes of a bulk job when the network fails at its worst moments."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.salesforce import bulk
from pipelines.salesforce.errors import AnswerLost, JobUnfinished, OrgUnavailable, RequestRefused
from pipelines.salesforce.rows import Load
from pipelines.salesforce.session import ATTEMPTS, Session

INSERT = Load("Contact", "insert")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_bytes(b"LastName\nLovelace\n")
    return file


@pytest.fixture
def session(wire: Any) -> Iterator[Session]:
    wire.log_in()
    with Session(wire.connection()) as session:
        yield session


def job(state: str, **values: object) -> dict[str, object]:
    return {"id": "750A", "state": state, "numberRecordsProcessed": 1} | values


def calls(wire: Any) -> list[str]:
    base = "/services/data/v67.0/jobs/ingest"
    requests = [f"{request.method} {request.path.removeprefix(base)}" for request in wire.requests]
    return [call for call in requests if "oauth2" not in call]


def say_results(wire: Any) -> None:
    for kind in (b'"sf__Id","sf__Created","LastName"\n', b'"sf__Id","sf__Error"\n', b""):
        wire.say(200, kind)


def test_a_job_is_known_before_it_is_closed(wire: Any, session: Session, file: Path) -> None:
    reports: list[tuple[str, Path, list[str]]] = []
    wire.say(200, job("Open"))
    wire.say(201, b"")
    wire.say(200, job("UploadComplete"))
    wire.say(200, job("InProgress"))
    wire.say(200, job("JobComplete"))
    say_results(wire)
    [result] = bulk.ingest(
        session,
        INSERT,
        [file],
        results=file.parent / "results",
        on_job=lambda job_id, file: reports.append((job_id, file, calls(wire))),
    )
    assert reports == [("750A", file, ["POST ", "PUT /750A/batches"])]
    assert calls(wire) == [
        "POST ",
        "PUT /750A/batches",
        "PATCH /750A",
        "GET /750A",
        "GET /750A",
        "GET /750A/successfulResults",
        "GET /750A/failedResults",
        "GET /750A/unprocessedrecords",
    ]
    assert result.state == "JobComplete"
    assert result.successful.read_bytes() == b'"sf__Id","sf__Created","LastName"\n'
    put = wire.requests[2]
    assert put.headers["Content-Length"] == "18"
    assert put.headers["Content-Type"] == "text/csv"
    assert put.body == b"LastName\nLovelace\n"


def test_an_upload_in_doubt_goes_into_a_new_job(wire: Any, session: Session, file: Path) -> None:
    job_ids: list[str] = []
    wire.hang_up()  # was the job created? if so it stays open and empty
    wire.say(200, job("Open"))
    wire.hang_up()  # did the file arrive?
    wire.say(200, job("Aborted"))
    wire.say(200, job("Open", id="750B"))
    wire.say(201, b"")
    wire.say(200, job("UploadComplete"))
    wire.say(200, job("JobComplete"))
    say_results(wire)
    [result] = bulk.ingest(
        session,
        INSERT,
        [file],
        results=file.parent,
        on_job=lambda job_id, _: job_ids.append(job_id),
    )
    assert job_ids == [result.job_id] == ["750B"]
    assert calls(wire)[:6] == [
        "POST ",
        "POST ",
        "PUT /750A/batches",
        "PATCH /750A",
        "POST ",
        "PUT /750B/batches",
    ]


@pytest.mark.parametrize("state", ["Open", "InProgress"])
def test_a_close_in_doubt_is_settled_by_the_jobs_state(
    wire: Any, session: Session, state: str
) -> None:
    wire.hang_up()
    wire.say(200, job(state))
    if state == "Open":
        wire.say(200, job("UploadComplete"))
    bulk.IngestJob(session, "750A").close()
    assert calls(wire) == ["PATCH /750A", "GET /750A", "PATCH /750A"][: 3 if state == "Open" else 2]


def test_closing_twice_does_nothing(wire: Any, session: Session) -> None:
    wire.say(400, [{"errorCode": "INVALIDJOBSTATE", "message": "not open"}])
    wire.say(200, job("JobComplete"))
    bulk.IngestJob(session, "750A").close()
    assert len(calls(wire)) == 2


def test_a_caller_that_cannot_store_the_id_has_sent_nothing(
    wire: Any, session: Session, file: Path
) -> None:
    def full_disk(job_id: str, file: Path) -> None:
        raise OSError(28, "No space left on device")

    wire.say(200, job("Open"))
    wire.say(201, b"")
    wire.say(200, job("Aborted"))
    with pytest.raises(OSError, match="No space"):
        bulk.ingest(session, INSERT, [file], results=file.parent, on_job=full_disk)
    assert calls(wire) == ["POST ", "PUT /750A/batches", "PATCH /750A"]
    assert wire.requests[-1].body == b'{"state": "Aborted"}'


@pytest.mark.parametrize(
    ("state", "first"),
    [("Open", ["GET /750A", "PATCH /750A"]), ("InProgress", ["GET /750A"])],
)
def test_a_job_is_resumed_from_where_it_stands(
    wire: Any, session: Session, tmp_path: Path, state: str, first: list[str]
) -> None:
    wire.say(200, job(state))
    if state == "Open":
        wire.say(200, job("UploadComplete"))
    wire.say(200, job("Failed", errorMessage="InvalidBatch : Field name not found : X__c"))
    say_results(wire)
    result = bulk.resume(session, "750A", results=tmp_path)
    assert (result.state, result.error_message) == (
        "Failed",
        "InvalidBatch : Field name not found : X__c",
    )
    assert calls(wire)[: len(first)] == first
    assert not any(call.startswith(("POST", "PUT")) for call in calls(wire))


def test_a_job_the_org_has_forgotten_is_refused(
    wire: Any, session: Session, tmp_path: Path
) -> None:
    wire.say(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])
    with pytest.raises(RequestRefused) as error:
        bulk.resume(session, "750A", results=tmp_path)
    assert error.value.status == 404


def test_an_outage_while_waiting_leaves_the_job_alone(
    wire: Any, session: Session, tmp_path: Path
) -> None:
    for _ in range(ATTEMPTS):
        wire.say(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "down"}])
    with pytest.raises(OrgUnavailable):
        bulk.IngestJob(session, "750A").wait()
    assert set(calls(wire)) == {"GET /750A"}


def test_waiting_ends_with_patience(wire: Any, session: Session) -> None:
    for _ in range(5):
        wire.say(200, job("InProgress"))
    with pytest.raises(JobUnfinished, match="750A: it is still InProgress") as error:
        bulk.IngestJob(session, "750A").wait(patience=0.2)
    assert error.value.job_id == "750A"


def test_a_failure_of_one_file_begins_no_other(wire: Any, session: Session, file: Path) -> None:
    wire.say(403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "off"}])
    with pytest.raises(RequestRefused, match="API_DISABLED_FOR_ORG"):
        bulk.ingest(session, INSERT, [file] * 3, results=file.parent, in_flight=1)
    assert calls(wire) == ["POST "]


def test_a_failure_ends_the_waiting_for_other_jobs_and_leaves_them_running(
    wire: Any, session: Session, file: Path
) -> None:
    """The second file fails once the first one's job is running, and would run for hours."""

    def answer(handler: Any) -> None:
        job_id = f"750{sum(call.startswith('POST') for call in calls(wire))}"
        wire.answer(200, job("InProgress", id=job_id))(handler)

    def failing(job_id: str, file: Path) -> None:
        job_ids.append(job_id)
        if len(job_ids) == 2:
            assert polled.wait(10)
            raise OSError(28, "No space left on device")

    def poll(handler: Any) -> None:
        if handler.command == "GET":
            polled.set()
        answer(handler)

    job_ids: list[str] = []
    polled = threading.Event()
    assert session.token
    wire.answers += [poll] * 1000
    with pytest.raises(OSError, match="No space"):
        bulk.ingest(session, INSERT, [file] * 3, results=file.parent, on_job=failing, in_flight=2)
    assert len(job_ids) == 2
    ended = [request.body for request in wire.requests if request.method == "PATCH"]
    assert sorted(ended) == [b'{"state": "Aborted"}', b'{"state": "UploadComplete"}']


@pytest.mark.parametrize("size", [0, bulk.LARGEST_FILE + 1])
def test_a_file_of_a_wrong_size_is_refused_before_anything_is_sent(
    wire: Any, session: Session, file: Path, size: int
) -> None:
    wrong = file.with_name("wrong.csv")
    with wrong.open("wb") as content:
        content.truncate(size)
    with pytest.raises(ValueError, match=r"wrong\.csv has"):
        bulk.ingest(session, INSERT, [file, wrong], results=file.parent)
    assert not wire.requests


def test_a_write_lost_for_good_says_so(wire: Any, session: Session, file: Path) -> None:
    for _ in range(ATTEMPTS):
        wire.hang_up()
    with pytest.raises(AnswerLost):
        bulk.ingest(session, INSERT, [file], results=file.parent)
    assert calls(wire) == ["POST "] * ATTEMPTS
