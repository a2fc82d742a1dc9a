"""CumulusCI 4, unmodified, works with the local org as with any other.

It pins other versions of our libraries, so it lives in an environment of its own: `.cumulusci`, or
the one that CAUSEWAY_CUMULUSCI names.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cumulusci"
PROJECT = Path(__file__).parents[2]
CCI = Path(os.environ.get("CAUSEWAY_CUMULUSCI", PROJECT / ".cumulusci")) / "bin" / "cci"


@pytest.mark.skipif(
    not CCI.exists(),
    reason="needs CumulusCI in .cumulusci (or CAUSEWAY_CUMULUSCI), as .ci/run installs it",
)
def test_a_flow(own_org: Any, rest_of: Any, tmp_path: Path) -> None:
    org = own_org()
    project = tmp_path / "project"
    shutil.copytree(FOLDER, project)
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    run = subprocess.run(
        [str(CCI), "flow", "run", "everything", "--org", "local", "--no-prompt"],
        cwd=project,
        env=environment(org, tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    first, second = extracted(project / "rest.sql"), extracted(project / "bulk.sql")
    assert first["Account"] == {("Acme & Söhne", "a-1", "12"), ('Beta, "Ltd"', "a-2", "")}
    assert {row[:-1] for row in first["Contact"]} == {
        ("c-1", "Ito", "mei@x.org", "1990-05-06", "True"),
        ("c-2", "Abe", "ken@x.org", "", "False"),
        ("c-3", "Ono", "", "", "False"),
        ("c-4", "O'Hara", "o@x.org", "", "False"),
        ("c-5", "Zen", "", "", "False"),
    }
    assert {name for name, *_ in second["Contact"]} == {
        *("Itoh", "Abe", "Ono", "O'Hara", "Zen", "New", "Newer")
    }
    assert {row[-1] != "" for row in second["Contact"] if row[0] in {"Itoh", "Abe"}} == {True}
    assert run.stdout.count("INVALID_EMAIL_ADDRESS") == 2
    rest = rest_of(org)
    assert rest.query("SELECT COUNT(Id) FROM Contact") == [{"expr0": 0}]
    assert rest.query("SELECT COUNT(Id) FROM Account") == [{"expr0": 2}]


def environment(org: dict[str, Any], home: Path) -> dict[str, str]:
    """What tells CumulusCI of the org, and keeps it from asking anybody else for anything."""
    (home / ".cumulusci").mkdir(parents=True)
    # It looks for a newer version of itself unless it did so within the hour.
    (home / ".cumulusci" / "cumulus_timestamp").write_text(str(time.time()))
    org_config = {
        "access_token": org["access_token"],
        "instance_url": org["https_url"],
        "org_id": org["organization_id"],
        "id": f"{org['https_url']}/id/{org['organization_id']}/005000000000000AAA",
        "username": org["username"],
    }
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "CUMULUSCI_ORG_local": json.dumps(org_config),
        "CUMULUSCI_KEY": "0123456789abcdef",
        "CUMULUSCI_DISABLE_REFRESH": "1",
        "REQUESTS_CA_BUNDLE": org["ca_file"],
    }


def extracted(file: Path) -> dict[str, set[tuple[str, ...]]]:
    """The rows of each table of an extract, without their local ids."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(file.read_text())
        return {
            name: {row[1:] for row in database.execute(f'select * from "{name}"')}
            for name in ("Account", "Contact")
        }
