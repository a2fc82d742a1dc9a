"""The serving process: two listeners, one for https and one for http, over one org."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from pipelines.local_org.api.asgi import Application
from pipelines.local_org.api.hosts import WrongHost, host_name
from pipelines.local_org.catalog.setup_file import SetupError
from pipelines.local_org.certificates import ensure_certificates
from pipelines.local_org.control import ALREADY_SERVED
from pipelines.local_org.files import Home
from pipelines.local_org.org import Org
from pipelines.local_org.process import process_started

HOST = "127.0.0.1"
GRACE_SECONDS = 1
WATCH_SECONDS = 2
"""How often an org looks whether its home is still there; without one it ends."""


class PortTaken(Exception):
    """A port that was asked for is in use."""


class _Listener(uvicorn.Server):
    """One of two servers in one loop; the loop, not each server, listens to signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve_forever(
    folder: Path,
    port: int,
    *,
    faults: bool = False,
    rules: Path | None = None,
    hosts: Sequence[str] = (),
) -> int:
    """Serve the org of a folder until SIGTERM or SIGINT.

    Returns:
        exit code: 0, 1 for a set-up or port that cannot be used, 75 when another process serves
        this home already.
    """
    home = Home(folder.resolve())
    home.folder.mkdir(parents=True, exist_ok=True)
    with home.lock.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another process serves {home.folder} already.", file=sys.stderr)
            return ALREADY_SERVED
        try:
            sockets = _bind(port, home.read_state())
            names = frozenset(map(host_name, hosts))
            org = Org(home, faults=faults, rules=rules, hosts=names)
        except (PortTaken, SetupError, WrongHost) as error:
            print(error, file=sys.stderr)
            return 1
        try:
            asyncio.run(_serve(org, lock.fileno(), *sockets))
        finally:
            org.close()
            if _is_same_home(home, lock.fileno()):
                _forget_process(home)
    return 0


def _is_same_home(home: Home, lock: int) -> bool:
    """Whether the home is the one that was locked, neither deleted nor made anew."""
    return home.lock.exists() and home.lock.stat().st_ino == os.fstat(lock).st_ino


async def _serve(org: Org, lock: int, https: socket.socket, http: socket.socket) -> None:
    chain, key = ensure_certificates(org.home.ca_file, org.home.tls, org.hosts)
    application = Application(org)
    common: dict[str, Any] = {
        "log_level": "warning",
        "lifespan": "off",
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_keep_alive": 75,
        "server_header": False,
        # The other implementation writes every header's name in lower case.
        "http": "h11",
        "date_header": False,  # the application's own is spelled like its other headers
    }
    servers = [
        _Listener(uvicorn.Config(application, ssl_certfile=chain, ssl_keyfile=key, **common)),
        _Listener(uvicorn.Config(application, **common)),
    ]

    def leave() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)

    async def watch() -> None:
        while _is_same_home(org.home, lock):
            await asyncio.sleep(WATCH_SECONDS)
        leave()

    watching = asyncio.create_task(watch())
    _publish(org, https.getsockname()[1], http.getsockname()[1])
    await asyncio.gather(
        *(server.serve([sock]) for server, sock in zip(servers, (https, http), strict=True))
    )
    watching.cancel()


def _bind(port: int, state: dict[str, Any]) -> tuple[socket.socket, socket.socket]:
    """Two listening sockets: on the ports asked for, else those of last time, else free ones."""
    if port:
        return _listen(port), _listen(port + 1)
    sockets = []
    for remembered in (state.get("https_port", 0), state.get("http_port", 0)):
        try:
            sockets.append(_listen(remembered))
        except PortTaken:
            sockets.append(_listen(0))
    return sockets[0], sockets[1]


def _listen(port: int) -> socket.socket:
    # Only a socket that knows it is TCP gets TCP_NODELAY; without it answers wait 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise PortTaken(
            f"Port {port} on {HOST} is in use ({error.strerror}). Choose another with --port; "
            "https takes the port itself, http the next one."
        ) from error
    sock.listen(1024)
    return sock


def _publish(org: Org, https_port: int, http_port: int) -> None:
    """Tell where the org listens and which process it is."""
    org.state |= {
        "https_url": f"https://localhost:{https_port}",
        "http_url": f"http://localhost:{http_port}",
        "https_port": https_port,
        "http_port": http_port,
        "faults": org.faults is not None,
        "hosts": sorted(org.hosts),
        "ca_file": str(org.home.ca_file),
        "pid": os.getpid(),
        "process_started": process_started(os.getpid()),
    }
    org.home.write_state(org.state)


def _forget_process(home: Home) -> None:
    home.write_state(home.read_state() | {"pid": None, "process_started": None})
