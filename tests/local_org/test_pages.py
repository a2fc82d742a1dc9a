"""The web page, looked at in a browser."""

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def shop(org: dict[str, Any], rest: Any) -> dict[str, str]:
    """An account with contacts, made, changed and deleted in several ways; ids by name."""
    account = rest("POST", "sobjects/Account", json={"Name": "<Acme> & Sons"}).json()["id"]
    spec = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}
    lines = [f"page-{n},Pagena{n},{account},p{n}@example.com" for n in range(120)]
    data = "Causeway_Key__c,LastName,AccountId,Email\n" + "\n".join(lines) + "\n"
    first = rest.ingest(data, **spec)
    rest.ingest(data.replace("p7@example.com", "bad address").replace("Pagena1,", "Pago,"), **spec)
    contacts = rest.query("SELECT Id FROM Contact WHERE Causeway_Key__c = 'page-1'")
    contact = contacts[0]["Id"]
    rest("PATCH", f"sobjects/Contact/{contact}", json={"Title": "Boss", "LastName": "Pagoda"})
    deleted = rest.query("SELECT Id FROM Contact WHERE Causeway_Key__c = 'page-2'")[0]["Id"]
    rest("DELETE", f"sobjects/Contact/{deleted}")
    return {"account": account, "contact": contact, "gone": deleted, "job": first["id"]}


def test_from_the_start_to_a_record_and_its_history(
    org: dict[str, Any], shop: dict[str, str], page: "Page"
) -> None:
    page.goto(org["http_url"])
    page.get_by_role("link", name="Contacts", exact=True).click()
    page.get_by_label("Search Contacts").fill("pagoda")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Pagoda").click()
    assert page.url.endswith(f"/lightning/r/Contact/{shop['contact']}/view")
    assert page.get_by_role("heading", level=1).inner_text() == "Pagoda"
    events = page.locator("#history > li")
    texts = [" ".join(text.split()) for text in events.all_inner_texts()]
    assert len(texts) == 3
    assert texts[0].startswith("Changed by Integration User")
    assert f"PATCH /services/data/v67.0/sobjects/Contact/{shop['contact']}" in texts[0]
    assert "Last Name Pago → Pagoda" in texts[0]
    assert "Title Boss" in texts[0]
    assert "Bulk job" in texts[1]
    assert "Last Name Pagena1 → Pago" in texts[1]
    assert "Email" not in texts[1]
    assert texts[2].startswith("Created by Integration User")
    page.get_by_role("link", name=f"Bulk job {shop['job']}").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Upsert Contact"


def test_text_of_records_is_text(org: dict[str, Any], shop: dict[str, str], page: "Page") -> None:
    page.goto(f"{org['https_url']}/lightning/r/{shop['account']}/view")
    assert page.get_by_role("heading", level=1).inner_text() == "<Acme> & Sons"
    assert "10 of 119" in page.get_by_role("heading", name="Contacts").inner_text()


def test_lists_turn_pages(org: dict[str, Any], shop: dict[str, str], page: "Page") -> None:
    page.goto(f"{org['http_url']}/lightning/o/Contact/list?q=pagena")
    first = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("link", name="Next").click()
    second = page.locator("tbody tr").all_inner_texts()
    assert len(first) == len(second) == 50
    assert not set(first) & set(second)
    page.get_by_role("link", name="Previous").click()
    assert page.locator("tbody tr").all_inner_texts() == first


def test_the_recycle_bin(org: dict[str, Any], shop: dict[str, str], page: "Page") -> None:
    page.goto(f"{org['http_url']}/lightning/o/Contact/list?q=pagena2")
    assert shop["gone"] not in page.content()
    page.goto(f"{org['http_url']}/lightning/o/Contact/list?q=pagena2&bin=1")
    page.get_by_role("link", name="Pagena2", exact=True).click()
    assert "This record is in the recycle bin." in page.inner_text("main")
    assert "Deleted by Integration User" in page.inner_text("#history")


def test_jobs_show_their_rows_and_errors(
    org: dict[str, Any], shop: dict[str, str], page: "Page"
) -> None:
    page.goto(f"{org['http_url']}/lightning/jobs")
    page.locator("tbody tr", has_text="upsert Contact").first.get_by_role("link").click()
    assert "INVALID_EMAIL_ADDRESS:Email: invalid email address: bad address" in page.inner_text(
        "main"
    )
    row = page.locator("tbody tr").last.inner_text()
    assert "page-7" in row
    page.get_by_role("link", name="Successful rows").click()
    assert "1 to 50 of 119" in page.inner_text("main")


def test_everything_is_searched(org: dict[str, Any], shop: dict[str, str], page: "Page") -> None:
    page.goto(org["http_url"])
    page.get_by_label("Search all records").fill("acme")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="<Acme> & Sons").click()
    assert page.url.endswith(f"/lightning/r/Account/{shop['account']}/view")


def test_usage_counts(org: dict[str, Any], shop: dict[str, str], page: "Page") -> None:
    page.goto(f"{org['http_url']}/lightning/usage")
    requested = page.locator("tr", has_text="DailyApiRequests").locator("td").nth(2)
    assert int(requested.inner_text()) > 10


@pytest.mark.parametrize(
    "path",
    ["/lightning/r/Banana/x/view", "/lightning/r/Contact/003000000000000AAA/view",
     "/lightning/o/Banana/list", "/lightning/jobs/x", "/nowhere"],
)  # fmt: skip
def test_unknown_pages_are_not_found(org: dict[str, Any], path: str) -> None:
    assert requests.get(org["http_url"] + path, timeout=10).status_code == 404


def test_odd_page_numbers_do_no_harm(org: dict[str, Any], shop: dict[str, str]) -> None:
    for number in ("0", "-1", "x", "9999999", "\u00b2"):
        url = f"{org['http_url']}/lightning/o/Contact/list"
        assert requests.get(url, params={"page": number}, timeout=10).status_code == 200
