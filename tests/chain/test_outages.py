"""What dies, hangs or is held by somebody else costs time, never a record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines import locks
from pipelines.errors import Busy
from pipelines.local_org import control
from pipelines.relations import prepare
from pipelines.salesforce.errors import TransientError
from pipelines.sync.state import State

DAY, NEXT = date(2026, 11, 5), date(2026, 11, 6)

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
  leads: {entity: contacts, preset: generic, as: lead}
"""

CONTACTS, LEADS = 700, 2_001  # several calls of sObject Collections; a job of Bulk API 2.0


def _list(name: str, rows: int, first: str = "First") -> str:
    lines = (
        f"{name}{n},{first}{n},Last{n},{name}{n}@acme.example,Company {n % 7}\n"
        for n in range(rows)
    )
    return "ID,First Name,Last Name,Email,Company\n" + "".join(lines)


def _chain(make_chain: Any) -> Any:
    chain = make_chain(SOURCES)
    policies = chain.mappings / "policies.yaml"
    guard = "max_update: {share: 50%, above: 500}"  # everybody is updated below, unasked
    policies.write_text(policies.read_text().replace(guard, "max_update: none"))
    chain.put("people", DAY, "people.csv", _list("p", CONTACTS))
    chain.put("leads", DAY, "leads.csv", _list("l", LEADS))
    return chain


@pytest.fixture(scope="module")
def uninterrupted(make_chain: Any) -> Any:
    return _chain(make_chain).done(DAY)


class Killer:
    """Kills a pipeline's org, kill -9, as soon as it holds a record of an object."""

    def __init__(self, chain: Any, object_name: str) -> None:
        self.chain = chain
        self.object_name = object_name
        self.seen = 0
        self.thread = threading.Thread(target=self._kill)

    def __call__(self, name: str, kind: str, rows: int) -> None:
        """Watch from the start of the object's step on."""
        if (name, kind) == (f"salesforce_{self.object_name.lower()}", "start"):
            self.thread.start()

    def _kill(self) -> None:
        pid = control.status(self.chain.project.local_org)["pid"]
        client = self.chain.salesforce()
        try:
            while not self.seen:
                self.seen = client.query(f"select count() from {self.object_name}")["totalSize"]
        finally:
            os.kill(pid, signal.SIGKILL)
            client.session.close()


def test_an_org_killed_while_it_is_written_to(make_chain: Any, uninterrupted: Any) -> None:
    chain = _chain(make_chain)
    for object_name, rows in (("Contact", CONTACTS), ("Lead", LEADS)):
        killer = Killer(chain, object_name)
        result = chain.run(DAY, on_event=killer)
        killer.thread.join()
        assert 0 < killer.seen <= rows
        assert result.failed_step == f"salesforce_{object_name.lower()}"
        assert isinstance(result.error, TransientError)
        chain.start_org()
        assert 0 < len(chain.records(object_name)) <= rows
    chain.done(DAY)

    assert sum(chain.outcomes(DAY)["Contact"].values()) == CONTACTS
    assert chain.everything() == uninterrupted.everything()
    keys = [row["Causeway_Key__c"] for name in ("Contact", "Lead") for row in chain.records(name)]
    assert len(set(keys)) == len(keys) == CONTACTS + LEADS

    # What the killed runs wrote is ours, so the next day's values take its place.
    chain.put("people", NEXT, "people.csv", _list("p", CONTACTS, "Renamed"))
    chain.put("leads", NEXT, "leads.csv", _list("l", LEADS, "Renamed"))
    chain.done(NEXT)
    assert chain.outcomes(NEXT)["Contact"] == {"updated": CONTACTS}
    assert chain.outcomes(NEXT)["Lead"] == {"updated": LEADS}


HOLD = """
import fcntl, sys, time
handle = open(sys.argv[1], "w")
fcntl.flock(handle, fcntl.LOCK_EX)
handle.write('{"pid": 4711, "run": "another"}'); handle.flush()
print("held", flush=True)
sys.stdin.read()
"""

OPEN = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
sys.stdin.read()
print(connection.execute(sys.argv[3]).fetchall())
"""


@contextmanager
def _beside(program: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds something until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


@contextmanager
def _impatient(patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as patched:
        for waits in (locks.take, State.attach.__wrapped__):  # type: ignore[attr-defined]
            patched.setitem(waits.__kwdefaults__, "patience", 1.0)
        yield


@pytest.fixture(scope="module")
def shared(make_chain: Any) -> Any:
    """A small pipeline whose files other processes hold."""
    chain = make_chain(SOURCES)
    policies = chain.mappings / "policies.yaml"
    guard = "max_update: {share: 50%, above: 500}"  # everybody is updated below, unasked
    policies.write_text(policies.read_text().replace(guard, "max_update: none"))
    chain.put("people", DAY, "people.csv", _list("p", 3))
    with chain.active():
        prepare(chain.project)
    return chain


@pytest.fixture(scope="module")
def reader(shared: Any) -> Iterator[subprocess.Popen[str]]:
    """Somebody who has ``causeway.duckdb`` open all the time."""
    query = "select count(*) from valid_contacts"
    with _beside(OPEN, shared.home / "causeway.duckdb", "read", query) as process:
        yield process


@pytest.mark.parametrize("lock", [f"{DAY}.lock", "org-local.lock"])
def test_a_lock_that_another_run_holds(
    shared: Any, reader: Any, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    (shared.home / "locks").mkdir(exist_ok=True)
    with _beside(HOLD, shared.home / "locks" / lock), _impatient(monkeypatch):
        error = shared.refused(DAY)
    assert isinstance(error, Busy)
    for part in (lock, "process 4711 (run another)", "more than 1 s", "nothing was lost"):
        assert part in str(error)
    # What needs no org is done while somebody else has it.
    assert len(shared.read("valid_contacts", DAY)) == (3 if lock.startswith("org") else 0)


def test_a_state_that_another_process_has_open(
    shared: Any, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _beside(OPEN, shared.home / "state.duckdb", "write", "select 1") as process:
        with _impatient(monkeypatch):
            error = shared.refused(DAY)
        assert isinstance(error, Busy)
        for part in ("state.duckdb", f"PID {process.pid}", "run again", "causeway.duckdb"):
            assert part in str(error)


def test_a_run_waits_for_who_is_done_soon(
    shared: Any, reader: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with _beside(OPEN, shared.home / "state.duckdb", "write", "select 1") as process:
        assert process.stdin is not None
        timer = threading.Timer(6.0, process.stdin.close)

        def listen(name: str, kind: str, rows: int) -> None:
            if (name, kind) == ("person_links", "start"):
                timer.start()

        result = shared.run(DAY, on_event=listen)
        timer.join()
    assert result.success, result.error
    assert shared.outcomes(DAY)["Contact"] == {"created": 3}
    captured = capsys.readouterr()
    assert "waiting for state.duckdb" in captured.err
    assert f"PID {process.pid}" in captured.err
    assert captured.out == ""  # where scripts read results


def test_a_reader_is_in_nobodys_way(shared: Any, reader: subprocess.Popen[str]) -> None:
    shared.done(DAY)
    assert reader.poll() is None
    out, _ = reader.communicate("")
    assert out == "[(3,)]\n"  # views read the newest files, even in a session that was open before
