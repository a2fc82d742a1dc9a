"""OAuth grants and their refusals, and the sessions they open."""

import base64
from typing import Any

import pytest
import requests


def ask(org: dict[str, Any], *, headers: dict[str, str] | None = None, **form: str) -> Any:
    return requests.post(
        f"{org['http_url']}/services/oauth2/token", data=form, headers=headers, timeout=10
    )


def client(org: dict[str, Any]) -> dict[str, str]:
    return {"client_id": org["client_id"], "client_secret": org["client_secret"]}


def test_client_credentials_by_form_and_by_basic(org: dict[str, Any]) -> None:
    grant = {"grant_type": "client_credentials"}
    basic = base64.b64encode(f"{org['client_id']}:{org['client_secret']}".encode()).decode()
    for answer in (
        ask(org, **grant, **client(org)),
        ask(org, **grant, headers={"Authorization": f"Basic {basic}"}),
    ):
        token = answer.json()
        assert token["access_token"].startswith(f"{org['organization_id'][:15]}!")
        assert token["instance_url"] == org["http_url"]
        assert f"/id/{org['organization_id']}/005" in token["id"]
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        who = requests.get(token["id"], headers=headers, timeout=10).json()
        assert who["username"] == org["username"]
        info = requests.get(
            f"{org['http_url']}/services/oauth2/userinfo", headers=headers, timeout=10
        ).json()
        assert info["organization_id"] == org["organization_id"]


def test_password_refresh_and_revoke(org: dict[str, Any]) -> None:
    password = org["password"] + org["security_token"]
    first = ask(
        org, grant_type="password", username=org["username"], password=password, **client(org)
    ).json()
    fresh = ask(
        org,
        grant_type="refresh_token",
        refresh_token=first["refresh_token"],
        client_id=org["client_id"],
    ).json()
    url = f"{org['http_url']}/services/data/v67.0/limits"
    headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert requests.get(url, headers=headers, timeout=10).status_code == 200
    revoked = requests.post(
        f"{org['http_url']}/services/oauth2/revoke",
        data={"token": fresh["access_token"]},
        timeout=10,
    )
    assert revoked.status_code == 200
    refused = requests.get(url, headers=headers, timeout=10)
    assert refused.status_code == 401
    assert refused.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "client_credentials"}, "invalid_client_id", "client identifier invalid"),
        (
            {"grant_type": "client_credentials", "client_id": "ID", "client_secret": "x"},
            "invalid_client",
            "invalid client credentials",
        ),
        (
            {
                "grant_type": "password",
                "client_id": "ID",
                "client_secret": "SECRET",
                "username": "x",
                "password": "y",
            },
            "invalid_grant",
            "authentication failure",
        ),
        (
            {"grant_type": "refresh_token", "client_id": "ID", "refresh_token": "x"},
            "invalid_grant",
            "expired access/refresh token",
        ),
    ],
)
def test_refusals(org: dict[str, Any], form: dict[str, str], error: str, description: str) -> None:
    client = {"ID": org["client_id"], "SECRET": org["client_secret"]}
    answer = ask(org, **{k: client.get(v, v) for k, v in form.items()})
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_jwt_assertions(org: dict[str, Any]) -> None:
    import time
    from pathlib import Path

    import jwt

    key = Path(org["ca_file"]).with_name("jwt.key").read_text()
    claims = {
        "iss": org["client_id"],
        "sub": org["username"],
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()),
    }

    def answer(**changed: Any) -> Any:
        assertion = jwt.encode(claims | changed, key, algorithm="RS256")
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return ask(org, grant_type=grant, assertion=assertion)

    assert answer().json()["access_token"].startswith("00D")
    assert answer(exp=int(time.time()) - 3600).json()["error_description"] == "assertion expired"
    assert answer(sub="x@y.z").json()["error"] == "invalid_grant"
    assert answer(iss="other").json()["error"] == "invalid_client_id"
    none = jwt.encode(claims, None, algorithm="none")
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert ask(org, grant_type=grant, assertion=none).status_code == 400
    assert ask(org, grant_type=grant, assertion="x").status_code == 400


def test_introspection(org: dict[str, Any]) -> None:
    def ask_about(token: str) -> Any:
        url = f"{org['http_url']}/services/oauth2/introspect"
        return requests.post(url, data={"token": token} | client(org), timeout=10).json()

    assert ask_about(org["access_token"])["username"] == org["username"]
    assert ask_about("x") == {"active": False}


def test_every_rest_answer_tells_the_usage(rest: Any) -> None:
    first = rest("GET", "limits")
    used = int(first.headers["Sforce-Limit-Info"].removeprefix("api-usage=").split("/")[0])
    second = rest("GET", "sobjects/Banana")
    assert second.headers["Sforce-Limit-Info"].startswith(f"api-usage={used + 1}/")
    counted = rest("GET", "limits").json()["DailyApiRequests"]
    assert counted["Max"] - counted["Remaining"] == used + 2


def test_the_limit_ends_requests(own_org: Any, rest_of: Any) -> None:
    org = own_org()
    import re
    from pathlib import Path

    from pipelines.local_org import control

    home = Path(org["ca_file"]).parent
    control.stop(home)
    setup = home / "org.yaml"
    limits = re.sub("DailyApiRequests: .*", "DailyApiRequests: 4", setup.read_text())
    setup.write_text(limits.replace("DailyBulkV2QueryJobs: 10000", "DailyBulkV2QueryJobs: 0"))
    rest = rest_of(control.start(home))
    query = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert rest("POST", "jobs/query", json=query).json()[0]["errorCode"] == "EXCEEDEDQUOTA"
    assert [rest("GET", "limits").status_code for _ in range(4)] == [200, 200, 200, 403]
    assert rest("GET", "limits").json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_other_users_sign_in_with_the_orgs_password(own_org: Any) -> None:
    org = own_org(
        "\nusers:\n"
        "  - {last_name: Lovelace, email: ada@example.com}\n"
        "  - {last_name: Gone, email: gone@example.com, active: false}\n"
    )
    grant = {"grant_type": "password", **client(org)}
    token = ask(org, username="Ada@example.com", password=org["password"], **grant).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    who = requests.get(token["id"], headers=headers, timeout=10).json()
    assert who["username"] == "ada@example.com"
    for username, password in (
        ("gone@example.com", org["password"]),
        ("nobody@example.com", org["password"]),
        ("ada@example.com", "a guess"),
    ):
        refused = ask(org, username=username, password=password, **grant).json()
        assert refused["error"] == "invalid_grant"
