"""Kernel locks: one run at a time, said who holds them, free when a process dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import locks
from pipelines.errors import Busy

HOLD = """
import sys, time
from pathlib import Path
from pipelines import locks
locks.take(Path(sys.argv[1]), "other", print)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(tmp_path / "day.lock")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_taking_twice_does_nothing_and_release_frees(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "day.lock"
    locks.take(path, "one", print)
    locks.take(path, "one", print)
    with pytest.raises(Busy, match="run one"):
        locks.take(path, "two", print, patience=0.1)
    locks.release("one")
    locks.take(path, "two", print, patience=0.1)
    locks.release("two")


def test_whoever_waits_is_told_who_holds_it_and_gives_up_in_time(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    reported: list[str] = []
    with pytest.raises(Busy, match=rf"process {holder.pid} \(run other\).*nothing was lost"):
        locks.take(tmp_path / "day.lock", "mine", reported.append, patience=0.5, every=0.1)
    assert any(f"held by process {holder.pid} (run other)" in line for line in reported)


def test_a_killed_process_holds_nothing(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    os.kill(holder.pid, signal.SIGKILL)
    started = time.monotonic()
    locks.take(tmp_path / "day.lock", "mine", print, patience=5)
    assert time.monotonic() - started < 5
    locks.release("mine")
