"""The local org alone, in a process of its own: ``python -m bench.local_org 1000000`` prints JSON.

Everything goes over HTTP, as any client would do it: contacts of 15 columns are upserted twice by
their External Id, the first time into an empty org with an Account for every ten of them, and read
back; then single records are written and read while the org holds them all.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import duckdb
import requests

from bench.generate import FOLDER
from bench.measure import cost
from pipelines.local_org import control

ROWS_PER_FILE = 400_000
"""About 80 MB: a job takes 150 MB at most."""

SINGLE_CALLS = 200
CONTACTS = {
    "object": "Contact",
    "operation": "upsert",
    "externalIdFieldName": "Causeway_Key__c",
}
SETUP_SWITCHED_ON = ("action: off", "action: alert")


@dataclass(frozen=True)
class OrgResult:
    """What the org took.

    Attributes:
        contacts: rows of each upsert.
        created: seconds from the last byte of the upload to the end of the job, all rows new.
        changed: the same, all rows known.
        read: seconds from asking for a query job of the same columns to its end.
        peak: most bytes the org's process held at once; none where no ``/proc`` tells.
        calls: kind of single-record call → its median in milliseconds.
    """

    contacts: int
    created: float
    changed: float
    read: float
    peak: int | None
    calls: dict[str, float]


def measure(folder: Path, contacts: int, calls: int = SINGLE_CALLS) -> OrgResult:
    """Start an org below ``folder`` and measure it.

    For the jobs every rule is switched on; single records meet the rules that an org ships with.
    """
    home = folder / "org"
    home.mkdir(parents=True)
    files = dict(_files(folder, contacts))
    template = Path(control.__file__).with_name("catalog") / "org.yaml"
    (home / "org.yaml").write_text(template.read_text().replace(*SETUP_SWITCHED_ON))
    org = control.start(home)
    try:
        with closing(_Client(org)) as client:
            load = cost(lambda: _jobs(client, files), org["pid"])
        control.stop(home)
        (home / "org.yaml").write_text(template.read_text())
        with closing(_Client(control.start(home))) as client:
            milliseconds = _calls(client, calls)
    finally:
        control.stop(home)
    return OrgResult(contacts, *load.result, load.org_peak, milliseconds)


def _jobs(client: _Client, files: Mapping[str, list[Path]]) -> tuple[float, float, float]:
    """Seconds of creating, of changing and of reading the contacts."""
    client.load({"object": "Account", "operation": "insert"}, files["accounts"])
    created = client.load(CONTACTS, files["created"])
    changed = client.load(CONTACTS, files["changed"])
    return created, changed, client.read(files["created"][0])


def _files(folder: Path, contacts: int) -> Iterator[tuple[str, list[Path]]]:
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set variable contacts = ?", [contacts])
        connection.execute((FOLDER / "local_org.sql").read_text(encoding="utf-8"))
        for name in ("accounts", "created", "changed"):
            files = []
            for first in range(0, contacts, ROWS_PER_FILE):
                file = folder / f"{name}-{first}.csv"
                connection.execute(_part_sql(name, first, file))
                files.append(file)
            yield name, files


def _part_sql(name: str, first: int, file: Path) -> str:
    columns = "* exclude (person)"
    span = f"person between {first} and {first + ROWS_PER_FILE - 1}"
    return (
        f"copy (select {columns} from {name} where {span} order by person) "
        f"to '{file}' (format csv, header)"
    )


class _Client:
    """A bare HTTP client."""

    def __init__(self, org: dict[str, Any]) -> None:
        self._path = "/services/data/v67.0/"
        self._base = org["http_url"] + self._path
        self._bare = HTTPConnection(org["http_url"].removeprefix("http://"), timeout=600)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {org['access_token']}"

    def close(self) -> None:
        """Hang up."""
        self._session.close()
        self._bare.close()

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        answer = self._session.request(method, self._base + path, timeout=600, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """A call with as little of a client as there can be: what it takes is the org's time."""
        text = None if body is None else json.dumps(body)
        authorization = {"Authorization": str(self._session.headers["Authorization"])}
        headers = authorization | {"Content-Type": "application/json"}
        self._bare.request(method, self._path + path, text, headers)
        answer = self._bare.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"the org refused {method} {path}: {content!r}")
        return json.loads(content) if content else None

    def load(self, spec: dict[str, str], files: list[Path]) -> float:
        """Seconds that the org works on these files, a job for each."""
        seconds = 0.0
        for file in files:
            job = f"jobs/ingest/{self('POST', 'jobs/ingest', json=spec)['id']}"
            with file.open("rb") as data:
                self("PUT", f"{job}/batches", data=data)
            started = time.perf_counter()
            self("PATCH", job, json={"state": "UploadComplete"})
            info = self._wait(job)
            seconds += time.perf_counter() - started
            if info["state"] != "JobComplete" or info["numberRecordsFailed"]:
                raise SystemExit(f"the org refused rows of {file.name}: {info}")
        return seconds

    def read(self, like: Path) -> float:
        """Seconds of a query job for the columns of a file."""
        with like.open(encoding="utf-8") as lines:
            columns = next(lines).strip()
        query = {"operation": "query", "query": f"select {columns} from Contact"}
        started = time.perf_counter()
        self._wait(f"jobs/query/{self('POST', 'jobs/query', json=query)['id']}")
        return time.perf_counter() - started

    def _wait(self, job: str) -> Any:
        while True:
            info = self("GET", job)
            if info["state"] not in {"UploadComplete", "InProgress"}:
                return info
            time.sleep(0.05)


def _calls(client: _Client, number: int) -> dict[str, float]:
    """Milliseconds of each kind of single-record call; the median of a number of them."""
    record_ids: list[str] = []

    def create(n: int) -> None:
        values = {"LastName": f"Single {n}", "Causeway_Key__c": f"single-{n}", "Title": "Boss"}
        record_ids.append(client.call("POST", "sobjects/Contact", values)["id"])

    def read(n: int) -> None:
        client.call("GET", f"sobjects/Contact/{record_ids[n]}")

    def update(n: int) -> None:
        client.call("PATCH", f"sobjects/Contact/{record_ids[n]}", {"Phone": str(n)})

    def upsert(n: int) -> None:
        client.call("PATCH", f"sobjects/Contact/Causeway_Key__c/single-{n}", {"Title": str(n)})

    def query(n: int) -> None:
        soql = f"SELECT Id, LastName FROM Contact WHERE Causeway_Key__c = 'single-{n}'"
        client.call("GET", f"query?q={quote(soql)}")

    def delete(n: int) -> None:
        client.call("DELETE", f"sobjects/Contact/{record_ids[n]}")

    kinds = (create, read, update, upsert, query, delete)
    return {kind.__name__: _median(kind, number) for kind in kinds}


def _median(call: Callable[[int], None], number: int) -> float:
    seconds = []
    for n in range(number):
        started = time.perf_counter()
        call(n)
        seconds.append(time.perf_counter() - started)
    return median(seconds) * 1000


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))  # the org stops with us
    with TemporaryDirectory(prefix="causeway-bench-") as temporary:
        json.dump(asdict(measure(Path(temporary), int(sys.argv[1]))), sys.stdout)
