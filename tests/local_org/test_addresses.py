"""State and Country picklists, switched on."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("coded")
    text = re.sub("state_and_country_picklists: false", "state_and_country_picklists: true",
                  TEMPLATE.read_text())  # fmt: skip
    (home / "org.yaml").write_text(text)
    yield rest_of(control.start(home))
    control.stop(home)


def address(rest: Any, record: str) -> tuple[str | None, ...]:
    read = rest("GET", f"sobjects/Contact/{record}").json()
    names = ("MailingCountry", "MailingCountryCode", "MailingState", "MailingStateCode")
    return tuple(read[name] for name in names)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"CountryCode": "US", "StateCode": "CA"}, ("United States", "US", "California", "CA")),
        ({"Country": "united states", "State": "california"},
         ("United States", "US", "California", "CA")),
        ({"CountryCode": "de"}, ("Germany", "DE", None, None)),
        ({"Country": "Nowhere", "CountryCode": "US"}, ("United States", "US", None, None)),
        ({"City": "Kobe"}, (None, None, None, None)),
    ],
)  # fmt: skip
def test_texts_and_codes_follow_each_other(
    coded: Any, given: dict[str, str], stored: tuple[str | None, ...]
) -> None:
    values = {f"Mailing{name}": value for name, value in given.items()}
    made = coded("POST", "sobjects/Contact", json={"LastName": "Ito"} | values)
    assert made.status_code == 201, made.text
    assert address(coded, made.json()["id"]) == stored


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"Country": "Nowhere"}, "MailingCountry"),
        ({"CountryCode": "XX"}, "MailingCountry"),
        ({"CountryCode": "US", "State": "Bavaria"}, "MailingState"),
        ({"CountryCode": "DE", "StateCode": "CA"}, "MailingState"),
        ({"StateCode": "CA"}, "MailingState"),
    ],
)
def test_what_is_on_no_list_is_refused(coded: Any, given: dict[str, str], field: str) -> None:
    values = {f"Mailing{name}": value for name, value in given.items()}
    refused = coded("POST", "sobjects/Contact", json={"LastName": "Ito"} | values)
    assert refused.status_code == 400
    assert refused.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert refused.json()[0]["fields"] == [field]


def test_updates_keep_what_they_do_not_name(coded: Any) -> None:
    values = {"LastName": "Ito", "MailingCountryCode": "US", "MailingStateCode": "NY"}
    made = coded("POST", "sobjects/Contact", json=values).json()["id"]
    path = f"sobjects/Contact/{made}"
    assert coded("PATCH", path, json={"MailingState": "Texas"}).status_code == 204
    assert address(coded, made) == ("United States", "US", "Texas", "TX")
    elsewhere = coded("PATCH", path, json={"MailingCountryCode": "CA"})
    assert elsewhere.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    both = {"MailingCountryCode": "CA", "MailingStateCode": None, "MailingState": None}
    assert coded("PATCH", path, json=both).status_code == 204
    assert address(coded, made) == ("Canada", "CA", None, None)
    assert coded("PATCH", path, json={"MailingCountry": None}).status_code == 204
    assert address(coded, made) == (None, None, None, None)


def test_bulk_and_describe(coded: Any) -> None:
    data = "LastName,MailingCountryCode,MailingState\nIto,US,NY\nAbe,US,Ohio\n"
    job = coded.ingest(data, object="Contact", operation="insert")
    assert job["numberRecordsFailed"] == 1
    assert "FIELD_INTEGRITY_EXCEPTION" in job["failedResults"]
    fields = {f["name"]: f for f in coded("GET", "sobjects/Lead/describe").json()["fields"]}
    assert fields["StateCode"]["controllerName"] == "CountryCode"
    assert fields["CountryCode"]["picklistValues"][0]["value"] == "AF"
    assert "MailingStateCode" not in fields
    read = coded.query("SELECT MailingAddress FROM Contact WHERE LastName = 'Abe'")
    assert read[0]["MailingAddress"]["stateCode"] == "OH"
