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
    text = re.sub(r"(state_and_country_picklists): \w+", r"\1: true", TEMPLATE.read_text())
    (home / "org.yaml").write_text(text)
    yield rest_of(control.start(home))
    control.stop(home)


def address(rest: Any, record: str) -> tuple[str | None, ...]:
    read = rest("GET", f"sobjects/Contact/{record}").json()
    names = ("MailingCountry", "MailingCountryCode", "MailingState", "MailingStateCode")
    return tuple(read[name] for name in names)


@pytest.mark.parametrize(
    ("parts", "stored"),
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
    coded: Any, parts: dict[str, str], stored: tuple[str | None, ...]
) -> None:
    values = {f"Mailing{name}": value for name, value in parts.items()}
    created = coded("POST", "sobjects/Contact", json={"LastName": "Ito"} | values)
    assert created.status_code == 201, created.text
    assert address(coded, created.json()["id"]) == stored


NO_COUNTRY = (
    "There's a problem with this country, even though it may appear correct. Please select a "
    "country/territory from the list of valid countries.: Mailing Country"
)
NO_STATE = (
    "There's a problem with this state, even though it may appear correct. Please select a "
    "state from the list of valid states.: Mailing State/Province"
)
ALONE = "A country/territory must be specified before specifying a state value for field: "
NOT_AVAILABLE = "field contains {}, which isn't an available {}. Your administrator can add it"


@pytest.mark.parametrize(
    ("parts", "field", "message"),
    [
        ({"Country": "Nowhere"}, "Country", NO_COUNTRY),
        ({"CountryCode": "XX"}, "CountryCode", NOT_AVAILABLE.format("XX", "country/territory")),
        ({"CountryCode": "US", "State": "Bavaria"}, "State", NO_STATE),
        ({"CountryCode": "US", "State": "CA"}, "State", NO_STATE),
        ({"CountryCode": "DE", "StateCode": "CA"}, "StateCode",
         NOT_AVAILABLE.format("CA", "state")),
        ({"StateCode": "CA"}, "StateCode", f"{ALONE}Mailing State/Province Code"),
        ({"State": "Texas"}, "State", f"{ALONE}Mailing State/Province"),
    ],
)  # fmt: skip
def test_what_is_on_no_list_is_refused(
    coded: Any, parts: dict[str, str], field: str, message: str
) -> None:
    values = {f"Mailing{name}": value for name, value in parts.items()}
    refused = coded("POST", "sobjects/Contact", json={"LastName": "Ito"} | values)
    assert refused.status_code == 400
    [error] = refused.json()
    assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert error["fields"] == [f"Mailing{field}"]
    assert message in error["message"]


def test_updates_keep_what_they_do_not_name(coded: Any) -> None:
    values = {"LastName": "Ito", "MailingCountryCode": "US", "MailingStateCode": "NY"}
    created = coded("POST", "sobjects/Contact", json=values).json()["id"]
    path = f"sobjects/Contact/{created}"
    assert coded("PATCH", path, json={"MailingState": "Texas"}).status_code == 204
    assert address(coded, created) == ("United States", "US", "Texas", "TX")
    elsewhere = coded("PATCH", path, json={"MailingCountryCode": "CA"})
    assert elsewhere.json()[0] == {
        "errorCode": "FIELD_INTEGRITY_EXCEPTION",
        "message": "The existing country/territory doesn't recognize the state value for field: "
        "Mailing State/Province Code",
        "fields": ["MailingStateCode"],
    }
    both = {"MailingCountryCode": "CA", "MailingStateCode": None, "MailingState": None}
    assert coded("PATCH", path, json=both).status_code == 204
    assert address(coded, created) == ("Canada", "CA", None, None)
    assert coded("PATCH", path, json={"MailingCountry": None}).status_code == 204
    assert address(coded, created) == (None, None, None, None)


def test_removing_a_country_removes_its_state(coded: Any) -> None:
    values = {"LastName": "Ito", "MailingCountryCode": "US", "MailingStateCode": "NY"}
    created = coded("POST", "sobjects/Contact", json=values).json()["id"]
    path = f"sobjects/Contact/{created}"
    assert coded("PATCH", path, json={"MailingCity": "Utica"}).status_code == 204
    assert address(coded, created) == ("United States", "US", "New York", "NY")
    assert coded("PATCH", path, json={"MailingCountryCode": None}).status_code == 204
    assert address(coded, created) == (None, None, None, None)


def test_an_old_record_takes_no_text_that_denies_its_code(coded: Any) -> None:
    created = coded("POST", "sobjects/Contact", json={"LastName": "Ito"}).json()["id"]
    both = {"MailingCountryCode": "US", "MailingCountry": "Canada"}
    refused = coded("PATCH", f"sobjects/Contact/{created}", json=both)
    assert refused.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_many_rows_are_judged_as_one_is(coded: Any) -> None:
    records = [
        {"attributes": {"type": "Lead"}, "LastName": "Ito", "Company": "x"} | place
        for place in (
            {"Country": "Canada", "StateCode": "BC"},
            {"State": "Texas"},
            {"City": "Kobe"},
            {"CountryCode": "US", "Country": "Canada"},
        )
    ]
    answer = coded("POST", "composite/sobjects", json={"records": records}).json()
    assert [row["success"] for row in answer] == [True, False, True, True]
    ids = ",".join(f"'{row['id']}'" for row in answer if row["success"])
    rows = coded.query(f"SELECT CountryCode, State FROM Lead WHERE Id IN ({ids}) ORDER BY Id")
    assert [(row["CountryCode"], row["State"]) for row in rows] == [
        ("CA", "British Columbia"),
        (None, None),
        ("US", None),
    ]


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
