"""Somebody ends a sync in the middle: it says so, loses nothing, and the next one goes on."""

from __future__ import annotations

import json
import signal
import time
from datetime import date
from typing import Any

import pytest

from pipelines import run_log
from pipelines.local_org import control

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
ROWS = "ID,First Name,Last Name,Email,Company\n1,Ada,Okafor,ada@acme.example,Acme\n"


@pytest.mark.parametrize(
    ("number", "path"), [(signal.SIGINT, "query"), (signal.SIGTERM, "composite")]
)
def test_an_interrupted_sync_says_so_and_the_next_one_goes_on(
    make_chain: Any, number: signal.Signals, path: str
) -> None:
    chain = make_chain(SOURCES, org=False)
    control.start(chain.project.local_org, faults=True)
    chain.put("people", DAY, "people.csv", ROWS)
    control.inject(chain.project.local_org, {"kind": "slow", "seconds": "60", "path": path})
    syncing = chain.start("sync", "--batch", str(DAY))
    while control.armed(chain.project.local_org):  # until the org makes it wait
        time.sleep(0.05)
    syncing.send_signal(number)
    ended = syncing.communicated()
    assert ended.returncode == 128 + number
    assert "Interrupted. Nothing is lost: run the same command again." in ended.stderr
    assert "--debug" not in ended.stderr

    [log] = run_log.folder(chain.home).glob("*.jsonl")
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["event"], last["error"]) == ("ended", "interrupted")
    status = json.loads(chain.causeway("status", "--json").stdout)
    assert (status["exit_code"], status["error"]) == (128 + number, "interrupted")
    assert status["failed_step"]

    control.stop(chain.project.local_org)  # which still sleeps over the request
    chain.start_org()
    again = chain.causeway("sync", "--batch", str(DAY))
    assert again.returncode == 0, again.stderr
    assert [len(chain.records(name)) for name in ("Account", "Contact")] == [1, 1]
    assert json.loads(chain.causeway("status", "--json").stdout)["exit_code"] == 0
