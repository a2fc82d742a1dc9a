"""What every call has in common: versions, sessions, limits, encodings, and who is asking."""

import gzip
import json
import time
from typing import Any

import pytest


def test_versions_are_listed_oldest_first_and_need_no_session(rest: Any) -> None:
    versions = rest("GET", "/services/data", headers={"Authorization": ""}).json()
    numbers = [float(version["version"]) for version in versions]
    assert numbers == sorted(numbers)
    assert numbers[0] == 31.0
    assert {45.0, 50.0, 59.0, 64.0, 67.0} <= set(numbers)
    newest = next(v for v in versions if v["version"] == "67.0")
    assert newest == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}


def test_retired_and_unborn_versions(rest: Any) -> None:
    assert rest("GET", "/services/data/v30.0/limits").status_code == 410
    assert rest("GET", "/services/data/v999.0/limits").status_code == 404
    old = rest.at("31.0")("GET", "sobjects/Account/describe")
    assert old.status_code == 200


def test_resources(rest: Any) -> None:
    resources = rest("GET", "/services/data/v67.0").json()
    assert {"sobjects", "query", "queryAll", "limits", "composite", "search", "tooling"} <= {
        *resources
    }
    assert resources["query"] == "/services/data/v67.0/query"
    assert "/id/00D" in resources["identity"]


def test_every_resource_is_there(rest: Any) -> None:
    for name, path in rest("GET", "/services/data/v67.0").json().items():
        if name not in {"identity", "jobs", "tooling", "ui-api"}:  # they only have parts
            assert rest("GET", path).status_code in {200, 400, 405}, name


def test_other_media_types_are_refused(rest: Any) -> None:
    headers = {"Content-Type": "text/plain"}
    refused = rest("POST", "sobjects/Account", data='{"Name": "x"}', headers=headers)
    assert refused.status_code == 415
    assert refused.json()[0]["errorCode"] == "UNSUPPORTED_MEDIA_TYPE"


def test_slashes_are_forgiven(rest: Any) -> None:
    assert rest("GET", "limits/").status_code == 200
    query = {"q": "SELECT Id FROM User LIMIT 1"}
    assert rest("GET", "query/", params=query).json()["totalSize"] == 1


def test_a_session_is_needed(rest: Any) -> None:
    for token in ("", "Bearer 00D000000000000!nobody"):
        answer = rest("GET", "limits", headers={"Authorization": token})
        assert answer.status_code == 401
        assert answer.json() == [
            {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
        ]
    fault = rest.soap("<getUserInfo/>", token="nobody")
    assert fault.findtext("faultcode") == "sf:INVALID_SESSION_ID"
    assert fault.findtext("faultstring") == (
        "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
    )


def test_every_rest_answer_tells_the_usage(rest: Any) -> None:
    def used(path: str) -> tuple[int, int]:
        name, _, numbers = rest("GET", path).headers["Sforce-Limit-Info"].partition("=")
        assert name == "api-usage"
        done, most = numbers.partition(";")[0].split("/")
        return int(done), int(most)

    before, most = used("limits")
    for path in ("sobjects", "sobjects/Banana", "query?q=nonsense"):
        assert used(path)[1] == most
    assert before < used("limits")[0] <= most


def test_limits_count_down(rest: Any) -> None:
    limits = rest("GET", "limits").json()
    assert {"DailyApiRequests", "DailyBulkApiBatches", "DailyBulkV2QueryJobs", "DataStorageMB"} <= {
        *limits
    }
    for limit in limits.values():
        assert 0 <= limit["Remaining"] <= limit["Max"]
    rest("GET", "sobjects")
    later = rest("GET", "limits").json()["DailyApiRequests"]
    assert later["Remaining"] < limits["DailyApiRequests"]["Remaining"]


def test_limits_have_the_shape_of_a_real_org(rest: Any) -> None:
    limits = rest("GET", "limits").json()
    assert {"Max", "Remaining", "CreateCustom"} == {*limits["PermissionSets"]}
    assert {"Max", "Remaining"} == {*limits["DailyBulkV2QueryJobs"]}


def test_record_counts(rest: Any, key: str) -> None:
    rest("POST", "sobjects/Account", json={"Name": key})
    counts = rest("GET", "limits/recordCount", params={"sObjects": "Account,Contact"}).json()
    assert [o["name"] for o in counts["sObjects"]] == ["Account", "Contact"]
    assert all(isinstance(o["count"], int) for o in counts["sObjects"])


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_bodies_come_chunked_and_zipped(rest: Any, key: str, chunked: bool, zipped: bool) -> None:
    body = json.dumps({"Name": key}).encode()
    headers = {"Content-Type": "application/json"}
    if zipped:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    data = iter([body[:5], body[5:]]) if chunked else body
    assert rest("POST", "sobjects/Account", data=data, headers=headers).status_code == 201


def test_large_answers_are_zipped_for_who_takes_it(rest: Any) -> None:
    path = "sobjects/Account/describe"
    zipped = rest("GET", path, headers={"Accept-Encoding": "gzip"})
    plain = rest("GET", path, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert zipped.json() == plain.json()


def test_who_is_asking(rest: Any) -> None:
    userinfo = rest("GET", "/services/oauth2/userinfo").json()
    assert userinfo["organization_id"][:3] == "00D"
    assert userinfo["user_id"][:3] == "005"
    identity = rest("GET", "/services/data/v67.0").json()["identity"]
    path = "/id/" + identity.partition("/id/")[2]
    assert rest("GET", path).json()["user_id"] == userinfo["user_id"]
    info = rest.soap("<getUserInfo/>").find("{*}result")
    assert info.findtext("{*}userId") == userinfo["user_id"]
    assert info.findtext("{*}organizationId") == userinfo["organization_id"]
    user = rest("GET", f"sobjects/User/{userinfo['user_id']}").json()
    assert user["Username"] == userinfo["preferred_username"]


def test_the_organization_is_a_record(rest: Any) -> None:
    names = "OrganizationType, IsSandbox, InstanceName, NamespacePrefix, TrialExpirationDate"
    about = rest.query(f"SELECT Id, {names} FROM Organization")[0]
    read = rest("GET", f"sobjects/Organization/{about['Id']}").json()
    assert {name: read[name] for name in about} == about
    assert about["IsSandbox"] is True


def test_tokens_are_refused_in_the_words_of_oauth(rest: Any) -> None:
    for grant, error in (
        ({"grant_type": "banana"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "password", "client_id": "x"}, "invalid_client_id"),
    ):
        answer = rest("POST", "/services/oauth2/token", data=grant)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert answer.json()["error_description"]


def test_soap_login_ended_with_version_64(rest: Any) -> None:
    login = "<login><username>nobody@x.org</username><password>x</password></login>"
    assert rest.at("64.0").soap(login).findtext("faultcode") == "sf:INVALID_LOGIN"
    assert rest.soap(login).findtext("faultcode") == "sf:UNSUPPORTED_API_VERSION"


def test_soap_tells_the_time(rest: Any) -> None:
    stamp = rest.soap("<getServerTimestamp/>").findtext("{*}result/{*}timestamp")
    assert abs(time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.time()) < 86_400
    assert stamp.endswith("Z")


def test_what_is_not_there_and_what_is_not_allowed(rest: Any) -> None:
    lost = rest("GET", "bananas/split")
    assert (lost.status_code, lost.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    wrong = rest("DELETE", "sobjects/Account")
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.json()[0]["message"].startswith("HTTP Method 'DELETE' not allowed. Allowed are")
