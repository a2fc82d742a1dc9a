"""What a session does with the answers, and the silences, of a network."""

import gzip
import logging
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import SecretStr

from pipelines.salesforce.domains import own_origin
from pipelines.salesforce.errors import (
    AddressRefused,
    AnswerLost,
    ConnectionInvalid,
    LimitReached,
    OrgUnavailable,
    PermanentError,
    RequestRefused,
    SessionRefused,
    TransientError,
)
from pipelines.salesforce.session import ATTEMPTS, Session

EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
BUSY = [{"message": "Server Unavailable", "errorCode": "SERVER_UNAVAILABLE"}]


def paths(wire: Any) -> list[str]:
    return [f"{request.method} {request.path}" for request in wire.requests]


def test_a_call_logs_in_first_and_carries_the_token(wire: Any) -> None:
    wire.log_in("planted-token")
    wire.say(200, {"ok": True}, Sforce_Limit_Info="api-usage=18/15000")
    with Session(wire.connection()) as session:
        assert session.get("limits").json() == {"ok": True}
        assert session.api_usage == (18, 15000)
        assert session.token.organization_id == "00D000000000001EAA"
        assert session.token.user_id == "005000000000001AAA"
    assert paths(wire) == ["POST /services/oauth2/token", "GET /services/data/v67.0/limits"]
    assert parse_qs(wire.requests[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["key"],
        "client_secret": ["planted-secret"],
    }
    assert wire.requests[1].headers["Authorization"] == "Bearer planted-token"


def test_a_jwt_says_who_for_whom_and_for_three_minutes(
    wire: Any, certificate: tuple[Path, Path]
) -> None:
    key = serialization.load_pem_private_key(certificate[1].read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    wire.log_in()
    connection = wire.connection(
        client_secret=None,
        private_key=SecretStr(certificate[1].read_text()),
        username="sync@example.com",
    )
    with Session(connection) as session:
        assert session.token.access_token.get_secret_value() == "planted-token"
    form = parse_qs(wire.requests[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    [assertion] = form["assertion"]
    claims = jwt.decode(assertion, key.public_key(), algorithms=["RS256"], audience=wire.url)
    lifetime = claims.pop("exp") - time.time()
    assert 170 < lifetime <= 180
    assert claims == {"iss": "key", "sub": "sync@example.com", "aud": wire.url}


def test_a_key_that_is_none_is_a_wrong_connection(wire: Any) -> None:
    connection = wire.connection(
        client_secret=None, private_key=SecretStr("planted"), username="sync@example.com"
    )
    with Session(connection) as session, pytest.raises(ConnectionInvalid, match="PEM") as error:
        session.get("limits")
    assert "planted" not in "".join(traceback.format_exception(error.value))


def test_an_expired_token_is_replaced_once(wire: Any) -> None:
    wire.log_in("first")
    wire.say(401, EXPIRED)
    wire.log_in("second")
    wire.say(200, {})
    with Session(wire.connection()) as session:
        session.post("composite/sobjects", json={"records": []})
    calls = [request for request in wire.requests if "token" not in request.path]
    assert [call.headers["Authorization"] for call in calls] == ["Bearer first", "Bearer second"]
    assert calls[0].body == calls[1].body == b'{"records": []}'


def test_an_upload_that_met_an_expired_token_starts_again_at_its_beginning(
    wire: Any, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b"Name\nAda\n")
    wire.log_in("first")
    wire.say(401, EXPIRED)
    wire.log_in("second")
    wire.say(201, b"")
    with Session(wire.connection()) as session, file.open("rb") as content:
        session.put("jobs/ingest/750/batches", data=content)
    assert [request.body for request in wire.requests if request.method == "PUT"] == [
        b"Name\nAda\n",
        b"Name\nAda\n",
    ]


def test_threads_that_meet_an_expired_token_replace_it_once(wire: Any) -> None:
    def answer(handler: Any) -> None:
        if handler.path.endswith("/token"):
            wire.token("second")(handler)
        elif handler.headers["Authorization"] == "Bearer first":
            wire.answer(401, EXPIRED)(handler)
        else:
            wire.answer(200, {})(handler)

    wire.log_in("first")
    with Session(wire.connection()) as session:
        assert session.token.access_token.get_secret_value() == "first"
        wire.answers += [answer] * 100
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(session.get, ["limits"] * 8))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert paths(wire).count("POST /services/oauth2/token") == 2


def test_a_token_that_is_refused_when_new_ends_it(wire: Any) -> None:
    for _ in range(2):
        wire.log_in()
        wire.say(401, EXPIRED)
    with Session(wire.connection()) as session, pytest.raises(SessionRefused):
        session.get("limits")
    assert len(wire.requests) == 4


def test_bad_credentials_say_what_the_org_said(wire: Any) -> None:
    wire.say(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
    with Session(wire.connection()) as session, pytest.raises(SessionRefused) as error:
        session.get("limits")
    assert "400 invalid_client invalid client credentials" in str(error.value)
    assert "Check the client id" in str(error.value)
    assert len(wire.requests) == 1


def test_a_read_is_repeated_until_the_org_is_back(wire: Any) -> None:
    wire.log_in()
    wire.say(503, BUSY)
    wire.hang_up()
    wire.say(429, [{"errorCode": "TOO_MANY", "message": "slow down"}])
    wire.say(200, {"ok": True})
    with Session(wire.connection()) as session:
        assert session.get("limits").json() == {"ok": True}


def test_a_read_gives_up_after_some_attempts(wire: Any) -> None:
    wire.log_in()
    for _ in range(ATTEMPTS):
        wire.say(503, BUSY)
    with Session(wire.connection()) as session, pytest.raises(OrgUnavailable, match="503") as error:
        session.get("limits")
    assert not isinstance(error.value, AnswerLost)
    assert len(wire.requests) == 1 + ATTEMPTS


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_without_an_answer_is_never_sent_twice(wire: Any, method: str) -> None:
    wire.log_in()
    wire.hang_up()
    with Session(wire.connection()) as session, pytest.raises(AnswerLost, match="read back"):
        session.request(method, "composite/sobjects", json={})
    assert len(wire.requests) == 2


def test_a_write_answered_by_an_outage_is_never_sent_twice(wire: Any) -> None:
    wire.log_in()
    wire.say(503, BUSY)
    with Session(wire.connection()) as session, pytest.raises(AnswerLost):
        session.post("composite/sobjects", json={})
    assert len(wire.requests) == 2


def test_a_write_that_certainly_did_not_happen_is_sent_again(wire: Any) -> None:
    wire.log_in()
    busy = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    wire.say(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": busy}])
    wire.say(200, [])
    with Session(wire.connection()) as session:
        assert session.post("composite/sobjects", json={}).json() == []


def test_the_daily_limit_is_not_fought(wire: Any) -> None:
    wire.log_in()
    used_up = "TotalRequests Limit exceeded."
    wire.say(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": used_up}])
    with Session(wire.connection()) as session, pytest.raises(LimitReached, match="Wait") as error:
        session.get("limits")
    assert isinstance(error.value, TransientError)
    assert len(wire.requests) == 2


def test_a_refusal_keeps_the_orgs_words_apart(wire: Any) -> None:
    wire.log_in()
    wire.say(400, [{"errorCode": "INVALID_FIELD", "message": "No such column", "fields": ["X__c"]}])
    with Session(wire.connection()) as session, pytest.raises(RequestRefused) as error:
        session.get("query", params={"q": "select X__c from Lead where Email = 'ada@example.com'"})
    refusal = error.value
    assert (refusal.status, refusal.code, refusal.fields) == (400, "INVALID_FIELD", ("X__c",))
    assert isinstance(refusal, PermanentError)
    assert str(refusal).startswith("GET query: 400 INVALID_FIELD No such column.")
    assert "ada@example.com" not in str(refusal)


def test_a_redirect_is_told_and_not_followed(wire: Any) -> None:
    wire.say(302, b"moved", Location="https://elsewhere.example.com/")
    with Session(wire.connection()) as session, pytest.raises(AddressRefused, match="elsewhere"):
        session.get("limits")
    assert len(wire.requests) == 1
    wire.log_in()
    wire.say(307, b"", Location=f"{wire.url}/frontdoor?sid=planted-token")
    with Session(wire.connection()) as session, pytest.raises(AddressRefused) as refused:
        session.get("limits")
    assert len(wire.requests) == 3
    assert "planted-token" not in str(refused.value)


def test_the_token_goes_to_no_other_host(wire: Any) -> None:
    wire.log_in()
    with Session(wire.connection()) as session:
        for elsewhere in (
            "https://elsewhere.example.com/services/data",
            "//elsewhere.example.com/services/data",
            wire.url.replace("https:", "http:") + "/services/data",
        ):
            with pytest.raises(AddressRefused, match="is not https://localhost"):
                session.get(elsewhere)
    assert len(wire.requests) == 1


def test_a_login_that_sends_the_token_under_another_name_is_refused(wire: Any) -> None:
    """The same server on loopback, which is somebody else's for all that the names say."""
    elsewhere = wire.url.replace("localhost", "127.0.0.1")
    for place in (elsewhere, wire.url.replace("https", "http"), f"{wire.url}@127.0.0.1"):
        wire.answers.append(wire.token("planted-token", place))
        refused = pytest.raises(AddressRefused, match="No token was sent there")
        with Session(wire.connection(is_local=False)) as session, refused:
            session.get("limits")
    assert {request.path for request in wire.requests} == {"/services/oauth2/token"}
    wire.requests.clear()
    for allowed in ({"instance_host": elsewhere.removeprefix("https://")}, {"is_local": True}):
        wire.answers.append(wire.token("planted-token", elsewhere))
        wire.say(200, {})
        with Session(wire.connection(**({"is_local": False} | allowed))) as session:
            assert session.get("limits").json() == {}
    assert [request.headers.get("Authorization") for request in wire.requests[1::2]] == [
        "Bearer planted-token"
    ] * 2


def test_a_login_that_is_none_is_told(wire: Any) -> None:
    for body in (b"<html>please sign in</html>", [1], {"access_token": "x"}):
        wire.say(200, body)
        with Session(wire.connection()) as session, pytest.raises(SessionRefused):
            session.get("limits")


MY_DOMAIN = "https://example.my.salesforce.com"


@pytest.mark.parametrize(
    ("login_url", "instance_url", "own"),
    [
        (MY_DOMAIN, MY_DOMAIN, True),
        ("https://login.salesforce.com", f"{MY_DOMAIN}/", True),
        ("https://test.salesforce.com", "https://example--uat.sandbox.my.salesforce.com", True),
        (MY_DOMAIN, "https://example.my.force.com", True),
        (MY_DOMAIN, "https://EXAMPLE.my.salesforce.com:443", True),
        ("https://sso.example.com", "https://sso.example.com", True),
        ("https://sso.example.com", MY_DOMAIN, False),
        (MY_DOMAIN, "https://example.my.salesforce.com.example.net", False),
        (MY_DOMAIN, "https://evilsalesforce.com", False),
        (MY_DOMAIN, "https://salesforce.com@evil.example", False),
        (MY_DOMAIN, "https://evil.example\\.my.salesforce.com", False),
        (MY_DOMAIN, "https://evil.example/.my.salesforce.com", False),
        (MY_DOMAIN, "http://example.my.salesforce.com", False),
        (MY_DOMAIN, "https://localhost:8443", False),
        (MY_DOMAIN, "https://example.my.salesforce.mil", False),
    ],
)
def test_which_addresses_are_an_orgs_own(
    wire: Any, login_url: str, instance_url: str, own: bool
) -> None:
    jwt_of = {
        "client_secret": None,
        "private_key": SecretStr("key"),
        "username": "sync@example.com",
    }
    connection = wire.connection(login_url=login_url, is_local=False, **jwt_of)
    if own:
        assert own_origin(connection, "Logging in", instance_url) == instance_url.rstrip("/")
    else:
        with pytest.raises(AddressRefused):
            own_origin(connection, "Logging in", instance_url)


def test_nobody_listening_says_how_to_start_the_local_org(wire: Any) -> None:
    connection = wire.connection(login_url="https://localhost:1")
    with Session(connection) as session, pytest.raises(OrgUnavailable) as error:
        session.get("limits")
    assert "Connection refused" in str(error.value)
    assert "causeway org start" in str(error.value)
    assert not isinstance(error.value, AnswerLost)


def test_an_authority_nobody_trusts_is_a_wrong_connection(wire: Any) -> None:
    connection = wire.connection(ca_file=None)
    with Session(connection) as session, pytest.raises(ConnectionInvalid, match="ca_file"):
        session.get("limits")


def test_a_proxy_of_the_environment_is_not_for_loopback(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://localhost:1")
    wire.log_in()
    wire.say(200, {})
    with Session(wire.connection()) as session:
        assert session.get("limits").json() == {}


def test_a_ca_bundle_of_the_environment_does_not_replace_the_connections(
    wire: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("NO_PROXY", "localhost")
    wire.log_in()
    wire.say(200, {})
    with Session(wire.connection(is_local=False)) as session:
        assert session.get("limits").json() == {}


def test_a_netrc_of_the_user_does_not_replace_the_token(
    wire: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "localhost")
    wire.log_in("token")
    wire.say(200, {})
    with Session(wire.connection(is_local=False)) as session:
        session.get("limits")
    assert [request.headers.get("Authorization") for request in wire.requests] == [
        None,
        "Bearer token",
    ]


def test_a_download_cut_short_is_fetched_again(wire: Any, tmp_path: Path) -> None:
    wire.log_in()
    wire.say(200, b"Name\nAd", Content_Length="9")
    wire.say(200, b"Name\nAda\n", Sforce_Locator="null")
    with Session(wire.connection()) as session:
        headers = session.download("results", tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes() == b"Name\nAda\n"
    assert headers["Sforce-Locator"] == "null"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_compressed_download_is_written_in_clear(wire: Any, tmp_path: Path) -> None:
    wire.log_in()
    wire.say(200, gzip.compress("Name\nZoë\n".encode()), Content_Encoding="gzip")
    with Session(wire.connection()) as session:
        session.download("results", tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes() == "Name\nZoë\n".encode()


def test_secrets_are_in_no_error_log_or_repr(wire: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire.log_in("planted-token")
    wire.hang_up()
    with Session(wire.connection()) as session:
        with pytest.raises(AnswerLost) as error:
            session.post("composite/sobjects", json={})
        texts = [caplog.text, repr(session), repr(session.token), repr(error.value)]
    texts += traceback.format_exception(error.value)
    assert caplog.records
    assert "planted" not in "".join(texts)
