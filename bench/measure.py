"""Seconds, processor seconds and peak memory of one piece of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Cost(Generic[T]):
    """What one piece of work took.

    Attributes:
        result: what it returned.
        seconds: by the clock.
        cpu: seconds of processor time in this process, over all threads.
        peak: most bytes this process held at once while it ran; none where no ``/proc`` tells.
        org_peak: the same of the org's process.
    """

    result: T
    seconds: float
    cpu: float
    peak: int | None
    org_peak: int | None


def cost(work: Callable[[], T], org: int | None = None) -> Cost[T]:
    """Do the work and say what it took.

    Args:
        work: to be done once.
        org: process of a local org that works at the same time.
    """
    processes = ("self", str(org) if org else None)
    for process in processes:
        _forget_peak(process)
    cpu, started = time.process_time(), time.perf_counter()
    result = work()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    peak, org_peak = map(_peak, processes)
    return Cost(result, seconds, used, peak, org_peak)


def _forget_peak(process: str | None) -> None:
    """Let the kernel count the peak anew (``man 5 proc``, ``clear_refs``)."""
    file = Path(f"/proc/{process}/clear_refs")
    if process is not None and file.exists():
        file.write_text("5")


def _peak(process: str | None) -> int | None:
    """``VmHWM``, the peak of resident memory."""
    status = Path(f"/proc/{process}/status")
    if process is None or not status.exists():
        return None
    facts = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(facts["VmHWM"].split()[0]) * 1024
