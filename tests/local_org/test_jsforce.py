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
    seen = json.loads(run.stdout)
    assert seen["soapLogin"]["organizationId"] == org["organization_id"]
    assert seen["identity"] == org["username"]
    assert (seen["phone"], seen["createdMany"]) == ("1", 450)
    assert seen["upserted"] == [True, False, True]
    assert seen["fetched"] == 452
    assert "Causeway_Key__c" in seen["described"]
    assert {"Account", "Contact", "Lead", "User"} <= set(seen["objects"])
    assert seen["upsertedMany"] == [False, True]
    assert (seen["page"], seen["limit"]) == ([453, 453, True], 100000)
    assert seen["refused"] == ["REQUIRED_FIELD_MISSING", ["LastName"]]
    assert seen["misasked"] == "INVALID_FIELD"
    assert seen["bulkGood"] == ["b1"]
    assert seen["bulkBad"] == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    ]
    assert seen["bulkQuery"] == 454
    required = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert seen["classic"] == [[True, False, []], [False, False, [required]]]
    assert seen["classicQuery"] == [{"LastName": "Older", "DoNotCall": "true"}]
    assert seen["aborted"] == "Aborted"
    assert (seen["converted"], seen["merged"], seen["destroyed"]) == (True, 1, 3)
    assert dt.datetime.fromisoformat(seen["timestamp"]).tzinfo is not None
    assert rest_of(org | {"access_token": seen["token"]})("GET", "limits").status_code == 401
