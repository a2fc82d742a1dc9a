"""Kills the process that imports it, kill -9, right before its n-th step.

A step is what others could see half-done: a request that is sent, a file that is written, gets its
name or goes. Python tells of all of them by audit events, so what is proven has no line for it.

    PROVE_KILL_AT    which step, from 1; without it, steps are only counted
    PROVE_STEPS      the file that gets a line for each step
    PROVE_HOME       files elsewhere are nobody's business
"""

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

_AT = int(os.environ.get("PROVE_KILL_AT", "0"))
_HOME = os.environ.get("PROVE_HOME", "")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

_POLL = re.compile(r"send GET \S*jobs/ingest/\w+$")

_EVENTS = {"open": (0, 0), "os.rename": (1, 3), "os.remove": (0, 1), "os.rmdir": (0, 1)}
"""Which argument names the file, and which the folder that its name is relative to, if any does."""


def _step(event: str, args: tuple[Any, ...]) -> str | None:
    if event == "http.client.send":
        line = bytes(args[1][:200]).split(b"\r\n")[0] if isinstance(args[1], bytes) else b""
        verb, _, rest = line.partition(b" /")
        return f"send {verb.decode()} {rest.split(b' ')[0].decode()}" if rest else "send a body"
    if event not in _EVENTS:
        return None
    at, folder = _EVENTS[event]
    path = str(args[at])
    if folder and args[folder] != -1:  # below a folder that is open
        path = str(Path(f"/proc/self/fd/{args[folder]}").readlink() / path)
    if not path.startswith(_HOME) or (event == "open" and not int(args[2] or 0) & _WRITES):
        return None
    return f"{event.removeprefix('os.')} {path.removeprefix(_HOME)}"


class _Steps:
    def __init__(self, file: int) -> None:
        self.file = file
        self.count = 0
        self.polled: set[str] = set()
        self.begun = "PROVE_FROM_START" in os.environ

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "prove.begin":
            self.begun = True
        elif self.begun and (step := _step(event, args)) is not None:
            # How often a job is asked whether it is done is another number in every run.
            if step in self.polled:
                return
            if _POLL.match(step):
                self.polled.add(step)
            self.count += 1
            os.write(self.file, f"{step}\n".encode())
            if self.count == _AT:
                os.kill(os.getpid(), signal.SIGKILL)


if _HOME and "PROVE_STEPS" in os.environ:
    _FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    sys.addaudithook(_Steps(os.open(os.environ["PROVE_STEPS"], _FLAGS, 0o644)))
