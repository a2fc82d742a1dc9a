"""Whatever is sent, good or damaged: never a 5xx, always JSON of the right shape."""

import csv
import io
import json
import math
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local_org.api.routes import table
from tests.local_org.odd import BOUNDED, damaged, mostly, well_shaped

WORDS = """
records attributes type referenceId allOrNone compositeRequest url ids method body
httpHeaders batchRequests richInput object operation state contentType lineEnding
columnDelimiter externalIdFieldName query fields q Id id LastName Name Account AccountId
Birthdate Email Metadata sobjects in overallLimit FullName Causeway_Key__c IsDeleted Phone
name
"""
KEYS = WORDS.split()


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A JSON object, with keys that mean something as a rule."""
    return st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=5)


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1.5, 10**30, 1e308, 10**400, math.inf, math.nan])
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\0", "x" * 40_000, "2024-02-29", "true", "001000000000001"])
    | st.sampled_from(
        ["Account", "Contact", "insert", "upsert", "CSV", "Closed", "UploadComplete"]
    ),
    lambda inner: st.lists(inner, max_size=3) | objects(inner),
    max_leaves=12,
)


def _record() -> st.SearchStrategy[dict[str, Any]]:
    typed = st.sampled_from(["Account", "Contact", "Lead", "Task", "Nope", "User", "Organization"])
    values = objects(JSONS)
    return st.builds(lambda name, more: {"attributes": {"type": name}, **more}, typed, values)


BODIES = (
    JSONS
    | st.builds(lambda rs: {"records": rs}, st.lists(_record(), max_size=3))
    | st.builds(
        lambda ps: {"compositeRequest": ps, "allOrNone": bool(len(ps) % 2)},
        st.lists(
            st.fixed_dictionaries(
                {
                    "method": st.sampled_from(["GET", "POST", "PATCH", "DELETE", "X"]),
                    "url": st.sampled_from(
                        [
                            "/services/data/v67.0/sobjects/Account",
                            "/services/data/v67.0/query?q=SELECT+Id+FROM+Account+LIMIT+-1",
                            "/services/data/v67.0/sobjects/Contact/Email/@{a.id}",
                            "//[",
                            "@{a.b[9].c}",
                        ]
                    ),
                    "referenceId": st.sampled_from(["a", "b", ""]),
                    "body": JSONS,
                    "httpHeaders": JSONS,
                }
            ),
            max_size=3,
        ),
    )
)
ODD = ["0", "x", "%00", "%ff", "..", "é", "a b", "Nope", "001000000000009AAA", "750000000000001AAA"]
NAMES = ["Account", "Contact", "Lead", "Task", "User", "Opportunity", "Organization"]
KEY_FIELDS = ["Id", "Email", "Causeway_Key__c", "Birthdate", "IsDeleted", "BillingAddress", "Name"]
VALUES = st.sampled_from(
    ["", "1", "-1", "x", "Id", "Id,Name,Nope", "true", "\0", "001000000000001"]
)
PARAMETERS = st.dictionaries(
    st.sampled_from(
        [
            *(
                "q",
                "fields",
                "ids",
                "sObjects",
                "start",
                "end",
                "allOrNone",
                "locator",
                "maxRecords",
            ),
            *("updateOnly", "jobType", "queryLocator", "sobject", "in", "overallLimit", "explain"),
        ]
    ),
    VALUES,
    max_size=3,
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *(
                "Sforce-Query-Options",
                "Sforce-Auto-Assign",
                "If-Modified-Since",
                "Content-Encoding",
            ),
            *("Sforce-Duplicate-Rule-Header", "Accept", "Sforce-Call-Options", "Content-Type"),
        ]
    ),
    st.sampled_from(
        ["", "x", "batchSize=²", "gzip", "text/plain", "allowSave=true", "multipart/form-data"]
    ),
    max_size=2,
)
RESTS = sorted(
    {(r.method, r.path) for r in table() if r.path.startswith("/services/data/v{version}")}
)


@pytest.fixture(scope="module")
def disposable(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Any:
    """An org that the calls of these tests may change as they like, and ids of it."""
    from pipelines.local_org import control

    home = tmp_path_factory.mktemp("fuzz")
    rest = rest_of(control.start(home))
    yield rest, ids_of(rest)
    control.stop(home)


def ids_of(rest: Any) -> list[str]:
    """Ids of records and jobs that there are."""
    account = rest("POST", "sobjects/Account", json={"Name": "A"}).json()["id"]
    contact = rest("POST", "sobjects/Contact", json={"LastName": "C", "AccountId": account}).json()
    job = rest("POST", "jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()
    soql = {"operation": "query", "query": "SELECT Id FROM Account"}
    done = rest("POST", "jobs/query", json=soql).json()
    loaded = rest.ingest("LastName\nX\n", object="Contact", operation="insert")
    return [account, contact["id"], job["id"], done["id"], loaded["id"]]


@BOUNDED
@given(data=st.data())
def test_calls(disposable: Any, data: st.DataObject) -> None:
    rest, ids = disposable
    method, template = data.draw(st.sampled_from(RESTS))
    path = template.replace("{version}", "67.0")
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        good = {"name": NAMES, "field": KEY_FIELDS, "id": ids}.get(
            path[start + 1 : end], KEY_FIELDS
        )
        path = path[:start] + data.draw(mostly(good, ODD)) + path[end + 1 :]
    body = data.draw(st.builds(json.dumps, BODIES).flatmap(damaged) | st.just(""))
    headers = {"Content-Type": "application/json"} | data.draw(HEADERS)
    answer = rest(
        method,
        quote(path, safe="/%"),
        data=body.encode(errors="replace"),
        params=data.draw(PARAMETERS),
        headers=headers,
    )
    well_shaped(answer)


CELLS = st.sampled_from(
    [
        *(
            "x",
            "",
            '"x"',
            '"a ""b"" c"',
            '"two\nlines"',
            "#N/A",
            "2024-02-29",
            "true",
            "é",
            "x@y.co",
        ),
        *(
            'O"Neil',
            '"open',
            '"x" ',
            ' "x"',
            "\0",
            "\ufeff",
            "1e999",
            "a,b",
            "001000000000001",
            "\r",
        ),
    ]
)
COLUMNS = st.sampled_from(
    [
        *("LastName", "Email", "Birthdate", "DoNotCall", "Account.Causeway_Key__c", "AccountId"),
        *("Causeway_Key__c", "Phone", "Id", "Nope", '"LastName"', "LastName"),
    ]
)


@settings(BOUNDED, max_examples=60)
@given(
    header=st.lists(COLUMNS, min_size=1, max_size=4),
    lines=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=4),
    spec=st.sampled_from(
        [
            {"operation": "insert"},
            {"operation": "upsert", "externalIdFieldName": "Causeway_Key__c"},
            {"operation": "update", "lineEnding": "CRLF"},
            {"operation": "delete", "columnDelimiter": "SEMICOLON"},
        ]
    ),
)
def test_uploads(
    disposable: Any, header: list[str], lines: list[list[str]], spec: dict[str, str]
) -> None:
    rest, _ = disposable
    delimiter = ";" if "columnDelimiter" in spec else ","
    end = "\r\n" if "lineEnding" in spec else "\n"
    text = "".join(delimiter.join(line) + end for line in [header, *lines])
    job = rest.ingest(text, object="Contact", **spec)
    assert job["state"] in {"JobComplete", "Failed"}
    assert "InternalServerError" not in job.get("errorMessage", "")
    if job["state"] == "JobComplete":
        good, bad = (_rows(job[kind], delimiter) for kind in ("successfulResults", "failedResults"))
        assert (good + bad, bad) == (job["numberRecordsProcessed"], job["numberRecordsFailed"])


def _rows(text: str, delimiter: str) -> int:
    return sum(1 for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) - 1
