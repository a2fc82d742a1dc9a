"""The web page, read as a browser would."""

from typing import Any

import requests


def page(org: dict[str, Any], path: str) -> str:
    answer = requests.get(org["http_url"] + path, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def test_a_record_opens_under_its_salesforce_link(org: dict[str, Any], rest: Any, key: str) -> None:
    account = rest("POST", "sobjects/Account", json={"Name": f"<{key}>"}).json()["id"]
    contact = rest("POST", "sobjects/Contact", json={"LastName": key, "AccountId": account}).json()[
        "id"
    ]
    shown = page(org, f"/lightning/r/Account/{account}/view")
    assert f"&lt;{key}&gt;" in shown
    assert f"<{key}>" not in shown
    assert f'href="/lightning/r/Contact/{contact}/view"' in shown
    assert key in page(org, f"/lightning/r/{contact}/view")
    assert contact in page(org, "/lightning/o/Contact/list")
    assert "Contacts" in page(org, "/")


def test_jobs_show_their_failed_rows(org: dict[str, Any], rest: Any, key: str) -> None:
    data = f"LastName,Email\n{key},bad address\n"
    job = rest.ingest(data, object="Contact", operation="insert")
    assert job["id"] in page(org, "/lightning/jobs")
    assert "invalid email address: bad address" in page(org, f"/lightning/jobs/{job['id']}")


def test_unknown_pages_are_not_found(org: dict[str, Any]) -> None:
    for path in ("/lightning/r/Banana/x/view", "/lightning/jobs/x", "/nowhere"):
        assert requests.get(org["http_url"] + path, timeout=10).status_code == 404
