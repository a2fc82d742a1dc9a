"""An org with several currencies."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE


@pytest.fixture(scope="module")
def money(tmp_path_factory: pytest.TempPathFactory, rest_of: Any) -> Iterator[Any]:
    setup = yaml.safe_load(TEMPLATE.read_text())
    setup["switches"]["multi_currency"] = True
    setup["currencies"] = [
        {"iso": "EUR", "name": "Euro", "corporate": True},
        {"iso": "USD", "rate": 1.09},
        {"iso": "DEM", "rate": 1.95583, "active": False},
    ]
    home = tmp_path_factory.mktemp("money")
    (home / "org.yaml").write_text(yaml.safe_dump(setup))
    yield rest_of(control.start(home))
    control.stop(home)


def test_every_record_has_one(money: Any) -> None:
    for values, currency in (({}, "EUR"), ({"CurrencyIsoCode": "usd"}, "USD")):
        account_id = money("POST", "sobjects/Account", json={"Name": "A"} | values).json()["id"]
        assert money("GET", f"sobjects/Account/{account_id}").json()["CurrencyIsoCode"] == currency
    data = "LastName,CurrencyIsoCode\nIto,USD\nAbe,XXX\nRoth,\n"
    job = money.ingest(data, object="Contact", operation="insert")
    assert job["numberRecordsFailed"] == 1
    bad = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Contact Currency: bad value for restricted"
    assert bad in job["failedResults"]


@pytest.mark.parametrize("code", ["XXX", "DEM"])
def test_others_are_refused(money: Any, code: str) -> None:
    refused = money("POST", "sobjects/Account", json={"Name": "A", "CurrencyIsoCode": code})
    assert refused.json()[0]["fields"] == ["CurrencyIsoCode"]
    assert refused.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_currencies_are_records(money: Any, rest: Any) -> None:
    currencies = money.query(
        "SELECT IsoCode, ConversionRate, IsActive, IsCorporate FROM CurrencyType"
    )
    assert {row["IsoCode"]: row["ConversionRate"] for row in currencies} == {
        "EUR": 1.0,
        "USD": 1.09,
        "DEM": 1.95583,
    }
    assert [row["IsoCode"] for row in currencies if row["IsCorporate"]] == ["EUR"]
    single = rest("GET", "query", params={"q": "SELECT Id FROM CurrencyType"})
    assert single.json()[0]["errorCode"] == "INVALID_TYPE"
    fields = rest("GET", "sobjects/Account/describe").json()["fields"]
    assert "CurrencyIsoCode" not in {field["name"] for field in fields}
