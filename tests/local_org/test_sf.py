"""The Salesforce CLI, unmodified, works with the local org as with any other.

CAUSEWAY_SF names the folder where `npm install` was run for sf/package.json; the Node it needs
comes with it.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

INSTALLED = Path(os.environ.get("CAUSEWAY_SF", Path(__file__).parent / "sf")) / "node_modules"
NODE = next((str(node) for node in INSTALLED.glob("node-*/bin/node")), shutil.which("node"))
RUN = INSTALLED / "@salesforce" / "cli" / "bin" / "run.js"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def sf(own_org: Any, tmp_path: Path) -> Run:
    """The CLI, logged in to an org of its own."""
    org = own_org()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SF_ACCESS_TOKEN": org["access_token"],
        "SF_DISABLE_TELEMETRY": "true",
        "SF_DISABLE_LOG_FILE": "true",
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
    }

    def run(*arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [str(NODE), str(RUN), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    login = ("org", "login", "access-token", "--instance-url", org["http_url"], "--no-prompt")
    run(*login, "--alias", "local", "--set-default")
    return run


@pytest.mark.skipif(
    not RUN.exists() and os.environ.get("CI") != "true",
    reason="needs `npm install` in tests/local_org/sf (or CAUSEWAY_SF), as .ci/run does",
)
def test_queries_and_bulk_upserts(sf: Run, tmp_path: Path) -> None:
    account = _json(sf("data", "create", "record", "-s", "Account", "-v", "Name=Acme", "--json"))
    rows = f"Causeway_Key__c,LastName,AccountId\nk1,One,{account['id']}\nk2,,\n"
    (tmp_path / "contacts.csv").write_text(rows)
    upsert = ("data", "upsert", "bulk", "--sobject", "Contact", "--file", "contacts.csv")
    options = ("--external-id", "Causeway_Key__c", "--line-ending", "LF", "--wait", "2")
    failed = json.loads(sf(*upsert, *options, "--json", code=1).stdout)
    assert "failed to process 1 records" in failed["message"]

    def csv(soql: str) -> list[str]:
        return sf("data", "query", "--query", soql, "--result-format", "csv").stdout.split("\n")

    assert csv("select lastname, account.name from contact") == [
        *("LastName,Account.Name", "One,Acme", "")
    ]
    table = sf(
        "data", "query", "--query", "SELECT Name, (SELECT LastName FROM Contacts) FROM Account"
    )
    assert "CONTACTS.LASTNAME" in table.stdout
    assert "│ Acme │ One " in table.stdout
    assert csv("SELECT COUNT(Id), MAX(name) FROM Account") == ["count(Id),max(Name)", "1,Acme", ""]
    read = _json(sf("data", "query", "-q", "SELECT Name, Owner.Name FROM Account", "--json"))
    assert read["records"][0]["Owner"]["Name"] == "Integration User"
    tooling = ("--use-tooling-api", "--result-format", "csv")
    entities = "SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = 'Lead'"
    assert sf("data", "query", "-q", entities, *tooling).stdout == "QualifiedApiName\nLead\n"
    export = ("data", "export", "bulk", "-q", "SELECT LastName FROM Contact", "--wait", "2")
    sf(*export, "--output-file", "out.csv", "--result-format", "csv")
    assert (tmp_path / "out.csv").read_text() == '"LastName"\n"One"\n'


def _json(done: "subprocess.CompletedProcess[str]") -> Any:
    return json.loads(done.stdout)["result"]
