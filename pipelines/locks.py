"""Two kinds of kernel lock, so that days may land side by side but reach the org one at a time.

``locks/<day>.lock`` covers land, stage and validate of one day; ``locks/org-<id>.lock`` covers
everything from the org's snapshot to the last upsert. A lock belongs to a run and is held until
``release`` or the end of the process: the kernel frees it even after kill -9.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import Busy
from pipelines.files import NOT_OURS

PATIENCE = 600.0
"""Seconds a run waits for another one before it gives up."""

_held: dict[tuple[str, Path], int] = {}


def take(
    path: Path,
    run: str,
    report: Callable[[str], None],
    *,
    patience: float = PATIENCE,
    every: float = 5.0,
) -> None:
    """Hold ``path`` for ``run``; taking a lock the run already holds does nothing.

    Args:
        path: the lock file; its folder is made.
        run: who holds it, shown to whoever waits.
        report: gets one line every ``every`` seconds of waiting.
        patience: seconds to wait at most.
        every: seconds between two lines.

    Raises:
        Busy: somebody else held it for longer than ``patience``.
    """
    if (run, path) in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    started = reported_at = time.monotonic()
    while not _try(handle):
        moment = time.monotonic()
        if moment - started > patience:
            os.close(handle)
            raise Busy(
                f"{path.name} is held by {holder(path)} for more than {patience:.0f} s;"
                " wait for that run or stop it, then run this again: nothing was lost"
            )
        if moment - reported_at >= every:
            reported_at = moment
            report(f"waiting for {path.name}, held by {holder(path)} ({moment - started:.0f} s)")
        time.sleep(0.05)
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "run": run}).encode(), 0)
    _held[run, path] = handle


def dead(folder: Path) -> list[str]:
    """Names of the locks in a folder whose holders died, without their suffix; they are removed.

    Whoever ends as it should releases its lock and removes the file.
    """
    runs = []
    for path in sorted(folder.glob("*.lock")):
        handle = os.open(path, os.O_RDWR)
        try:
            if _try(handle):
                path.unlink(missing_ok=True)
                runs.append(path.stem)
        finally:
            os.close(handle)
    return runs


def tell(text: str) -> None:
    """Say who is waited for where people look and no script reads results: on standard error."""
    print(text, file=sys.stderr, flush=True)


def release(run: str) -> None:
    """Free everything ``run`` holds in this process."""
    for key in [key for key in _held if key[0] == run]:
        os.close(_held.pop(key))


@contextmanager
def alone(home: Path, org_name: str, run: str) -> Iterator[None]:
    """Hold every lock that a run of any version may hold, days before orgs as runs take them."""
    folder = home / "locks"
    days = sorted(folder.glob("????-??-??.lock"))
    orgs = sorted({*folder.glob("org-*.lock"), folder / f"org-{org_name}.lock"})
    try:
        for path in (folder / "upgrade.lock", *days, *orgs):
            take(path, run, tell)
        yield
    finally:
        release(run)


def holder(path: Path) -> str:
    """Who wrote the lock file last, in words."""
    try:
        owner = json.loads(path.read_text())
        return f"process {owner['pid']} (run {owner['run']})"
    except (OSError, *NOT_OURS):
        return "another process"


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
