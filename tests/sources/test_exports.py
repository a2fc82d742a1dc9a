"""Known exports are found by their headers; of several columns for one thing each row has one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConfigError
from pipelines.sources.model import Source
from pipelines.sources.presets import presets
from pipelines.sources.relations import RAW
from pipelines.sources.shapes import Fit, fit

EXPORTS = yaml.safe_load((Path(__file__).parent / "exports.yaml").read_text(encoding="utf-8"))
CONTACTS = "sources: {it: {entity: contacts}}"
CUSTOMERS = "sources: {it: {entity: customers}}"


def names(header: str) -> list[str]:
    return next(csv.reader(io.StringIO(header)))


def found(header: list[str], entity: str, preset: str = "generic") -> Fit:
    return fit(header, Source(entity=entity, preset=(preset,)))


@pytest.mark.parametrize(
    "export", EXPORTS, ids=lambda one: f"{one['preset']}: {one['header'][:30]}"
)
def test_an_export_is_found_and_read(export: dict[str, Any]) -> None:
    header = names(export["header"])
    fitted = found(header, export["entity"])
    assert fitted.kind.preset == export["preset"]
    columns = {column: header[places[0]] for column, places in fitted.columns.items()}
    block = fitted.blocks[0] if fitted.blocks else {}
    columns |= {column: header[places[0]] for column, places in block.items()}
    assert {column: columns.get(column) for column in export["reads"]} == export["reads"]
    spoken = {header[place]: kind for place, kind in fitted.consent}
    assert (spoken, fitted.unread) == (export.get("consent", {}), ())
    named = found(header, export["entity"], export["preset"])
    assert (named.columns, named.blocks) == (fitted.columns, fitted.blocks)


def test_every_preset_with_a_signature_has_its_header_here() -> None:
    signed = {name for name, one in presets().items() if any(s.signature for s in one.shapes)}
    elsewhere = {name for name in signed if name.startswith("magento_")}  # test_land has these
    assert signed - elsewhere <= {export["preset"] for export in EXPORTS}


@given(export=st.sampled_from(EXPORTS), data=st.data())
@settings(max_examples=100, deadline=None)
def test_the_order_of_columns_says_nothing(export: dict[str, Any], data: st.DataObject) -> None:
    header = names(export["header"])
    before = found(header, export["entity"])
    shuffled = data.draw(st.permutations(header))
    after = found(list(shuffled), export["entity"])
    assert after.kind == before.kind
    assert {shuffled[at] for at in after.used} == {header[at] for at in before.used}


def land(house: Any, sources: str, text: str, file: str = "a.csv") -> Any:
    house.put("it", file, text)
    return house.land(house.sources(sources))


def test_what_was_found_is_told(house: Any) -> None:
    header = "First Name,Last Name,URL,Email Address,Company,Position,Connected On"
    landed = land(house, CONTACTS, f"{header}\nAda,Byrne,https://www.linkedin.com/in/a,,,,\n")
    assert [one.message for one in landed.remarks] == [
        "read as LinkedIn connections; 'preset: linkedin' says so"
    ]
    landed = land(house, "sources: {it: {preset: linkedin}}", f"{header}\nAda,Byrne,x,,,,\n")
    assert landed.remarks == ()


def test_a_phone_is_what_its_label_says(house: Any) -> None:
    header = "Last Name,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value"
    rows = [
        "A,Mobile,1111,Work,2222",
        "B,Home,1111,Work Fax,2222",
        "C,,1111,Work,2222",
        "D,* Other,1111,,",
    ]
    land(house, CONTACTS, "\n".join((header, *rows)) + "\n")
    columns = ("phone", "mobile_phone", "home_phone", "other_phone", "fax")
    assert house.rows("raw_contacts", *columns) == [
        ("2222", "1111", None, None, None),
        (None, None, "1111", None, "2222"),
        ("1111", None, None, None, None),
        (None, None, None, "1111", None),
    ]
    extra = [json.loads(row) for (row,) in house.rows("raw_contacts", "_extra")]
    assert [one.get("phone_2") for one in extra] == [None, None, "2222", None]


def test_of_several_values_in_a_cell_the_first_counts(house: Any) -> None:
    header = "Last Name,Phonetic First Name,File As,Labels,E-mail 1 - Value,E-mail 2 - Value"
    land(house, CONTACTS, f"{header}\nA,,,x ::: y,a@b.example ::: c@d.example,e@f.example\n")
    [(email, tags, extra)] = house.rows("raw_contacts", "email", "tags", "_extra")
    assert (email, tags) == ("a@b.example", "x ::: y")
    kept = {value for value in json.loads(extra).values() if value}
    assert kept == {"c@d.example", "e@f.example"}


def test_each_row_has_the_address_that_is_filled(house: Any) -> None:
    header = "Last Name,Business Street,Business City,Home Street,Home City,Other Street,Other City"
    rows = [
        "A,1 Work St,,2 Home St,Reno,,",
        "B,,,2 Home St,Reno,,",
        "C,1 W,W,2 H,H,3 O,O",
        "D,,,,,,",
    ]
    land(house, CONTACTS, "\n".join((header, *rows)) + "\n")
    columns = ("street", "city", "other_street", "other_city")
    assert house.rows("raw_contacts", *columns) == [
        ("1 Work St", None, "2 Home St", "Reno"),
        ("2 Home St", "Reno", None, None),
        ("1 W", "W", "2 H", "H"),
        (None, None, None, None),
    ]
    kept = [json.loads(row) if row else {} for (row,) in house.rows("raw_contacts", "_extra")]
    assert [{k: v for k, v in one.items() if v} for one in kept] == [
        {}, {}, {"Other Street": "3 O", "Other City": "O"}, {},
    ]  # fmt: skip


def test_a_customer_has_no_address_of_a_phone_alone(house: Any) -> None:
    header = "Email,Name,Company,Phone,Billing City,Shipping City"
    rows = ["a@b.example,Ann Ode,Co,111,,", "b@b.example,Bob Ode,,222,Rome,Oslo"]
    land(house, CUSTOMERS, "\n".join((header, *rows)) + "\n")
    assert house.rows("raw_customers", "name", "company", "phone", "other_city") == [
        ("Ann Ode", "Co", "111", None),
        ("Bob Ode", None, "222", "Rome"),
    ]
    assert house.rows("raw_customer_addresses", "customer_email", "city", "phone") == [
        ("b@b.example", "Oslo", "222")
    ]


@pytest.mark.parametrize("cells,street", [("1 A,", "1 A"), (",2 B", "2 B"), ("1 A,2 B", "1 A")])
def test_of_two_addresses_of_a_customer_the_first_that_is_filled_lands(
    house: Any, cells: str, street: str
) -> None:
    header = "Email,Business Street,Home Street"
    land(house, CUSTOMERS, f"{header}\na@b.example,{cells}\n")
    assert house.rows("raw_customer_addresses", "street") == [(street,)]


CELLS = st.sampled_from(["", "a", "b", "c", "d"])
HEADERS = [
    "Last Name", "Name", "Email", "E-mail 2 - Value", "Work Email", "Email (2)", "Phone", "Fax",
    "Mobile", "Cell Phone", "Phone 1 - Label", "Phone 1 - Value", "Home Street", "Home City",
    "Business Street", "Business City", "Other City", "Billing City", "Shipping City", "Company",
    "Organization", "Title", "Job Title", "Colour", "Notes", "Remarks", "State", "State Code",
]  # fmt: skip


@given(
    header=st.lists(st.sampled_from(HEADERS), min_size=1, max_size=10, unique=True),
    data=st.data(),
    entity=st.sampled_from(["contacts", "customers", "subscribers"]),
)
@settings(max_examples=200, deadline=None)
def test_no_cell_is_lost_and_none_is_made_up(
    new_house: Any, header: list[str], data: st.DataObject, entity: str
) -> None:
    """Every filled cell of a row is in a raw column or in ``_extra``, and nothing else is there."""
    header = ["Email Address", *header]
    cells = data.draw(st.lists(CELLS, min_size=len(header) - 1, max_size=len(header) - 1))
    row = ["x@y.example", *cells]
    house = new_house()
    text = io.StringIO()
    csv.writer(text).writerows([header, row])
    land(house, f"sources: {{it: {{entity: {entity}}}}}", text.getvalue())
    kept: set[str] = set()
    for relation in RAW:
        for *values, extra in house.rows(relation, *RAW[relation], "_extra"):
            kept |= {value for value in values if value}
            kept |= {value for value in json.loads(extra or "{}").values() if value}
    assert kept == {cell for cell in row if cell}


OWN = """
about: badges of the fair
entity: contacts
shapes:
  - relation: raw_contacts
    id: contact_id
    mandatory: [last_name]
    signature: [Badge, Wearer]
    words: true
    columns: {Badge: contact_id, Wearer: last_name}
"""


def test_people_add_presets_of_their_own(house: Any) -> None:
    folder = house.home / "presets"
    folder.mkdir()
    (folder / "badges.yaml").write_text(OWN)
    landed = land(house, CONTACTS, "Badge,Wearer,E-mail\n7,Ode,a@b.example\n")
    assert house.rows("raw_contacts", "contact_id", "last_name", "email") == [
        ("7", "Ode", "a@b.example")
    ]
    assert "preset: badges" in landed.remarks[0].message
    land(house, "sources: {it: {preset: badges}}", "Badge,Wearer\n8,Ode\n")
    assert house.rows("raw_contacts", "contact_id") == [("8",)]
    (folder / "badges.yaml").write_text(OWN.replace("Wearer: last_name", "Wearer: nickname"))
    with pytest.raises(AssertionError):  # landed anew: the header misses a last name
        assert land(house, "sources: {it: {preset: badges}}", "Badge,Wearer\n8,Ode\n").refused == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (OWN.replace("last_name}", "last_nam}"), 10, "did you mean 'last_name'?"),
        (OWN.replace("id: contact_id", "id: contact"), 6, "there is no column 'contact'"),
        (OWN.replace("mandatory: [last_name]", "mandatory: [lst_name]"), 7, "there is no column"),
        (OWN.replace("raw_contacts", "raw_people"), 5, "is no relation of its rows"),
        (OWN.replace("words: true", "wordy: true"), 9, "wordy"),
        (OWN.replace("about: badges of the fair\n", ""), None, "about"),
    ],
)
def test_a_wrong_preset_is_told_by_its_line(
    house: Any, text: str, line: int | None, message: str
) -> None:
    folder = house.home / "presets"
    folder.mkdir()
    (folder / "badges.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        house.sources(CONTACTS)
    [problem] = error.value.problems
    assert Path(problem.file).name == "badges.yaml"
    assert message in problem.message
    assert line is None or problem.line == line


def test_a_preset_of_ours_keeps_its_name(house: Any) -> None:
    folder = house.home / "presets"
    folder.mkdir()
    (folder / "hubspot.yaml").write_text(OWN)
    with pytest.raises(ConfigError, match="a preset of ours"):
        house.sources(CONTACTS)
