"""No request, however malformed, gets a 500 or a traceback.

The table of routes is the alphabet: each request fills a route's path with good and bad names, and
sends it with a method, a query, headers and a body that may have nothing to do with it. A failing
request is printed with the line that repeats it (`@reproduce_failure`).
"""

import json
import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st
from lxml import etree

from pipelines.local_org import control
from pipelines.local_org.api.routes import table
from pipelines.local_org.catalog.load import TEMPLATE

GENTLE = settings(
    max_examples=600,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
OBJECTS = st.sampled_from(
    ["Account", "Contact", "lead", "User", "Group", "Banana", "Organization", "Task", "a'b", "é"]
)
WORLD_IDS = ("{account}", "{contact}", "{deleted}", "{ingest}", "{query}", "{classic}", "{batch}")
IDS = st.sampled_from(
    [
        *WORLD_IDS,
        "001000000000000AAA",
        "003x",
        "Id",
        "Causeway_Key__c",
        "Email",
        "\0",
        "'",
        "é",
        "%",
    ]
)
STEPS = {
    "version": st.sampled_from(
        ["67.0", "67.0", "67.0", "45.0", "31.0", "30.0", "68.0", "x", "1e1"]
    ),
    "name": OBJECTS,
    "field": st.sampled_from(["Causeway_Key__c", "Email", "Id", "Title", "MailingAddress", "'"]),
    "value": st.text(max_size=5) | IDS,
    "results": st.sampled_from(["successfulResults", "failedResults", "unprocessedrecords", "x"]),
    "locator": st.sampled_from(["{locator}", "01g000000000000AAA-5", "x", "{account}-1"]),
}
METHODS = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])
FIELDS = st.sampled_from(
    [
        *("Id", "Name", "LastName", "Company", "Email", "Birthdate", "AccountId", "Account"),
        *("OwnerId", "HasOptedOutOfEmail", "NumberOfEmployees", "Causeway_Key__c", "attributes"),
        *("Nope", "", "'", "MailingAddress", "CreatedDate", "AnnualRevenue", "Contacts", "Owner"),
        *("MailingCountryCode", "BillingState", "RecordTypeId", "Contact:Account.Causeway_Key__c"),
    ]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), IDS, OBJECTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.dictionaries(FIELDS, VALUES, max_size=5)
TYPED = st.builds(lambda name, r: {**r, "attributes": {"type": name}}, OBJECTS, RECORDS)
WORDS = st.sampled_from(
    [
        *("SELECT", "Id", "Name", "FROM", "Account", "Contact", "WHERE", "=", "'x'", "(", ")", ","),
        *("5", "COUNT()", "COUNT(Id)", "SUM(Name)", "AND", "OR", "NOT", "IN", "LIKE", "null", "."),
        *("GROUP BY", "ORDER BY", "LIMIT", "CreatedDate", "TODAY", "LAST_N_DAYS:99999999", "true"),
        *("2024-01-01", "Account.Name", "FIELDS(ALL)", "OFFSET", "DESC", "HAVING", "9e999", "é"),
        *("'\\u12'", "9999-12-31T23:59:59Z", "99999999999999999999", "INCLUDES", "'%\\_'", "<"),
        *("CALENDAR_YEAR(CreatedDate)", "toLabel(Name)", "MAX(Id)", "BillingAddress", "FOR VIEW"),
    ]
)
SOQL = st.one_of(
    st.lists(WORDS, max_size=12).map(" ".join),
    st.lists(WORDS, max_size=8).map(
        lambda words: "SELECT Id FROM Account WHERE " + " ".join(words)
    ),
    st.lists(WORDS, max_size=5).map(lambda words: f"SELECT {' '.join(words)} FROM Contact"),
)
CALLS = st.lists(
    st.dictionaries(
        st.sampled_from(["method", "url", "body", "referenceId", "richInput", "httpHeaders"]),
        LEAVES | RECORDS | st.just("/services/data/v67.0/sobjects/Account") | st.just("POST"),
    ),
    max_size=3,
)
JSON_BODIES = st.one_of(
    RECORDS,
    VALUES,
    st.lists(RECORDS, max_size=3),
    st.builds(lambda r, a: {"records": r, "allOrNone": a}, st.lists(TYPED, max_size=3), LEAVES),
    st.builds(lambda i, f: {"ids": i, "fields": f}, st.lists(LEAVES), st.lists(LEAVES)),
    st.fixed_dictionaries(
        {"object": OBJECTS},
        optional={
            "operation": st.sampled_from(["insert", "upsert", "delete", "query", "x"]),
            "externalIdFieldName": LEAVES,
            "contentType": st.sampled_from(["CSV", "JSON", "XML"]) | LEAVES,
            "columnDelimiter": LEAVES,
            "assignmentRuleId": LEAVES,
            "state": st.sampled_from(["UploadComplete", "Aborted", "Closed"]) | LEAVES,
        },
    ),
    st.builds(lambda q: {"operation": "query", "query": q}, SOQL | st.text(max_size=30)),
    st.builds(lambda calls: {"compositeRequest": calls, "batchRequests": calls}, CALLS),
    st.builds(
        lambda q, s, f: {"q": q, "sobjects": s, "fields": f},
        st.text(max_size=9),
        st.lists(st.fixed_dictionaries({"name": LEAVES}, optional={"fields": VALUES}), max_size=2),
        st.lists(FIELDS, max_size=2) | LEAVES,
    ),
    st.builds(lambda n, m: {"FullName": n, "Metadata": m}, LEAVES, VALUES),
)
TAGS = st.sampled_from(
    [
        *("leadConverts", "leadId", "convertedStatus", "accountId", "mergeRequests", "type", "Id"),
        *("masterRecord", "recordToMergeIds", "fieldsToNull", "metadata", "fullName", "username"),
        *("password", "state", "operation", "object", "contentType", "label", "length", "Name"),
        *("ids", "fullNames", "queries", "opportunityId", "bypassContactDedupeCheck", "valueSet"),
    ]
)
TEXTS = st.text("ab&<é{}'0 ", max_size=8) | IDS | OBJECTS
ELEMENTS = st.recursive(
    TEXTS.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: st.lists(
        st.builds(lambda tag, body: f"<{tag}>{body}</{tag}>", TAGS, inner), max_size=4
    ).map("".join),
    max_leaves=8,
)
SOAP_CALLS = st.sampled_from(
    [
        *("login", "convertLead", "merge", "getUserInfo", "getServerTimestamp", "banana"),
        *("createMetadata", "readMetadata", "updateMetadata", "deleteMetadata", "describeMetadata"),
        *("upsertMetadata", "listMetadata", "undelete", "emptyRecycleBin"),
    ]
)
XML_BODIES = st.one_of(
    ELEMENTS,
    st.builds(lambda inner: f"<jobInfo>{inner}</jobInfo>", ELEMENTS),
    st.builds(
        lambda call, inner, token: (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
            f"<SessionHeader><sessionId>{token}</sessionId></SessionHeader></e:Header>"
            f"<e:Body><{call}>{inner}</{call}></e:Body></e:Envelope>"
        ),
        SOAP_CALLS,
        ELEMENTS,
        st.sampled_from(["{token}", "{token}", "x"]),
    ),
)
BODIES = st.one_of(
    JSON_BODIES.map(json.dumps), XML_BODIES, SOQL, st.text(max_size=40), st.binary(max_size=60)
)
HEADERS = st.fixed_dictionaries(
    {"Authorization": st.sampled_from(["Bearer {token}"] * 5 + ["Bearer x", "{token}", ""])},
    optional={
        "X-SFDC-Session": st.sampled_from(["{token}", "x"]),
        "Content-Type": st.sampled_from(
            [
                *["application/json"] * 5,
                *("application/xml", "text/csv", "text/xml", "x/y", ""),
                *("multipart/form-data; boundary=b", "multipart/form-data", "é"),
            ]
        ),
        "Content-Encoding": st.sampled_from(["gzip", "br"]),
        "Accept": st.sampled_from(["application/json", "*/*", ""]),
        "Accept-Encoding": st.sampled_from(["gzip", "identity"]),
        "If-Modified-Since": st.sampled_from(["Mon, 23 Nov 2026 00:00:00 GMT", "yesterday", "-1"]),
        "Sforce-Auto-Assign": st.sampled_from(["FALSE", "01Q000000000000AAA", "é", "'"]),
        "Sforce-Query-Options": st.sampled_from(["batchSize=200", "batchSize=é", ";;=", "²"]),
        "Sforce-Duplicate-Rule-Header": st.sampled_from(["allowSave=true", "=", "é"]),
    },
)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            *("q", "ids", "fields", "allOrNone", "locator", "maxRecords", "sObjects", "sObject"),
            *("sobject", "format", "oauth_token", "page", "updateOnly", "queryLocator"),
        ]
    ),
    OBJECTS | IDS | SOQL | st.text(max_size=5) | st.sampled_from(["²", "-1", "9" * 30, "MTA="]),
    max_size=3,
)


@st.composite
def requests_of_routes(draw: st.DrawFn) -> tuple[str, str]:
    """A method and a path that fills a route."""
    route = draw(st.sampled_from(ROUTES))
    steps = re.split(r"\{(\w+)\*?\}", route.path)
    for place in range(1, len(steps), 2):
        step = draw(STEPS.get(steps[place], IDS))
        steps[place] = step if step in WORLD_IDS else quote(step, safe="{}")
    return draw(st.just(route.method) | METHODS), "".join(steps)


ROUTES = [route for route in table() if not route.path.startswith("/control/")]
CONTROLS = [route for route in table() if route.path.startswith("/control/")]
FAULTS = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["refuse", "slow", "reset", "die", "lock_rows", "job"]) | LEAVES},
        optional={
            "status": st.sampled_from([401, "503", 999]) | LEAVES,
            "path": st.sampled_from(["(", "composite", "é"]) | LEAVES,
            "object": OBJECTS | LEAVES,
            "share": LEAVES,
            "end": st.sampled_from(["Failed", "InProgress", "die_after_commit"]) | LEAVES,
            "during": st.sampled_from(["upload", "answer"]) | LEAVES,
            "times": LEAVES,
            "after_chunks": LEAVES,
        },
    ),
    max_size=2,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[dict[str, str]]:
    """An org of this module's own with duplicate rules on, and the ids in the requests."""
    home = tmp_path_factory.mktemp("robust") / "org"
    home.mkdir()
    (home / "org.yaml").write_text(TEMPLATE.read_text().replace("action: off", "action: alert"))
    org = control.start(home, faults=True)
    rest = rest_of(org)
    ids = {
        name.lower(): rest("POST", f"sobjects/{name}", json=values).json()["id"]
        for name, values in (("Account", {"Name": "A"}), ("Contact", {"LastName": "C"}))
    }
    ids["deleted"] = rest("POST", "sobjects/Account", json={"Name": "D"}).json()["id"]
    rest("DELETE", f"sobjects/Account/{ids['deleted']}")
    ids["ingest"] = rest.ingest("Name\nA\n,\n", object="Account", operation="insert")["id"]
    query = {"operation": "query", "query": "SELECT Id FROM Account"}
    ids["query"] = rest("POST", "jobs/query", json=query).json()["id"]
    classic = {"X-SFDC-Session": org["access_token"], "Content-Type": "application/json"}
    job = {"operation": "query", "object": "Account", "contentType": "JSON"}
    answer = rest("POST", "/services/async/67.0/job", json=job, headers=classic)
    ids["classic"] = answer.json()["id"]
    path = f"/services/async/67.0/job/{ids['classic']}/batch"
    answer = rest("POST", path, data="SELECT Id FROM Account", headers=classic)
    owner = b64encode(f"{org['client_id']}:{org['client_secret']}".encode()).decode()
    ids |= {"batch": answer.json()["id"], "token": org["access_token"], "http": org["http_url"]}
    ids["owner"] = owner
    yield ids
    assert "Traceback" not in (home / "org.log").read_text()
    control.stop(home)


def fill(text: str, world: dict[str, str]) -> str:
    """A text with the ids of the org in their places."""
    return re.sub(r"\{(\w+)\}", lambda match: world.get(match[1], match[0]), text)


@GENTLE
@example(
    ("POST", "/services/data/v67.0/sobjects/Task"), {}, {"Authorization": "Bearer {token}"}, "{}"
)
@given(requests_of_routes(), QUERIES, HEADERS, BODIES)
def test_requests(
    rest: Any,
    world: dict[str, str],
    request_: tuple[str, str],
    query: dict[str, str],
    headers: dict[str, str],
    body: str | bytes,
) -> None:
    method, path = request_[0], fill(request_[1], world)
    fields = {name: fill(value, world).encode() for name, value in headers.items()}
    data = body if isinstance(body, bytes) else fill(body, world).encode(errors="replace")
    parameters = {name: fill(value, world) for name, value in query.items()}
    note(f"{method} {path} {parameters} {fields} {data!r}")
    answer = rest.session.request(
        method, world["http"] + path, params=parameters, headers=fields, data=data, timeout=60
    )
    # SOAP says every refusal with 500 and a fault.
    refused = path.startswith("/services/Soap/") and b"<faultcode>" in answer.content
    assert answer.status_code < 500 or refused, answer.text
    assert b"Traceback" not in answer.content
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind and answer.content:
        json.loads(answer.content, parse_constant=pytest.fail)
    if "xml" in kind and answer.content:
        etree.fromstring(answer.content)


@settings(GENTLE, max_examples=100)
@given(st.sampled_from(CONTROLS), FAULTS.map(json.dumps) | BODIES, OBJECTS | IDS, st.booleans())
def test_control_requests(
    rest: Any, world: dict[str, str], route: Any, body: str | bytes, name: str, owner: bool
) -> None:
    step = name if name in WORLD_IDS else quote(name, safe="{}")
    path = fill(re.sub(r"\{\w+\}", lambda _: step, route.path), world)
    data = body if isinstance(body, bytes) else fill(body, world).encode(errors="replace")
    headers = {"Authorization": f"Basic {world['owner'] if owner else 'x'}"}
    note(f"{route.method} {path} {data!r}")

    def ask(method: str, path: str, data: bytes = b"") -> Any:
        url = world["http"] + path
        return rest.session.request(method, url, data=data, headers=headers, timeout=60)

    answer = ask(route.method, path, data)
    assert answer.status_code < 500, answer.text
    assert owner or answer.status_code == 404
    assert not owner or ask("DELETE", "/control/faults").status_code == 204


@settings(GENTLE, max_examples=300)
@given(SOQL, st.sampled_from(["query", "queryAll"]))
def test_queries(rest: Any, soql: str, where: str) -> None:
    assert rest("GET", where, params={"q": soql}).status_code in {200, 400}


@settings(GENTLE, max_examples=40)
@given(st.text(alphabet='ab,"\n\r\\#N/A\0é|', max_size=40))
@example('"')
def test_csv_files(rest: Any, text: str) -> None:
    job = rest.ingest("LastName,Title\n" + text, object="Contact", operation="insert")
    assert job["state"] in {"JobComplete", "Failed"}
    assert "InternalServerError" not in job.get("errorMessage", "")


def test_broken_http(org: dict[str, Any]) -> None:
    host, _, port = org["http_url"].removeprefix("http://").partition(":")
    for data in (b"\0\1\2\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"POST /services/data HTTP/1.1\r\n"):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 5" not in connection.recv(1000)
