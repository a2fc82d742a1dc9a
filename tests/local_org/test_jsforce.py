"""jsforce 3, unmodified, works with the local org as with any other.

CAUSEWAY_JSFORCE names the folder where `npm install` was run for jsforce/package.json.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "jsforce"
INSTALLED = Path(os.environ.get("CAUSEWAY_JSFORCE", FOLDER))
NODE = shutil.which("node")


@pytest.mark.skipif(
    NODE is None or not (INSTALLED / "node_modules" / "jsforce").exists(),
    reason="needs node, and `npm install` in tests/local_org/jsforce (or CAUSEWAY_JSFORCE)",
)
def test_a_session(own_org: Any, rest_of: Any) -> None:
    org = own_org()
    run = subprocess.run(
        [str(NODE), str(FOLDER / "session.cjs"), str(INSTALLED)],
        input=json.dumps(org),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    assert printed["soapLogin"]["organizationId"] == org["organization_id"]
    assert printed["identity"] == org["username"]
    assert (printed["phone"], printed["createdMany"]) == ("1", 450)
    assert printed["upserted"] == [True, False, True]
    assert printed["fetched"] == 452
    assert "Causeway_Key__c" in printed["described"]
    assert {"Account", "Contact", "Lead", "User"} <= set(printed["objects"])
    assert printed["upsertedMany"] == [False, True]
    assert (printed["page"], printed["limit"]) == ([453, 453, True], 100000)
    assert printed["refused"] == ["REQUIRED_FIELD_MISSING", ["LastName"]]
    assert printed["misasked"] == "INVALID_FIELD"
    assert printed["bulkGood"] == ["b1"]
    assert printed["bulkBad"] == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    ]
    assert printed["bulkQuery"] == 454
    required = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert printed["classic"] == [[True, False, []], [False, False, [required]]]
    assert printed["classicQuery"] == [{"LastName": "Older", "DoNotCall": "true"}]
    assert printed["aborted"] == "Aborted"
    assert (printed["converted"], printed["merged"], printed["destroyed"]) == (True, 1, 3)
    assert dt.datetime.fromisoformat(printed["timestamp"]).tzinfo is not None
    assert rest_of(org | {"access_token": printed["token"]})("GET", "limits").status_code == 401
