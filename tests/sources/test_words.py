"""What a header says: real spellings are read right, and what says something else is not read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.columns import READABLE, assign, has_words
from pipelines.sources.presets import presets
from pipelines.sources.relations import RAW
from pipelines.sources.words import read

CONTACTS = "raw_contacts"
SPELLINGS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "spellings.yaml").read_text(encoding="utf-8")
)

OTHERWISE = """
Owner's e-mail|Assistant's Phone|Assistant|Emergency contact|Emergency Contact Phone|Spouse|
Spouse Name|Referred by|Parent account|Parent Company|E-mail type|E-mail 1 - Label|Phone Type|
Phone 1 - Label|Email Opt Out|HASOPTEDOUTOFEMAIL|Unsubscribed from all email|
Accepts Email Marketing|Email Marketing Consent|Marketing status|Marketing contact status|
Do Not Call|Subscribed|Email permission status|Email status|Phone Opt Out|Last Contacted|
Last Contact|First Contact|First seen|First Active|Last Active|Account Number|Account ID|
ACCOUNTID|Company size|Company ID|Company Type|Company Description|Company Email|Company Owner|
Email domain|Email verified|E-mail Display Name|Phonetic First Name|Given Name Yomi|Username|
User Name|Login|Manager's Name|Manager Email|Reports To|Company Linkedin Url|Facebook Url|
Photo URL|Profile URL|Job Function|Job Description|Address 1 - Formatted|Address 1 - PO Box|
Address Type|Address 1 - Label|City/State|City, State|Zip/City|Name/Company|Name & Company|
First/Last Name|Phone/Email|Tel/Fax|Name, Title|Place of Birth|City of birth|Country of birth|
Birth Year|IP Address|Contact|Contact ID|(Do Not Modify) Contact|(Do Not Modify) Modified On|
Contact Status|Lead Status|Lifecycle Stage|Event Name|Product Name|Maiden Name|Street Number|
House Number|Number|No.|Code|ID|Value|Type|Status|Date|Timestamp|Total Spent|Orders|AOV|
Phone Country Code|Account Created|Email Updated At|Company Name for Emails|Company Full Name|
Vorname/Name Partner|Geburtsort|Home Town|Private|Personal|Business|Work|Home|Other|Primary|
Work or Home|Postal|Home/Work Phone Type|Tax Region Code|Sales Person|Kundennummer Firma|
Email (opt out)|Phone (assistant)|Name (emergency contact)|Company 2|First Name 2|Address 4|
Email 12345|GDPR consent|Newsletter|Opt-in date|Locale|Language
"""
"""Headers that look like something else, and are not it."""


def column_of(header: str, relation: str = CONTACTS) -> str | None:
    """The raw column that a header is read as where it stands alone."""
    found = assign({0: header}, relation, ())
    return next((column for part in (found.columns, *found.blocks) for column in part), None)


@pytest.mark.parametrize(
    ("column", "header"), [(column, one) for column, ones in SPELLINGS.items() for one in ones]
)
def test_a_header_is_read(column: str, header: str) -> None:
    assert column_of(header) == column


def test_there_are_many_spellings() -> None:
    assert sum(map(len, SPELLINGS.values())) >= 250
    assert SPELLINGS.keys() >= READABLE[CONTACTS] - {"other_phone"}


@pytest.mark.parametrize(
    "header", [one.strip() for one in OTHERWISE.replace("\n", " ").split("|") if one.strip()]
)
def test_a_header_that_says_something_else_is_not_read(header: str) -> None:
    read_as = column_of(header)
    assert read_as is None or (header, read_as) in {("Postal", "postal_code")}


HEADERS = st.sampled_from([one for ones in SPELLINGS.values() for one in ones])
UNKNOWN = st.sampled_from(["type", "status", "consent", "assistant", "opt", "size", "score", "xyz"])


@given(header=HEADERS, how=st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_case_says_nothing(header: str, how: object) -> None:
    words = header.replace("_", " ")
    if words.isupper() or " " in words or words == words.capitalize():
        assert read(how(words.casefold())) == read(words.casefold())  # type: ignore[operator]


@given(header=HEADERS, mark=st.sampled_from([" *", "*", " (required)", ":", " - Value", "  "]))
def test_marks_behind_a_header_say_nothing(header: str, mark: str) -> None:
    if read(header) and header not in {
        "First",
        "Last",
        "FN",
        "URL",
        "Domain",
        "Company Domain Name",
    }:
        assert read(header + mark) == read(header)


@given(header=HEADERS, unknown=UNKNOWN, before=st.booleans())
def test_one_unknown_word_more_and_a_header_is_not_read(
    header: str, unknown: str, before: bool
) -> None:
    assert read(f"{unknown} {header}" if before else f"{header} {unknown}") is None


@given(header=st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_is_read_or_not(header: str) -> None:
    read(header)


@pytest.mark.parametrize("relation", RAW)
def test_the_name_of_a_column_is_read_as_that_column(relation: str) -> None:
    """So that rows which were exported under these names land as they were."""
    for column in RAW[relation]:
        if has_words(column, relation) and not column.startswith("other_"):
            assert column_of(column.replace("_", " ").title(), relation) == column or any(
                column in shape.columns.values()
                for shape in presets()["generic"].shapes
                if shape.relation == relation
            )


def columns(header: str, relation: str = CONTACTS) -> dict[str, tuple[int, ...]]:
    """Raw column → positions, of a header with commas."""
    found = assign(dict(enumerate(header.split(","))), relation, ())
    assert len(found.blocks) < 2
    return {**found.columns, **(found.blocks[0] if found.blocks else {})}


def test_some_headers_hang_on_the_others() -> None:
    assert columns("Vorname,Name") == {"first_name": (0,), "last_name": (1,)}
    assert columns("Prénom,Nom") == {"first_name": (0,), "last_name": (1,)}
    assert columns("First Name,Name") == {"first_name": (0,), "name": (1,)}
    assert columns("Nombre,Apellidos") == {"first_name": (0,), "last_name": (1,)}
    assert columns("Nome,Cognome") == {"first_name": (0,), "last_name": (1,)}
    assert columns("Nombre") == {"name": (0,)}
    assert columns("Title,Job Title") == {"prefix": (0,), "title": (1,)}
    assert columns("Titel,Anrede") == {"prefix": (0, 1)}
    assert columns("Salutation,Title") == {"prefix": (0,), "title": (1,)}
    assert columns("Estado") == {}
    assert columns("Estado,Ciudad") == {"state": (0,), "city": (1,)}
    assert columns("County,City") == {"state": (0,), "city": (1,)}
    assert columns("County,City,State") == {"city": (1,), "state": (2,)}


def test_the_preferred_one_of_several_comes_first() -> None:
    assert columns("Email 2,Personal Email,Work Email,Email")["email"] == (3, 2, 1, 0)
    assert columns("Business Phone 2,Business Phone,Direct Phone")["phone"] == (2, 1, 0)


def test_the_parts_of_an_address_stay_together() -> None:
    header = ["Home City", "Business Street", "Business City", "Home Street", "Country"]
    found = assign(dict(enumerate(header)), CONTACTS, ())
    assert found.blocks == [
        {"street": (1,), "city": (2,), "country": (4,)},
        {"city": (0,), "street": (3,)},
    ]
    apart = assign({0: "Home City", 1: "Business Street"}, CONTACTS, ())
    assert apart.blocks == [{"street": (1,)}, {"city": (0,)}]
    twins = ["Street", "City", "Street (2)", "City (2)"]
    assert assign(dict(enumerate(twins)), CONTACTS, ()).blocks == [
        {"street": (0,), "city": (1,)},
        {"street": (2,), "city": (3,)},
    ]


def test_a_shop_sends_to_the_shipping_address_first() -> None:
    header = {0: "billing_city", 1: "shipping_city"}
    assert assign(header, "raw_customer_addresses", ()).blocks == [{"city": (1,)}, {"city": (0,)}]
    assert assign(header, CONTACTS, ()).blocks == [{"city": (1,)}, {"city": (0,)}]


def test_thousands_of_headers_take_no_time() -> None:
    names = {at: f"Custom Field {at} of {'x' * 30}" for at in range(4096)}
    started = time.process_time()
    assert assign(names, CONTACTS, ()).columns == {}
    assert time.process_time() - started < 2
