"""No request, however malformed, gets a 500 or a traceback."""

import json
import socket
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = st.sampled_from(
    ["Account", "Contact", "lead", "User", "Group", "Banana", "Organization", "Task", "%00", "a'b"]
)
IDS = st.sampled_from(
    ["001000000000000AAA", "003x", "Id", "Causeway_Key__c", "Email", "describe", "a%2Fb", "'", "é"]
)
PATHS = st.one_of(
    st.builds("sobjects/{}".format, NAMES),
    st.builds("sobjects/{}/{}".format, NAMES, IDS),
    st.builds("sobjects/{}/{}/{}".format, NAMES, IDS, IDS),
    st.builds("composite/sobjects/{}".format, NAMES),
    st.builds("composite/sobjects/{}/{}".format, NAMES, IDS),
    st.builds("composite/tree/{}".format, NAMES),
    st.builds("jobs/ingest/{}".format, IDS),
    st.builds("jobs/ingest/{}/{}".format, IDS, IDS),
    st.builds("jobs/query/{}/results".format, IDS),
    st.sampled_from(
        [
            "composite",
            "composite/batch",
            "composite/sobjects",
            "jobs/ingest",
            "jobs/query",
            "query",
            "search",
            "parameterizedSearch",
            "queryAll",
            "query/x",
            "limits",
            "limits/recordCount",
            "",
            "sobjects",
        ]
    ),
)
FIELDS = st.sampled_from(
    [
        "Id",
        "Name",
        "LastName",
        "Company",
        "Email",
        "Birthdate",
        "AccountId",
        "Account",
        "OwnerId",
        "HasOptedOutOfEmail",
        "NumberOfEmployees",
        "Causeway_Key__c",
        "attributes",
        "Nope",
        "",
        "'",
        "MailingAddress",
        "CreatedDate",
        "AnnualRevenue",
        "Contacts",
        "Owner",
    ]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), IDS, NAMES
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.dictionaries(FIELDS, VALUES, max_size=5)
TYPED = st.builds(lambda name, r: {**r, "attributes": {"type": name}}, NAMES, RECORDS)
BODIES = st.one_of(
    RECORDS,
    VALUES,
    st.builds(lambda r, a: {"records": r, "allOrNone": a}, st.lists(TYPED, max_size=3), LEAVES),
    st.builds(lambda i, f: {"ids": i, "fields": f}, st.lists(LEAVES), st.lists(LEAVES)),
    st.builds(lambda o, p, e: {"object": o, "operation": p, "externalIdFieldName": e},
              NAMES, st.sampled_from(["insert", "upsert", "x"]), LEAVES),
    st.builds(lambda q: {"operation": "query", "query": q}, st.text(max_size=30)),
    st.builds(lambda parts: {"compositeRequest": parts, "batchRequests": parts},
              st.lists(st.dictionaries(st.sampled_from(["method", "url", "body", "referenceId"]),
                                       LEAVES), max_size=2)),
)  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE"])
GENTLE = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@GENTLE
@given(METHODS, PATHS, BODIES, st.dictionaries(st.sampled_from(["q", "ids", "fields"]), NAMES))
def test_json_requests(rest: Any, method: str, path: str, body: Any, query: Any) -> None:
    answer = rest(method, path, data=json.dumps(body), params=query)
    assert answer.status_code < 500, answer.text
    assert b"Traceback" not in answer.content


@GENTLE
@given(METHODS, PATHS, st.binary(max_size=60))
def test_bodies_that_are_no_json(rest: Any, method: str, path: str, body: bytes) -> None:
    assert rest(method, path, data=body).status_code < 500


WORDS = st.sampled_from(
    [
        "SELECT",
        "Id",
        "Name",
        "FROM",
        "Account",
        "Contact",
        "WHERE",
        "=",
        "'x'",
        "(",
        ")",
        ",",
        "5",
        "COUNT()",
        "COUNT(Id)",
        "SUM(Name)",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "null",
        "GROUP BY",
        "ORDER BY",
        "LIMIT",
        "CreatedDate",
        "TODAY",
        "LAST_N_DAYS:99999999",
        "2024-01-01",
        ".",
        "Account.Name",
        "FIELDS(ALL)",
        "OFFSET",
        "DESC",
        "HAVING",
        "true",
        "9e999",
        "'\\u12'",
        "é",
    ]
)


@settings(GENTLE, max_examples=300)
@given(st.lists(WORDS, max_size=12), st.sampled_from(["query", "queryAll"]))
def test_queries(rest: Any, words: list[str], where: str) -> None:
    for soql in (" ".join(words), "SELECT Id FROM Account WHERE " + " ".join(words)):
        assert rest("GET", where, params={"q": soql}).status_code in {200, 400}


@settings(GENTLE, max_examples=40)
@given(st.text(alphabet='ab,"\n\r\\#N/A\0é|', max_size=40))
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
