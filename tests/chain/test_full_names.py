"""Names as exports write them arrive in the org in their parts; what is no name is told."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.local_org.catalog.load import TEMPLATE
from pipelines.summary import summary

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  list: {entity: contacts, as: contact}
  desk: {entity: contacts, as: lead}
  shop: {entity: customers, preset: generic}
  grid: {entity: customers, preset: generic}
  hub: {entity: contacts, as: contact}
"""
LIST = """\
Full Name,Email,Company
Greta van der Meer,n0@names.example,Holm Works
"Harlow, Iris",n1@names.example,Holm Works
Dr. Nils Ahl-Bergman,n2@names.example,Holm Works
Lewis R. Carter Jr.,n3@names.example,Holm Works
Marie-Luce de La Fontaine,n4@names.example,Holm Works
"stone, ada",n5@names.example,Holm Works
Sarah Conway (Sales),n6@names.example,Holm Works
"Kit Marlow, PhD",n7@names.example,Holm Works
Belinda,n8@names.example,Holm Works
Ann Lane 🌸,n9@names.example,Holm Works
Keller GmbH,n10@names.example,Keller GmbH
"Gale, Omar (Contractor)",n11@names.example,Holm Works
"""
DESK = """\
Salutation,First Name,Middle Name,Last Name,Email,Company,Phone
,,,,only@part.example,,
,Onlygiven,,,given@part.example,,
,,,,,Only Firm Ltd,+1 415 555 7301
,,,Onlyfamily,,,
,,,,, ,
,,,,,Lone Works,
,Plumber Jim,,,jim@part.example,,
Frau,Ilka,Maria,Brahms,ilka@part.example,Brahms AG,
Kapitän,Olaf,,Brandt,olaf@part.example,Brandt AG,
"""
SHOP = """\
Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,Postal Code
Per Ahlgren,per_a,2025-03-01 10:00:00,2024-01-01 10:00:00,pa@woo.example,3,899.00,299.67,SE,Malmö,,21145
"""  # noqa: E501
GRID = """\
ID,Name,Email,Group,Phone,ZIP,Country,State/Province,"Customer Since","Web Site"
2,"Mr. Bo van Eyck",bo@grid.example,Wholesale,555-229-3329,49628,"United States",Michigan,"Jan 10, 2024 1:05:00 AM","Main Website"
"""  # noqa: E501
HUB = """\
First Name,Last Name,Email
"HOLM, Jordan",,jordan@hub.example
HubNote,&lt;noreply@hub.example&gt;,noreply@hub.example
"""


@pytest.fixture(scope="module", params=[True, False], ids=["suffixes", "no suffixes"])
def chain(make_chain: Any, request: pytest.FixtureRequest) -> Any:
    """What the files become in an org with middle names and suffixes, and in one without."""
    chain = make_chain(SOURCES, org=False)
    if request.param:
        setup = TEMPLATE.read_text()
        for switch in ("middle_names", "name_suffixes"):
            setup = setup.replace(f"{switch}: false", f"{switch}: true")
        folder = chain.project.local_org
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "org.yaml").write_text(setup)
    chain.start_org()
    files = {"list": LIST, "desk": DESK, "shop": SHOP, "grid": GRID, "hub": HUB}
    for source, text in files.items():
        chain.put(source, DAY, "export.csv", text)
    chain.done(DAY)
    chain.has_parts = request.param
    return chain


def _named(chain: Any, object_name: str) -> dict[str, tuple[str | None, ...]]:
    rows = chain.records(object_name, "Email", "Salutation", "FirstName", "LastName")
    fields = ("Salutation", "FirstName", "LastName")
    return {row["Email"]: tuple(row[name] for name in fields) for row in rows}


def test_contacts_and_customers_are_called_what_their_names_say(chain: Any) -> None:
    assert _named(chain, "Contact") == {
        "n0@names.example": (None, "Greta", "van der Meer"),
        "n1@names.example": (None, "Iris", "Harlow"),
        "n2@names.example": ("Dr.", "Nils", "Ahl-Bergman"),
        "n3@names.example": (None, "Lewis R.", "Carter"),
        "n4@names.example": (None, "Marie-Luce", "de La Fontaine"),
        "n5@names.example": (None, "ada", "stone"),
        "n6@names.example": (None, "Sarah", "Conway"),
        "n7@names.example": (None, "Kit", "Marlow"),
        "n8@names.example": (None, None, "Belinda"),
        "n9@names.example": (None, "Ann", "Lane"),
        "n10@names.example": (None, None, "Keller GmbH"),
        "n11@names.example": (None, "Omar", "Gale"),
        "pa@woo.example": (None, "Per", "Ahlgren"),
        "bo@grid.example": ("Mr.", "Bo", "van Eyck"),
        "jordan@hub.example": (None, "Jordan", "HOLM"),
        "noreply@hub.example": (None, "HubNote", "[not provided]"),
    }


def test_half_a_name_is_kept_and_nobody_lost_who_is_known_by_anything(chain: Any) -> None:
    leads = chain.records("Lead", "Email", "Salutation", "FirstName", "LastName", "Phone")
    assert sorted(
        (str(row["Email"]), row["Salutation"], row["FirstName"], row["LastName"], row["Phone"])
        for row in leads
    ) == [
        ("None", None, None, "Onlyfamily", None),
        ("None", None, None, "[not provided]", "+1 415 555 7301"),
        ("given@part.example", None, "Onlygiven", "[not provided]", None),
        ("ilka@part.example", "Ms.", "Ilka", "Brahms", None),
        ("jim@part.example", None, None, "Plumber Jim", None),
        ("olaf@part.example", None, "Olaf", "Brandt", None),
        ("only@part.example", None, None, "[not provided]", None),
    ]
    found = summary(chain.project, DAY)
    rejected = {source: sum(reasons.values()) for source, reasons in found.rejections.items()}
    assert rejected == {"desk": 1}
    assert found.cells["desk"].blank_rows == 1


def test_what_the_org_has_no_field_for_is_told(chain: Any) -> None:
    unsent = {
        (one.object, one.field): (one.rows, one.value) for one in summary(chain.project, DAY).unsent
    }
    salutation = {("Lead", "Salutation"): (1, "Kapitän")}
    if not chain.has_parts:
        absent = {("Contact", "Suffix"): (2, "Jr."), ("Lead", "MiddleName"): (1, "Maria")}
        assert unsent == absent | salutation
        shown = " ".join(chain.causeway("status").stdout.split())
        assert "1 of Lead.Salutation: the org's list does not have it, such as Kapitän" in shown
        return
    assert unsent == salutation
    suffixes = {row["Email"]: row["Suffix"] for row in chain.records("Contact", "Email", "Suffix")}
    assert {mail: one for mail, one in suffixes.items() if one} == {
        "n3@names.example": "Jr.",
        "n7@names.example": "PhD",
    }
    [lead] = [
        row
        for row in chain.records("Lead", "Email", "MiddleName", "Name")
        if row["Email"] == "ilka@part.example"
    ]
    assert (lead["MiddleName"], lead["Name"]) == ("Maria", "Ilka Maria Brahms")


def test_what_is_no_name_is_told_with_its_place(chain: Any) -> None:
    facts = json.loads(chain.causeway("status", "--json").stdout)
    told = {(one["source"], one["reason"]): one for one in facts["names"]}
    remark = told["list", "a remark beside a name"]
    assert (remark["rows"], remark["value"]) == (2, "(Sales)")
    assert remark["place"] == f"list/{DAY}/export.csv:8"
    assert told["list", "looks like a company, and is not split"]["value"] == "Keller GmbH"
    assert told["list", "signs that are no letters"]["value"] == "🌸"
    assert told["hub", "an e-mail address is no name"]["rows"] == 1
    jim = told["desk", "several words for a first name and no last name, and not split"]
    assert jim["value"] == "Plumber Jim"
    assert len(told) == 5
    shown = chain.causeway("status").stdout
    assert "2 of list: a remark beside a name, such as (Sales)" in " ".join(shown.split())
