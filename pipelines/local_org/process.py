"""The process of a local org as other processes see it: whose it is, and how it is begun.

Nothing heavy is imported here either, see `control`.
"""

import os
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

from pipelines.local_org.files import Home

LOG_TAIL_LINES = 20


def process_started(pid: int) -> str | None:
    """When a process started, as the system tells it, or None when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # A process that ended but was not yet waited for counts as ended.
        return None if fields[0] == "Z" else fields[19]
    listed = subprocess.run(  # noqa: S603
        ["/bin/ps", "-p", str(pid), "-o", "lstart="], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() or None


def is_ours(state: dict[str, Any]) -> bool:
    """Whether the state's process still runs; a pid that was given to another process is not it."""
    pid = state.get("pid")
    return pid is not None and process_started(pid) == state.get("process_started")


def spawn(files: Home, port: int, options: list[str]) -> "subprocess.Popen[bytes]":
    """Begin the process of an org; its output goes to the org's log."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pipelines.local_org", "serve"]
    command += ["--home", str(files.folder), "--port", str(port), *options]
    with files.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": path},
            cwd=files.folder,
            start_new_session=True,
        )


def answers(http_url: str) -> bool:
    """Whether an org answers at this address."""
    host, _, port = http_url.removeprefix("http://").partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.sendall(b"GET /services/data HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def log_tail(log: Path) -> str:
    """The last lines of a log, for a message."""
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, maxlen=LOG_TAIL_LINES)).rstrip() or "(empty)"
