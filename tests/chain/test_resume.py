"""Runs that end half-way: re-executed from failure, killed and reaped, or out of room."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from typing import Any

import dagster as dg
import pytest

from pipelines.apply.objects import apply
from pipelines.batch import Batch
from pipelines.local_org import control
from pipelines.plan.make import newest
from pipelines.salesforce.errors import TransientError

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""


def people(count: int, which: str = "") -> str:
    rows = (
        f"{which}{n},First{n},Last{which}{n},p{which}{n}@acme.example,Acme {n % 5}\n"
        for n in range(count)
    )
    return "ID,First Name,Last Name,Email,Company\n" + "".join(rows)


def _job() -> dg.JobDefinition:
    """The job, as a process of Dagster's loads it."""
    from pipelines.definitions import defs

    return defs.resolve_job_def("sync")


def test_re_execution_from_failure_finishes_the_same_plan(make_chain: Any) -> None:
    chain = make_chain(SOURCES, org=False)
    control.start(chain.project.local_org, faults=True)
    chain.put("people", DAY, "people.csv", people(500))
    calls = "composite/sobjects/Contact"
    fault = {"kind": "die", "moment": "after_work", "path": calls, "skip": 1}
    control.inject(chain.project.local_org, fault)
    failed = chain.run(DAY)
    assert failed.failed_step == "salesforce_contact"
    assert chain.record() == [failed.run_id]
    assert isinstance(failed.error, TransientError)
    plan = newest(Batch(chain.project, DAY))
    chain.start_org()
    assert len(chain.records("Contact", "LastName")) == 400

    job = dg.reconstructable(_job)
    with chain.active(), dg.DagsterInstance.get() as instance:
        parent = instance.get_run_by_id(failed.run_id)
        assert parent is not None
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        tags = {"dagster/partition": parent.tags["dagster/partition"]}
        with dg.execute_job(job, instance=instance, tags=tags, reexecution_options=options) as done:
            steps = {event.step_key for event in done.all_events if event.is_step_start}
            assert done.success
    assert steps == {"apply_contact", "apply_lead"}
    assert newest(Batch(chain.project, DAY)).plan_id == plan.plan_id
    rows = chain.read("salesforce_contact", DAY)
    assert {(row["outcome"], row["attempts"]) for row in rows} == {("created", 1)}
    records = chain.records("Contact", "CreatedDate", "LastModifiedDate")
    assert len(records) == len(rows) == 500
    assert all(row["CreatedDate"] == row["LastModifiedDate"] for row in records)


@pytest.fixture(scope="module")
def small(make_chain: Any) -> Any:
    chain = make_chain(SOURCES)
    chain.put("people", DAY, "people.csv", people(3))
    return chain


def test_a_run_whose_process_died_is_recorded_as_failed(small: Any) -> None:
    locks = small.home / "locks" / "runs"
    with small.start("sync", "--batch", str(DAY)) as command:
        while not (list(locks.glob("*.lock")) and list(small.home.glob("stage/*/day=2026*"))):
            assert command.poll() is None
            time.sleep(0.05)
        assert small.record() == []  # it goes on
        command.kill()
        command.communicate()
    [dead] = [path.stem for path in locks.glob("*.lock")]
    finished = small.run(DAY)
    assert finished.success
    assert small.record() == [dead, finished.run_id]
    with small.active(), dg.DagsterInstance.get() as instance:
        runs = {run.run_id: run for run in instance.get_runs()}
    assert runs[dead].status == dg.DagsterRunStatus.FAILURE
    assert runs[finished.run_id].status == dg.DagsterRunStatus.SUCCESS
    assert list(locks.glob("*.lock")) == []
    assert small.record() == []
    assert len(small.records("Contact", "LastName")) == 3


def test_a_run_of_dagsters_whose_process_died_is_ended(small: Any) -> None:
    with small.active(), dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(_job(), status=dg.DagsterRunStatus.STARTED)
        (small.home / "locks" / "runs" / f"{run.run_id}.lock").touch()
        assert small.record() == [run.run_id]
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        assert ended.status == dg.DagsterRunStatus.FAILURE


NO_ROOM = """
import resource, sys
from datetime import date
from pipelines.batch import Batch
from pipelines.apply.objects import apply
from pipelines.commands.failures import Reported
from pipelines.project import Project
from pipelines.sources.land import land
with Reported():
    here, day, stage, room = Project.of(), date.fromisoformat(sys.argv[1]), *sys.argv[2:]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), resource.RLIM_INFINITY))
    if stage == "land":
        land(here.warehouse, here.sources, here.inbox, day)
    else:
        apply(Batch(here, day), stage)
"""


def without_room(chain: Any, day: date, stage: str, room: int) -> None:
    """Run a stage where no file may have more than so many bytes; it ends with a clear word."""
    ran = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(day), stage, str(room)],
        capture_output=True, text=True, check=False,
        env={**chain.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert ran.returncode == 3, ran.stderr
    assert "The disk is full" in ran.stderr
    assert "make room, then run the same command again" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_disk_without_room_ends_in_a_clear_word(small: Any) -> None:
    day = date(2026, 11, 6)
    small.put("people", day, "people.csv", people(400))
    without_room(small, day, "land", 1024)
    small.done(day)
    assert len(small.records("Contact", "LastName")) == 400


def test_a_disk_that_fills_up_while_rows_are_sent_doubles_none(small: Any) -> None:
    """What was said of rows cannot be kept, and is asked for once there is room again."""
    day = date(2026, 11, 7)
    small.put("people", day, "people.csv", people(430, "more"))
    assert small.run(day, plan_only=True).success
    apply(Batch(small.project, day), "account")
    without_room(small, day, "contact", 9_000)
    small.done(day)
    records = small.records("Contact", "LastName", "CreatedDate", "LastModifiedDate")
    created = [row for row in records if row["LastName"].startswith("Lastmore")]
    assert len(created) == len({row["LastName"] for row in created}) == 430
    assert all(row["CreatedDate"] == row["LastModifiedDate"] for row in created)
