"""Workbooks as Excel and others write them: sheets, formats, and what is only called a workbook."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pipelines.sources.readers.number_formats import shown

CONTACTS = "sources: {lists: {entity: contacts, preset: generic, as: contact%s}}\n"
HEADER = ["First Name", "Last Name", "Email", "Zip Code"]


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def book_of(*rows: list[Any], formats: dict[str, str] | None = None) -> Workbook:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for place, code in (formats or {}).items():
        book.active[place].number_format = code
    return book


def landed(house: Any, name: str, content: bytes | str, more: str = "") -> Any:
    house.put("lists", name, content)
    return house.land(house.sources(CONTACTS % (f", {more}" if more else "")))


def test_numbers_are_as_shown_where_their_format_gives_them_digits_or_signs(house: Any) -> None:
    header = [*HEADER, "Phone", "Share", "Price", "Count", "Birthday"]
    row = ["Mo", "Li", "m@b.example", 501, 4155550142, 0.25, 12.5, 1234, date(1985, 3, 2)]
    formats = {
        "D2": "00000",
        "D3": "00000\\-0000",
        "E2": "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####",
        "F2": "0%",
        "G2": '#,##0.00 "€"',
        "H2": "#,##0",
        "I2": "dd/mm/yy",
    }
    second = [
        "Bo",
        "Li",
        "b@b.example",
        941071234,
        "0049 30",
        None,
        None,
        True,
        datetime(2026, 1, 2, 3),
    ]
    for name in ("a.xlsx", "b.xlsm"):
        landed(house, name, saved(book_of(header, row, second, formats=formats)))
    columns = ("postal_code", "phone", "birthdate", "_extra::varchar")
    rows = [
        ("00501", "(415) 555-0142", "1985-03-02", '{"Share":"0.25","Price":"12.5","Count":"1234"}'),
        (
            "94107-1234",
            "0049 30",
            "2026-01-02 03:00:00",
            '{"Share":null,"Price":null,"Count":"true"}',
        ),
    ]
    assert house.rows("raw_contacts", *columns) == rows * 2


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (42, '"ID-"0000', "ID-0042"),
        (2134, "[$-409]00000", "02134"),
        (46700005566, "+0", "+46700005566"),
        (123456, "00000", "123456"),
        (5, "0.00", None),
        (5, "[$€-407] 00", None),
        (5, '00" kg"', None),
        (5, "00%", None),
        (5, "yyyy", None),
        (-5, "00000", None),
        (0, '00;-00;"none"', None),
        (7, "General", None),
        (7, "@", None),
    ],
)
def test_a_format_of_digits_is_applied_one_of_a_quantity_is_not(
    number: int, code: str, text: str | None
) -> None:
    assert shown(number, code) == text


@given(number=st.integers(0, 10**12), zeros=st.integers(2, 12), at=st.integers(1, 11))
def test_a_shown_number_keeps_its_digits(number: int, zeros: int, at: int) -> None:
    code = "0" * zeros
    code = code[:at] + "-" + code[at:] if at < zeros else code
    text = shown(number, code) or str(number)
    assert int(text.replace("-", "")) == number
    assert len(text.replace("-", "")) == max(zeros, len(str(number)))


def test_a_title_above_the_header_and_a_footer_below(house: Any) -> None:
    book = book_of(
        ["Visitors"],
        [],
        HEADER,
        ["Mo", "Li", "m@b.example", "1"],
        [],
        ["Page 1 of 1"],
        ["Total", None, 1],
    )
    book.active.merge_cells("A1:D1")
    result = landed(house, "a.xlsx", saved(book))
    assert [(one.line, one.message.partition(",")[0]) for one in result.remarks] == [
        (3, "the header is in line 3"),
        (6, "2 lines below the last row left out: a footer"),
    ]
    assert house.rows("raw_contacts", "_row", "email") == [(4, "m@b.example")]


def test_of_several_sheets_the_one_that_fits_and_is_seen_is_read_and_told(house: Any) -> None:
    book = book_of(HEADER, ["Mo", "Li", "m@b.example", "1"])
    notes = book.create_sheet("How to")
    notes.append(["Fill in all columns."])
    secret = book.create_sheet("Old")
    secret.append(HEADER)
    secret.append(["Old", "One", "o@b.example", "2"])
    secret.sheet_state = "hidden"
    result = landed(house, "a.xlsx", saved(book))
    messages = [one.message for one in result.remarks]
    assert any("'Old' is hidden and not read" in one for one in messages)
    assert any("only 'Sheet' is read" in one and "'How to'" in one for one in messages)
    assert house.rows("raw_contacts", "email") == [("m@b.example",)]
    landed(house, "a.xlsx", saved(book), "format: {sheet: Old}")
    assert house.rows("raw_contacts", "email") == [("o@b.example",)]
    secret.sheet_state = "visible"
    [problem] = landed(house, "a.xlsx", saved(book)).refused
    assert "Sheet, Old all hold rows" in problem.message


PAGE = """<html><head><meta charset="%s"></head><body><table><tr><td>
<table><tr><th>First Name</th><th>Last Name</th><th colspan=2>Email</th><th>Zip Code</th></tr>
<tr><td>Zoé</td><td rowspan="2">Li<br>Wu</td><td>z@b.example</td><td></td><td>00501</td></tr>
<tr><td>Bo</td><td>b@b.example<td>x</td><td> 2 </td></tr></table></td></tr></table></body>"""


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
@pytest.mark.parametrize("name", ["a.xls", "a.html"])
def test_a_page_of_html_is_read_cell_by_cell(house: Any, name: str, charset: str) -> None:
    result = landed(house, name, (PAGE % charset).encode(charset))
    assert any("a page of HTML" in one.message for one in result.remarks) == (name == "a.xls")
    columns = ("_row", "first_name", "last_name", "email", "postal_code", "_extra::varchar")
    assert house.rows("raw_contacts", *columns) == [
        (2, "Zoé", "Li\nWu", "z@b.example", "00501", None),
        (3, "Bo", None, "b@b.example", "2", '{"column 4":"x"}'),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", saved(book_of(HEADER)), "an Excel workbook, called .csv; rename it to .xlsx"),
        ("a.json", b"%PDF-1.7", "a PDF, called .json"),
        ("a.csv", PAGE.encode(), "a page of HTML, called .csv"),
        ("a.xls", b"<?xml version='1.0'?><Workbook/>", "an XML spreadsheet"),
        ("a.html", b"<html><p>Nothing</p>", "without a table"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook, called .csv"),
        ("a.csv", b"PAR1", "a Parquet file, called .csv"),
    ],
)
def test_what_is_something_else_than_its_name_says_is_named(
    house: Any, name: str, content: bytes, message: str
) -> None:
    [problem] = landed(house, name, content).refused
    assert message in problem.message


def test_text_called_a_workbook_is_read_as_text(house: Any) -> None:
    result = landed(house, "a.xls", "First Name\tLast Name\tEmail\nMo\tLi\tm@b.example\n")
    assert "not a workbook but text" in result.remarks[0].message
    assert house.rows("raw_contacts", "_row", "email") == [(2, "m@b.example")]


words = st.text(st.sampled_from("ab é鈴-'"), min_size=1, max_size=5).filter(str.strip)
cell_values = st.one_of(st.none(), words, st.integers(0, 10**9), st.booleans())


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.lists(cell_values, min_size=3, max_size=3), min_size=1, max_size=6),
    title=st.integers(0, 3),
)
def test_every_filled_cell_of_a_workbook_lands(
    new_house: Callable[[], Any], rows: list[list[Any]], title: int
) -> None:
    house = new_house()
    above = [["Visitors"], [], ["of a fair"]][:title]
    content = saved(
        book_of(*above, HEADER, *([one, *row] for one, row in zip("pqrstu", rows, strict=False)))
    )
    assert landed(house, "a.xlsx", content).refused == ()
    found = house.rows("raw_contacts", "last_name", "email", "postal_code")

    def text(value: Any) -> str | None:
        return (
            str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
        )

    assert found == [tuple(map(text, row)) for row in rows]
