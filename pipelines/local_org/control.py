"""Start, look at, stop and empty a local org from outside its process.

Nothing heavy is imported here, so that a command line can ask for an org's state at once.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.local_org.files import Home
from pipelines.local_org.process import answers, is_ours, log_tail, process_started, spawn

PUBLIC_KEYS = (
    "https_url",
    "http_url",
    "ca_file",
    "client_id",
    "client_secret",
    "username",
    "password",
    "security_token",
    "access_token",
    "organization_id",
    "pid",
)
START_SECONDS = 60.0
STOP_SECONDS = 20.0
ASK_SECONDS = 60.0
ALREADY_SERVED = 75  # exit code of whoever lost the race for the home; the winner will answer
_children: "dict[int, subprocess.Popen[bytes]]" = {}
"""Orgs that this process started; kept so that they can be waited for when they end."""


class LocalOrgError(Exception):
    """The org could not be started or stopped; the message says why and what to do."""


class RequestRefused(LocalOrgError):
    """The org runs, but does not do what it was asked: the request must change."""


def start(
    home: Path,
    port: int | None = None,
    *,
    faults: bool = False,
    rules: Path | None = None,
    hosts: Sequence[str] = (),
) -> dict[str, Any]:
    """Start the org of `home` as a process of its own and wait until it answers.

    Args:
        home: the org's folder; made at first start.
        port: for https; http listens on the next one. None or 0: the ports of the last start,
            or free ones.
        faults: let `inject` make things go wrong.
        rules: a file of rules on top of the set-up's (see `catalog.rules`), copied into the home
            when it is found to be good, so that later starts follow it too.
        hosts: names besides this machine's own by which clients may ask it. Its certificate is
            for them too, and its pages need a login then.

    Returns:
        `PUBLIC_KEYS` and their values. When the org already runs, those of the running one.

    Raises:
        LocalOrgError: it ended or did not answer in time; carries the end of its log.
    """
    files = Home(Path(home).resolve())
    running = status(files.folder)
    if running["running"]:
        return _public(running)
    files.folder.mkdir(parents=True, exist_ok=True)
    options = ["--faults"] if faults else []
    if rules is not None:
        options += ["--rules", str(Path(rules).resolve())]
    for name in hosts:
        options += ["--allow-host", name]
    process = spawn(files, port or 0, options)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = status(files.folder)
        if running["running"] and answers(running["http_url"]):
            _children[process.pid] = process
            return _public(running)
        if process.poll() not in (None, ALREADY_SERVED):
            break
        time.sleep(0.05)
    reason = (
        f"ended with code {process.returncode}"
        if process.poll() is not None
        else f"did not answer within {START_SECONDS:.0f} s"
    )
    raise LocalOrgError(
        f"The local org in {files.folder} {reason}.\n"
        f"The end of its log, {files.log}:\n{log_tail(files.log)}"
    )


def status(home: Path) -> dict[str, Any]:
    """What is known of the org in `home`: `PUBLIC_KEYS` (None before first start) and `running`."""
    state = Home(Path(home).resolve()).read_state()
    running = is_ours(state)
    if not running:
        _reap()
    public = {key: state.get(key) for key in PUBLIC_KEYS}
    return {**public, "pid": state.get("pid") if running else None, "running": running}


def stop(home: Path) -> dict[str, Any]:
    """End the org's process, gently first; does nothing when it is not running.

    Returns:
        the status afterwards.

    Raises:
        LocalOrgError: the process would not end.
    """
    files = Home(Path(home).resolve())
    state = files.read_state()
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        if not is_ours(state):
            return status(files.folder)
        os.kill(state["pid"], number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and is_ours(state):
            time.sleep(0.02)
    if is_ours(state):
        raise LocalOrgError(f"Process {state['pid']} of the local org in {home} does not end.")
    return status(files.folder)


def reset(home: Path) -> dict[str, Any]:
    """Delete all records, jobs and query results; ids, secrets and set-up stay.

    A running org is stopped and started again on the same ports.

    Returns:
        the status afterwards.
    """
    files = Home(Path(home).resolve())
    was_running = status(files.folder)["running"]
    stop(files.folder)
    for folder in (files.records.parent, files.jobs, files.cursors):
        shutil.rmtree(folder, ignore_errors=True)
    if was_running:
        state = files.read_state()
        start(files.folder, faults=state.get("faults", False), hosts=state.get("hosts", ()))
    return status(files.folder)


def inject(home: Path, *faults: dict[str, Any]) -> list[dict[str, Any]]:
    """Arm faults in a running org that was started with `faults=True`; without any, clear all.

    Args:
        home: the org's folder.
        faults: each with `kind` (refuse, slow, reset, lose_answer, die, expire_sessions,
            lock_rows, lock_contention, job) and its settings, see `pipelines.local_org.faults`.

    Returns:
        the faults still to happen.

    Raises:
        RequestRefused: the org has no faults, or a fault is described wrongly.
    """
    body = json.dumps(faults).encode() if faults else None
    listed = ask(home, "POST" if faults else "DELETE", "/control/faults", body)
    return listed or []


def armed(home: Path) -> list[dict[str, Any]]:
    """The faults still to happen in a running org that was started with `faults=True`.

    Raises:
        LocalOrgError: the org has no faults.
    """
    listed: list[dict[str, Any]] = ask(home, "GET", "/control/faults")
    return listed


def seed(home: Path) -> dict[str, int]:
    """Write the sample records that a running org never got; object → how many.

    Raises:
        RequestRefused: the org's rules refuse some.
    """
    counts: dict[str, int] = ask(home, "POST", "/control/seed")
    return counts


def seed_file(home: Path, sobject: str, file: Path) -> dict[str, Any]:
    """Load a CSV file into a running org and wait until it is done.

    Returns:
        `loaded` (when the same file was loaded before: nothing was done now), or how it went:
        `operation`, `job`, `state`, `rows`, `failed`, and `errors`, the first failed rows.

    Raises:
        RequestRefused: the file is unfit: every problem with its line.
    """
    answer: dict[str, Any] = ask(home, "POST", f"/control/seed/{sobject}", file.read_bytes())
    if "problems" in answer:
        lines = [f"{file}:{p['line']}: {p['text']}" for p in answer["problems"]]
        raise RequestRefused("\n".join(lines) + "\nNothing was loaded.")
    while "job" in answer:
        progress = ask(home, "GET", f"/control/jobs/{answer['job']}")
        if progress["ended"]:
            return {**answer, **progress}
        time.sleep(0.1)
    return answer


def ask(home: Path, method: str, path: str, body: bytes | None = None) -> Any:
    """One request to a control endpoint of a running org; its JSON, or None.

    Raises:
        LocalOrgError: the org does not run.
        RequestRefused: it does not do this.
    """
    files = Home(Path(home).resolve())
    state = files.read_state()
    if not is_ours(state):
        raise LocalOrgError(
            f"The local org in {files.folder} is not running. Start it with: causeway org start"
        )
    secret = base64.b64encode(f"{state['client_id']}:{state['client_secret']}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310
        f"{state['http_url']}{path}",
        data=body,
        headers={"Authorization": f"Basic {secret}"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:  # noqa: S310
            content = answer.read()
    except urllib.error.HTTPError as error:
        raise RequestRefused(_refusal(error.read())) from error
    return json.loads(content) if content else None


def _refusal(body: bytes) -> str:
    first = json.loads(body)[0]
    if first["errorCode"] == "NOT_FOUND":
        return (
            "The local org was not started for this (NOT_FOUND). "
            "Stop it, then: causeway org start --faults"
        )
    return f"The local org refused: {first['message']}"


def _reap() -> None:
    """Wait for the orgs of this process that ended, so that none stays a zombie."""
    for pid in list(_children):
        if process_started(pid) is None:
            _children.pop(pid).wait(STOP_SECONDS)


def _public(state: dict[str, Any]) -> dict[str, Any]:
    return {key: state[key] for key in PUBLIC_KEYS}
