"""Airbyte's source for Salesforce, unmodified, reads the local org as any other.

It asks test.salesforce.com, as for every sandbox; a proxy leads that name to the org, which was
told that it is called so. It lives in an environment of its own, `.airbyte`, or the one that
CAUSEWAY_AIRBYTE names.
"""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from pipelines.local_org import control

PROJECT = Path(__file__).parents[2]
SOURCE = (
    Path(os.environ.get("CAUSEWAY_AIRBYTE", PROJECT / ".airbyte")) / "bin" / "source-salesforce"
)
HOST = "test.salesforce.com"
STREAMS = ("Account", "Contact", "Task")


@pytest.mark.skipif(
    not SOURCE.exists() and os.environ.get("CI") != "true",
    reason="needs airbyte-source-salesforce in .airbyte (or CAUSEWAY_AIRBYTE), as .ci/run does",
)
def test_every_stream_is_read(rest_of: Any, tmp_path: Path) -> None:
    org = control.start(tmp_path / "org", hosts=[HOST])
    try:
        rest = rest_of(org)
        account = rest("POST", "sobjects/Account", json={"Name": 'Acmé, "X"'}).json()["id"]
        contact = {"LastName": "Lo", "AccountId": account, "Description": "two\nlines"}
        rest("POST", "sobjects/Contact", json=contact)
        rest("POST", "sobjects/Task", json={"Subject": "Call", "WhatId": account})
        for bulk in (False, True):
            records = read_all(org, tmp_path, bulk=bulk)
            assert {name: len(found) for name, found in records.items()} == dict.fromkeys(
                STREAMS, 1
            )
            assert records["Account"][0]["Name"] == 'Acmé, "X"'
            assert records["Contact"][0]["Description"] == "two\nlines"
            assert records["Contact"][0]["AccountId"] == account
            assert records["Task"][0]["Subject"] == "Call"
    finally:
        control.stop(tmp_path / "org")


def read_all(org: dict[str, Any], folder: Path, *, bulk: bool) -> dict[str, list[dict[str, Any]]]:
    """What Airbyte reads of each stream, through the REST API or through Bulk API 2.0."""
    secrets = {name: org[name] for name in ("client_id", "client_secret", "username", "password")}
    token = requests.post(
        f"{org['http_url']}/services/oauth2/token",
        data={"grant_type": "password", **secrets},
        timeout=20,
    ).json()
    config = {
        "auth_type": "Client",
        "client_id": org["client_id"],
        "client_secret": org["client_secret"],
        "refresh_token": token["refresh_token"],
        "is_sandbox": True,
        "start_date": "2020-01-01T00:00:00Z",
        "force_use_bulk_api": bulk,
        "streams_criteria": [{"criteria": "exacts", "value": name} for name in STREAMS],
    }
    (folder / "config.json").write_text(json.dumps(config))
    with tunnel(int(urlsplit(org["https_url"]).port or 0)) as proxy:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HTTPS_PROXY": proxy,
            "REQUESTS_CA_BUNDLE": org["ca_file"],
        }
        [found] = _messages(folder, environment, "CATALOG", "discover", "--config", "config.json")
        streams = [stream for stream in found["streams"] if stream["name"] in STREAMS]
        modes = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        catalog = {"streams": [{"stream": stream, **modes} for stream in streams]}
        (folder / "catalog.json").write_text(json.dumps(catalog))
        options = ("--config", "config.json", "--catalog", "catalog.json")
        records: dict[str, list[dict[str, Any]]] = {}
        for record in _messages(folder, environment, "RECORD", "read", *options):
            records.setdefault(record["stream"], []).append(record["data"])
        return records


def _messages(
    folder: Path, environment: dict[str, str], kind: str, *arguments: str
) -> list[dict[str, Any]]:
    """The messages of one kind that a command of the source prints."""
    done = subprocess.run(
        [str(SOURCE), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return [message[kind.lower()] for message in messages if message["type"] == kind]


@contextmanager
def tunnel(port: int) -> Iterator[str]:
    """The address of a proxy that leads every name to a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        # What waits in `accept` is woken by this alone.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_lead, args=(client, port), daemon=True).start()


def _lead(client: socket.socket, port: int) -> None:
    head = b""
    with client, socket.create_connection(("127.0.0.1", port)) as org, suppress(OSError):
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_pump, args=(client, org), daemon=True).start()
        _pump(org, client)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
