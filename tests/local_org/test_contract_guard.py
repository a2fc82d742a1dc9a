"""The contract's tests write records, so they refuse any org that is not a sandbox."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]


def hold_to_the_contract(**environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract"]
    return subprocess.run(
        [*command, "--org", "guarded"],
        cwd=PROJECT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_production_org_is_refused_untouched(own_org: Any, rest_of: Any) -> None:
    org = own_org(sandbox=False)
    refused = hold_to_the_contract(
        CAUSEWAY_CONTRACT_GUARDED_URL=org["http_url"],
        CAUSEWAY_CONTRACT_GUARDED_TOKEN=org["access_token"],
    )
    assert refused.returncode == 2
    assert "guarded is not a sandbox; these tests write, so they stop here" in refused.stdout
    rest = rest_of(org)
    assert rest.query("SELECT IsSandbox FROM Organization") == [{"IsSandbox": False}]
    counts = rest("GET", "limits/recordCount", params={"sObjects": "Account,Contact,Lead"}).json()
    assert [o["count"] for o in counts["sObjects"]] == [0, 0, 0]


def test_an_alias_without_an_address_is_told_what_is_missing() -> None:
    refused = hold_to_the_contract()
    assert refused.returncode == 2
    assert "set CAUSEWAY_CONTRACT_GUARDED_URL and" in refused.stdout
