"""By which names the org is asked, and what its pages let a browser do."""

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce import Salesforce

from pipelines.local_org import control
from pipelines.local_org.api.hosts import WrongHost, host_name, is_answered
from pipelines.local_org.api.routes import table

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME = "org.causeway.test"
OWN = ("localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.1:8443", "[::1]", "[::1]:80")
FOREIGN = (
    *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1"),
    *("localhost@evil.example", "evil.example:443", "localhost:x", "[::2]", "[evil]", NAME),
)
PAGES = [route.path for route in table() if route.path.startswith(("/lightning", "/login"))]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An org that may be asked by another name."""
    home = tmp_path_factory.mktemp("named")
    yield control.start(home, hosts=[NAME])
    control.stop(home)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name leads to this machine."""
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == NAME else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def renamed(url: str) -> str:
    """The address of an org by the other name."""
    return f"https://{NAME}:{urlsplit(url).port}"


@pytest.mark.parametrize("host", FOREIGN)
def test_nothing_is_told_to_who_asks_by_a_foreign_name(org: dict[str, Any], host: str) -> None:
    token = {"Authorization": f"Bearer {org['access_token']}", "Host": host}
    paths = [*PAGES, "/", "/services/data", "/services/data/v67.0/query?q=SELECT+Id+FROM+User"]
    for path, method in itertools.product(paths, ("GET", "POST")):
        answer = requests.request(method, org["http_url"] + path, headers=token, timeout=20)
        assert answer.status_code == 421, path
        assert answer.json()[0]["errorCode"] == "MISDIRECTED_REQUEST"
        assert org["organization_id"] not in answer.text


def test_own_names_are_answered(org: dict[str, Any]) -> None:
    for host in OWN:
        answer = requests.get(org["http_url"], headers={"Host": host}, timeout=20)
        assert (answer.status_code, host) == (200, host)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=30))
def test_only_own_names_are_own(host: str) -> None:
    if is_answered(host, frozenset()):
        name = host.strip().lower().rpartition(":")[0] or host.strip().lower()
        assert name.startswith(("localhost", "127.", "[::1", "::1")), host


def test_names_are_checked(tmp_path: Path) -> None:
    assert [host_name(n) for n in (" Org.Test ", "10.0.0.8", "[::2]")] == [
        *("org.test", "10.0.0.8", "::2")
    ]
    for wrong in ("https://org.test", "org.test:8443", "", "*", "a b", "-x.test"):
        with pytest.raises(WrongHost):
            host_name(wrong)
    with pytest.raises(control.LocalOrgError, match="--allow-host takes a name"):
        control.start(tmp_path / "org", hosts=["https://org.test"])


@pytest.mark.usefixtures("found")
def test_a_client_by_another_name(named: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", named["ca_file"])
    client = Salesforce(session_id=named["access_token"], instance_url=renamed(named["https_url"]))
    made = client.Account.create({"Name": "By name"})
    assert client.query("SELECT Name FROM Account")["records"][0]["Name"] == "By name"
    assert client.Account.get(made["id"])["Name"] == "By name"


@pytest.mark.usefixtures("found")
def test_pages_need_a_login_once_others_may_ask(named: dict[str, Any]) -> None:
    for origin in (renamed(named["https_url"]), named["https_url"]):
        browser = requests.Session()
        browser.trust_env, browser.verify = False, named["ca_file"]
        for path in [*PAGES, "/"]:
            page = browser.get(origin + path, timeout=20)
            assert urlsplit(page.url).path == "/login"
            assert "Log in</h1>" in page.text
        asked = {"username": named["username"], "to": "/lightning/usage?page=2"}
        wrong = browser.post(f"{origin}/login", data=asked | {"password": "x"}, timeout=20)
        assert (wrong.status_code, browser.cookies.get_dict()) == (403, {})
        asked |= {"password": named["password"]}
        right = browser.post(f"{origin}/login", data=asked, timeout=20)
        assert (right.url, right.status_code) == (f"{origin}/lightning/usage?page=2", 200)
        assert "DailyApiRequests" in right.text
        # The cookie opens pages, no API.
        limits = browser.get(f"{origin}/services/data/v67.0/limits", timeout=20)
        assert limits.status_code == 401
        for elsewhere in ("//evil.example", "/\\evil.example", "https://evil.example", "/\nx"):
            gone = browser.post(
                f"{origin}/login", data=asked | {"to": elsewhere}, timeout=20, allow_redirects=False
            )
            assert gone.headers["Location"] == "/"
            cookie = gone.headers["Set-Cookie"]
            assert {"HttpOnly", "SameSite=Strict", "Secure"} <= set(cookie.split("; "))


def test_a_person_logs_in(named: dict[str, Any], page: "Page") -> None:
    page.goto(f"{named['http_url']}/lightning/usage")
    page.get_by_label("User name").fill(named["username"])
    page.get_by_label("Password").fill(named["password"])
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("heading", level=1).inner_text() == "API usage"
    page.get_by_role("link", name="Objects").click()
    assert page.get_by_role("link", name="Users").count() == 1
    assert page.locator("main").evaluate("e => getComputedStyle(e).maxWidth") == "1180px"


def test_what_a_browser_must_not_do(org: dict[str, Any]) -> None:
    for path in [*PAGES, "/"]:
        answer = requests.get(org["http_url"] + path, timeout=20)
        headers = answer.headers
        assert headers["Content-Type"].startswith("text/html"), path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
    api = requests.get(f"{org['http_url']}/services/data", timeout=20)
    assert api.headers["X-Content-Type-Options"] == "nosniff"
