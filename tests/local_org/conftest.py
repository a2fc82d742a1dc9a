"""A real local org in a process of its own, and clients that do not know it is one."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines.local_org import control


class Rest:
    """A bare HTTP client: what the wire says, no client library in between."""

    def __init__(self, org: dict[str, Any], version: str = "67.0") -> None:
        self.org, self.version = org, version
        self.session = requests.Session()
        self.session.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
        self.session.verify = org["ca_file"]
        self.session.headers["Authorization"] = f"Bearer {org['access_token']}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request; a relative path stands under the version's folder."""
        if not path.startswith("/"):
            path = f"/services/data/v{self.version}/{path}"
        return self.session.request(method, self.org["https_url"] + path, timeout=60, **options)

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The records of a query's first page, without attributes."""
        answer = self("GET", "query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return [{k: v for k, v in r.items() if k != "attributes"} for r in answer.json()["records"]]

    def ingest(self, csv: str | bytes, **spec: Any) -> dict[str, Any]:
        """Run an ingest job to its end; its last JSON with the three result texts."""
        import time

        job = self("POST", "jobs/ingest", json=spec)
        assert job.status_code == 200, job.text
        path = f"jobs/ingest/{job.json()['id']}"
        body = csv.encode() if isinstance(csv, str) else csv
        put = self("PUT", f"{path}/batches", data=body, headers={"Content-Type": "text/csv"})
        assert put.status_code == 201, put.text
        assert self("PATCH", path, json={"state": "UploadComplete"}).status_code == 200
        while (info := self("GET", path).json())["state"] in {"UploadComplete", "InProgress"}:
            time.sleep(0.02)
        for kind in ("successfulResults", "failedResults", "unprocessedrecords"):
            info[kind] = self("GET", f"{path}/{kind}").content.decode()
        return info


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A running org for all tests that leave each other's records alone."""
    home = tmp_path_factory.mktemp("org")
    yield control.start(home)
    control.stop(home)


@pytest.fixture
def own_org(tmp_path: Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes orgs of one test's own; `setup` is added to the end of the set-up file."""
    homes = []

    def make(
        setup: str = "", *, sandbox: bool = True, restricted: str | None = None
    ) -> dict[str, Any]:
        home = tmp_path / f"org{len(homes)}"
        homes.append(home)
        if setup or not sandbox or restricted is not None:
            from pipelines.local_org.catalog.load import TEMPLATE

            home.mkdir()
            template = TEMPLATE.read_text().replace(
                "sandbox: true", f"sandbox: {str(sandbox).lower()}"
            )
            if restricted is not None:
                template = re.sub(r"(?m)^(restricted_picklists:).*", rf"\1 {restricted}", template)
            (home / "org.yaml").write_text(template + setup)
        return control.start(home)

    yield make
    for home in homes:
        control.stop(home)


@pytest.fixture(scope="session")
def rest(org: dict[str, Any]) -> Rest:
    """A bare client of the shared org."""
    return Rest(org)


@pytest.fixture(scope="session")
def rest_of() -> type[Rest]:
    """Bare clients of other orgs or versions."""
    return Rest


_numbers = itertools.count(1)


@pytest.fixture
def key() -> str:
    """A text no other test uses, for keys and names."""
    return f"t-{next(_numbers)}"
