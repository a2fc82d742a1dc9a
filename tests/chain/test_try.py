"""What ``causeway try`` shows of a file is what ``causeway sync`` writes of it."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chain.conftest import Chain

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  fair_csv: {entity: contacts, preset: generic, as: contact}
  fair_xlsx: {entity: contacts, preset: generic, as: lead}
  fair_jsonl: {entity: contacts, preset: generic, as: contact}
  shop: {preset: magento_customer_composite}
"""
HEADER = ("First Name", "Last Name", "E-mail", "Mobile", "Company", "Street", "City", "State")
HEADER += ("Zip", "Country", "Birthday", "Shoe Size", "Newsletter")
ROWS = 40

FIRST = ("Ada", "Björn", "Chloé", "Dee", None)
LAST = ("Ödegård", "Smith-Jones", "O'Neil", "Lee", None)
STATES = (("NV", "US"), ("Bavaria", "Germany"), ("Atlantis", "US"), (None, None), ("Ontario", None))
BIRTHDAYS = ("1980-03-25", "31/02/1980", "25 Mar 1980", None)


def generated(kind: str, seed: int) -> list[dict[str, str | None]]:
    """Rows as people have them, some of them wrong; nobody is of two kinds."""
    dice = random.Random(f"{kind} {seed}")
    rows = []
    for number in range(ROWS):
        state, country = dice.choice(STATES)
        cells = (
            dice.choice(FIRST),
            dice.choice(LAST),
            dice.choice((f"p{number // 2}@{kind}.example", f"P{number}@{kind}.example", None)),
            dice.choice((f"+1 415 555 {number:04}", "none", None)),
            dice.choice((f"{kind} Works {number % 5}", f"{kind} Mills", None)),
            dice.choice((f"{number} Main St\nSuite {number}", None)),
            dice.choice(("Reno", "X" * 50, None)),
            state,
            dice.choice(("89501", "01067", None)),
            country,
            dice.choice(BIRTHDAYS),
            dice.choice(("41", None)),
            dice.choice(("yes", "no", "perhaps", None)),
        )
        rows.append(dict(zip(HEADER, cells, strict=True)))
    return rows


def as_csv(rows: list[dict[str, str | None]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_xlsx(rows: list[dict[str, str | None]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    for row in rows:
        sheet.append(list(row.values()))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def as_jsonl(rows: list[dict[str, str | None]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


KINDS: dict[str, Callable[[list[dict[str, str | None]]], bytes]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
    "jsonl": as_jsonl,
}
SHOP = """\
email,_website,_store,created_at,dob,firstname,group_id,lastname,password_hash,_address_city,\
_address_company,_address_country_id,_address_postcode,_address_region,_address_street,\
_address_telephone,_address_default_billing_,_address_default_shipping_
mo@shop.example,base,default,2010-05-23 14:05:21,,Mo,1,Adder,S3CR3T,Calder,Adder Co,US,49628,\
Michigan,1 Bill St,555-0001,1,
,,,,,,,,,Reno,,US,89501,Nevada,2 Ship St,555-0002,,1
,,,,,,,,,Austin,,US,78701,Texas,3 Third St,555-0003,,
"""


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Chain:
    made: Chain = make_chain(SOURCES)
    for kind, written in KINDS.items():
        made.put(f"fair_{kind}", DAY, f"fair.{kind}", written(generated(kind, seed=7)))
    made.put("shop", DAY, "customer_composite.csv", SHOP)
    return made


@pytest.fixture(scope="module")
def tried(chain: Chain) -> dict[str, dict[str, Any]]:
    """Source → what is shown of its file, before anything was ever synced."""
    found = {}
    for source in ("fair_csv", "fair_xlsx", "fair_jsonl", "shop"):
        [file] = (chain.inbox / source / DAY.isoformat()).iterdir()
        ran = chain.causeway("try", file, "--source", source, "--rows", "100", "--json")
        assert ran.returncode == (source != "shop"), ran.stderr
        found[source] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def synced(chain: Chain, tried: dict[str, Any]) -> Chain:
    ran = chain.causeway("sync", "--batch", DAY.isoformat())
    assert ran.returncode in (0, 1), ran.stderr
    return chain


def test_the_records_that_are_shown_are_those_that_sync_writes(
    synced: Chain, tried: dict[str, dict[str, Any]]
) -> None:
    fields: dict[str, set[str]] = {}
    shown: dict[str, dict[str, Any]] = {}
    waiting: set[str] = set()
    for document in tried.values():
        for record in (one for row in document["rows"] for one in row["records"]):
            fields.setdefault(record["object"], set()).update(record["values"])
            shown[record["key"]] = record["values"]
            if record["waits"]:
                waiting.add(record["key"])
    written = stored(synced, fields)
    assert shown.keys() - waiting == written.keys()
    for key in written:
        assert {field: written[key].get(field) for field in shown[key]} == {
            field: as_stored(value) for field, value in shown[key].items()
        }


def as_stored(value: str) -> str:
    """Booleans as simple-salesforce gives them."""
    return {"true": "True", "false": "False"}.get(value, value)


def stored(chain: Chain, fields_of: dict[str, set[str]]) -> dict[str, dict[str, str]]:
    """Our key → the record that the org holds, the account of it by its name."""
    names = {row["Id"]: row["Name"] for row in chain.records("Account", "Name")}
    found = {}
    for name, fields in fields_of.items():
        for row in chain.records(name, "Causeway_Key__c", *sorted(fields)):
            key = row["Causeway_Key__c"]
            found[key] = {
                field: str(names.get(value, value))
                for field, value in row.items()
                if value is not None and field not in ("Id", "Causeway_Key__c")
            }
    return found


def test_rejected_rows_and_cells_are_counted_as_sync_counts_them(
    synced: Chain, tried: dict[str, dict[str, Any]]
) -> None:
    counted = json.loads(synced.causeway("status", "--json").stdout)
    for source, document in tried.items():
        assert document["landed"] == counted["sources"][source]["landed"]
        assert document["rejected"] == counted["sources"][source]["rejected"]
        reasons: dict[str, int] = {}
        for reason in document["rejections"]:
            text = (
                f"{reason['field']}: {reason['message']}" if reason["field"] else reason["message"]
            )
            reasons[text] = reasons.get(text, 0) + reason["rows"]
        assert reasons == counted["rejections"].get(source, {})


def test_a_third_address_is_in_the_description(synced: Chain) -> None:
    [mo] = [row for row in synced.records("Contact") if row["Email"] == "mo@shop.example"]
    assert (mo["MailingCity"], mo["OtherCity"]) == ("Reno", "Calder")
    assert mo["Description"] == "3 Third St, Austin, Texas 78701, US, 555-0003"


def test_what_cannot_be_used_and_what_nothing_reads_is_shown(
    tried: dict[str, dict[str, Any]],
) -> None:
    for source in ("fair_csv", "fair_xlsx", "fair_jsonl"):
        columns = {column["header"]: column for column in tried[source]["columns"]}
        cells = [row["Shoe Size"] for row in generated(source.removeprefix("fair_"), seed=7)]
        assert columns["Shoe Size"]["cells"] == len([cell for cell in cells if cell])
        assert columns["Shoe Size"]["example"] == "41"
        target = "Lead" if source == "fair_xlsx" else "Contact"
        assert f"{target}.Email" in columns["E-mail"]["fields"]
        assert any("Atlantis" in note["reason"] for note in tried[source]["noted"])
    secret = next(one for one in tried["shop"]["columns"] if one["header"] == "password_hash")
    assert (secret["secret"], secret["cells"], secret["raw"]) == (True, 1, [])


def test_nothing_of_a_home_is_touched_or_needed(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_bytes(as_csv(generated("csv", seed=8)))
    before = sorted(path for path in chain.home.rglob("*"))
    assert chain.causeway("try", file).returncode == 1
    assert sorted(path for path in chain.home.rglob("*")) == before
