"""The protocol's contract: held by the local org always, and by a sandbox with `--org ALIAS`.

    pytest tests/contract --org dev

reads CAUSEWAY_CONTRACT_DEV_URL and CAUSEWAY_CONTRACT_DEV_TOKEN, and refuses what is no sandbox.
The sandbox needs `Causeway_Key__c` (text 36, External Id, unique) on Account, Contact and Lead, and
no duplicate rules, validation rules or automations on them.
"""

import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from lxml import etree

from pipelines.local_org import control


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--org", help="alias of a sandbox to hold to the contract")


class Rest:
    """A bare HTTP client: what the wire says, no client library in between."""

    def __init__(self, url: str, token: str, ca_file: str | None, version: str = "67.0") -> None:
        self.connection = (url, token, ca_file)
        self.version = version
        self.url = url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        if ca_file is not None:
            self.session.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
            self.session.verify = ca_file

    def at(self, version: str) -> "Rest":
        """The same org, asked in another API version."""
        return Rest(*self.connection, version)

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request; a relative path stands under the version's folder."""
        if not path.startswith("/"):
            path = f"/services/data/v{self.version}/{path}"
        return self.session.request(method, self.url + path, timeout=120, **options)

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The records of a query's first page, without attributes."""
        answer = self("GET", "query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return [{k: v for k, v in r.items() if k != "attributes"} for r in answer.json()["records"]]

    def soap(self, body: str, service: str = "u", token: str | None = None) -> etree._Element:
        """The first element inside the body of the answer to a SOAP call."""
        envelope = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns="urn:partner.soap.sforce.com"><e:Header><SessionHeader><sessionId>'
            f"{token or self.connection[1]}</sessionId></SessionHeader></e:Header>"
            f"<e:Body>{body}</e:Body></e:Envelope>"
        )
        answer = self(
            "POST",
            f"/services/Soap/{service}/{self.version}",
            data=envelope.encode(),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        )
        return etree.fromstring(answer.content).find("{*}Body")[0]

    def ingest(self, csv: str, **spec: Any) -> dict[str, Any]:
        """Run an ingest job to its end; its last JSON with the three result texts."""
        job = self("POST", "jobs/ingest", json=spec)
        assert job.status_code == 200, job.text
        path = f"jobs/ingest/{job.json()['id']}"
        headers = {"Content-Type": "text/csv"}
        put = self("PUT", f"{path}/batches", data=csv.encode(), headers=headers)
        assert put.status_code == 201, put.text
        assert self("PATCH", path, json={"state": "UploadComplete"}).status_code == 200
        while (info := self("GET", path).json())["state"] in {"UploadComplete", "InProgress"}:
            time.sleep(0.02)
        for kind in ("successfulResults", "failedResults", "unprocessedrecords"):
            info[kind] = self("GET", f"{path}/{kind}").content.decode()
        return info


@pytest.fixture(scope="session")
def rest(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rest]:
    """A client of the org that is held to the contract."""
    alias = request.config.getoption("--org", default=None)
    if alias is not None:
        yield _sandbox(alias)
        return
    home = tmp_path_factory.mktemp("org")
    org = control.start(home)
    yield Rest(org["https_url"], org["access_token"], org["ca_file"])
    control.stop(home)


def _sandbox(alias: str) -> Rest:
    names = [f"CAUSEWAY_CONTRACT_{alias.upper()}_{what}" for what in ("URL", "TOKEN")]
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        pytest.exit(f"set {' and '.join(missing)} to reach {alias}", 2)
    rest = Rest(*(os.environ[name] for name in names), None)
    if rest.query("SELECT IsSandbox FROM Organization") != [{"IsSandbox": True}]:
        pytest.exit(f"{alias} is not a sandbox; these tests write, so they stop here", 2)
    return rest


@pytest.fixture
def key() -> str:
    """A text no other test uses, in this run or another, for keys and names."""
    return f"t{uuid.uuid4().hex[:12]}"
