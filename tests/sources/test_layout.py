"""Where the columns of a file stand: found where one place fits far better, and told."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CONTACTS = "sources: {lists: {entity: contacts, preset: generic, as: contact%s}}\n"
HEADER = "First Name,Last Name,Email,Company\n"
ROW = "Mona,Ferrand,mona@lark.example,Lark Ltd\n"
COLUMNS = ("_row", "first_name", "last_name", "email", "company")
MONA = ("Mona", "Ferrand", "mona@lark.example", "Lark Ltd")


def landed(house: Any, name: str, content: str | bytes, more: str = "") -> Any:
    house.put("lists", name, content)
    return house.land(house.sources(CONTACTS % (f", {more}" if more else "")))


def told(result: Any) -> list[tuple[int | None, str]]:
    return [(one.line, one.message) for one in result.remarks]


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ('Notes:\n"Some addresses are missing, ""as you may see"" here."\n\n', 4),
        ("Visitors of the fair,,,\nMade 2026-11-01,,,\n,,,\n", 4),
        ("\n", 2),
        ('"A title\nof two lines"\n', 3),
        ('12" screens; a title with a quote\n', 2),
        ("Company list,,,\n", 2),
    ],
)
def test_lines_above_the_header_are_left_out_and_told(house: Any, above: str, line: int) -> None:
    result = landed(house, "a.csv", above + HEADER + ROW)
    [(at, message)] = told(result)
    assert (at, f"the header is in line {line}" in message) == (line, True)
    assert house.rows("raw_contacts", *COLUMNS) == [(line + 1, *MONA)]
    said = landed(house, "a.csv", above + HEADER + ROW, f"format: {{header: {line}}}")
    assert (said.refused, said.remarks) == ((), ())
    assert house.rows("raw_contacts", *COLUMNS) == [(line + 1, *MONA)]


def test_of_two_lines_that_fit_alike_one_must_be_named(house: Any) -> None:
    [problem] = landed(house, "a.csv", f"A list\n{HEADER}{ROW}{HEADER}").refused
    assert "line 2 and line 4 look like headers" in problem.message
    assert "format: {header: 2}" in problem.message


def test_a_header_that_fits_is_not_looked_for_elsewhere(house: Any) -> None:
    result = landed(house, "a.csv", f"Name,Size\nMona Ferrand,3\n{HEADER}")
    assert result.remarks == ()
    assert house.rows("raw_contacts", "_row", "name") == [(2, "Mona Ferrand"), (3, None)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_an_undeclared_delimiter_is_found_and_told(house: Any, delimiter: str) -> None:
    result = landed(house, "a.csv", (HEADER + ROW).replace(",", delimiter))
    sign = "tab" if delimiter == "\t" else delimiter
    assert told(result) == [
        (1, f"its columns are separated by {sign!r}; 'format: {{delimiter: \"{sign}\"}}' says so")
    ]
    assert house.rows("raw_contacts", *COLUMNS) == [(2, *MONA)]


def test_a_declared_delimiter_counts_and_another_is_named(house: Any) -> None:
    text = (HEADER + ROW).replace(",", ";")
    [problem] = landed(house, "a.csv", text, 'format: {delimiter: "|"}').refused
    assert "its columns are separated by ';': say 'format: {delimiter: \";\"}'" in problem.message


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n'])
@pytest.mark.parametrize("more", ["", "format: {delimiter: ;}", "format: {header: 2}"])
def test_the_file_says_its_delimiter_itself(house: Any, first: str, more: str) -> None:
    result = landed(house, "a.csv", first + (HEADER + ROW).replace(",", ";"), more)
    assert (result.refused, result.remarks) == ((), ())
    assert house.rows("raw_contacts", *COLUMNS) == [(3, *MONA)]


def test_a_file_that_says_another_delimiter_than_declared_is_refused(house: Any) -> None:
    [problem] = landed(house, "a.csv", "sep=;\nEmail;Name\n", 'format: {delimiter: ","}').refused
    assert "the file says sep=;" in problem.message


def test_twin_and_nameless_columns_are_kept(house: Any) -> None:
    landed(house, "a.csv", "Name,Email,,Email,Email (2),\nMo Li,m@b.example,x,n@b.example,o@,y\n")
    [(email, extra)] = house.rows("raw_contacts", "email", "_extra::varchar")
    assert email == "m@b.example"
    rest = {"column 3": "x", "email_2": "n@b.example", "email_3": "o@", "column 6": "y"}
    assert json.loads(extra) == rest


def test_a_twin_of_a_secret_is_one(house: Any) -> None:
    columns = "columns: {Badge: {secret: true}}"
    result = landed(house, "a.csv", "Email,Badge,Badge\nm@b.example,s1,s2\n", columns)
    assert result.withheld == {"lists": {"Badge": 1, "Badge (2)": 1}}
    assert house.rows("raw_contacts", "_extra") == [(None,)]


def test_a_file_without_a_header_is_refused_until_it_is_said(house: Any) -> None:
    text = "Mona,Ferrand,mona@lark.example\nLu,Tarrant,lu@lark.example\n"
    [problem] = landed(house, "a.csv", text).refused
    assert "the first line looks like data" in problem.message
    assert "column 3: email" in problem.message
    columns = "columns: {column 1: first_name, column 2: last_name, column 3: email}"
    assert landed(house, "a.csv", text, f"format: {{header: none}}, {columns}").refused == ()
    assert house.rows("raw_contacts", "_row", "first_name", "email") == [
        (1, "Mona", "mona@lark.example"),
        (2, "Lu", "lu@lark.example"),
    ]


FOOTER = (
    '"All Visitors"\n'
    '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."\n'
    '"Confidential Information - Do Not Distribute"\n'
    '"Generated By:  Noa Berg  11/1/2026, 9:05 AM"\n'
    '"Grand Totals (1 records)"\n'
)


@pytest.mark.parametrize(
    ("below", "lines"),
    [
        (f"\n{FOOTER}", 5),
        (f"\n\n{FOOTER}\n", 5),
        ("Grand Total,,,\n", 1),
        (",,,\nTotal:,,,12\nPage 1 of 1,,,\n", 2),
        ("\n1 record\n", 1),
    ],
)
def test_a_footer_is_left_out_and_counted(house: Any, below: str, lines: int) -> None:
    result = landed(house, "a.csv", HEADER + ROW + below)
    [(_, message)] = told(result)
    assert message.startswith(f"{lines} line")
    rows = [row for row in house.rows("raw_contacts", *COLUMNS, "_defect") if any(row[1:])]
    assert rows == [(2, *MONA, None)]


@pytest.mark.parametrize(
    "below",
    ["\nAnn\n", "Ann\n", "Copyright Partners,,,\n", "\nann@lark.example\nTotals of,x\n",
     "Total,,,+33 1 44 55 66 77\n", "Ann,Total,,\n", "\nAnn\n\nBo,Li,,\n"],
)  # fmt: skip
def test_a_line_with_data_is_no_footer(house: Any, below: str) -> None:
    result = landed(house, "a.csv", HEADER + ROW + below)
    assert result.remarks == ()
    filled = [line for line in below.split("\n") if line.strip(",")]
    rows = [row for row in house.rows("raw_contacts", *COLUMNS, "_defect") if any(row[1:])]
    assert len(rows) == 1 + len(filled)


def test_backslashes_before_quotes_are_proved_or_declared(house: Any) -> None:
    text = HEADER + '"Mo \\"Mo\\" ","O\\\\B",mo@b.example,\\N\n"A","B","c@b.example","D, E"\n'
    result = landed(house, "a.csv", text)
    [(line, message)] = told(result)
    assert (line, "escape: backslash" in message) == (2, True)
    rows = [
        (2, 'Mo "Mo" ', "O\\B", "mo@b.example", None),
        (3, "A", "B", "c@b.example", "D, E"),
    ]
    assert house.rows("raw_contacts", *COLUMNS) == rows
    assert landed(house, "a.csv", text, "format: {escape: backslash}").remarks == ()
    assert house.rows("raw_contacts", *COLUMNS) == rows


def test_a_backslash_that_is_one_stays(house: Any) -> None:
    landed(house, "a.csv", HEADER + '"C:\\","a\\b",x@b.example,"\\N"\nA,"B"x,C:\\dir,D\n')
    rows = house.rows("raw_contacts", *COLUMNS[1:], "_defect")
    assert rows[0][:2] == ("C:\\", "a\\b")
    assert "quotes that do not close" in rows[1][4]


@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\n\x1a\r\n", "\n\0\0\0\0", "\x1a\0\0"])
def test_what_old_systems_end_files_with_is_nothing(house: Any, end: str) -> None:
    assert landed(house, "a.csv", HEADER + ROW.strip() + end).refused == ()
    [row, *others] = house.rows("raw_contacts", *COLUMNS, "_defect")
    assert others == []
    assert row == (2, *MONA, None) or "zero byte" in row[5]


SIGNS = "ab ,;|\t\"'\né鈴#@=\\"
texts = st.text(st.sampled_from(SIGNS), min_size=1, max_size=6).filter(
    lambda text: text.strip() and text not in ("\\N",)
)
cells = st.one_of(st.just(""), texts)
NAMES = ("First Name", "Last Name", "Company", "Email", "", "Email", "Colour")


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """A table, and how it is written."""
    width = draw(st.integers(4, len(NAMES)))
    filled = st.lists(cells, min_size=width - 1, max_size=width - 1).map(lambda row: ["p", *row])
    return {
        "header": list(NAMES[:width]),
        "rows": draw(st.lists(filled, min_size=1, max_size=6)),
        "delimiter": draw(st.sampled_from(",;\t|")),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])),
        "separator": draw(st.booleans()),
        "title": draw(st.sampled_from([[], [["A list"]], [["A list"], [], ["Made by me", "x"]]])),
        "blank": draw(st.booleans()),
        "footer": draw(st.booleans()),
        "packed": draw(st.booleans()),
    }


def written(table: dict[str, Any]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(
        stream,
        delimiter=table["delimiter"],
        quoting=table["quoting"],
        lineterminator=table["end"],
    )
    if table["separator"]:
        stream.write(f"sep={table['delimiter']}{table['end']}")
    writer.writerows(table["title"])
    writer.writerow(table["header"])
    writer.writerows(table["rows"])
    if table["blank"]:
        writer.writerow([""] * len(table["header"]))
        stream.write(table["end"])
    if table["footer"]:
        stream.write(table["end"] + FOOTER.replace("\n", table["end"]))
    content = stream.getvalue().encode(table["encoding"])
    return gzip.compress(content) if table["packed"] else content


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables())
def test_every_filled_cell_of_every_table_lands(
    new_house: Callable[[], Any], table: dict[str, Any]
) -> None:
    house = new_house()
    result = landed(house, "a.csv.gz" if table["packed"] else "a.csv", written(table))
    assert result.refused == ()
    columns = ("first_name", "last_name", "company", "email")
    rows = house.rows("raw_contacts", *columns, "_extra::varchar", "_defect")
    found = []
    for *values, extra, defect in rows:
        assert defect is None
        rest = [value for value in (json.loads(extra) if extra else {}).values() if value]
        if any(values) or rest:
            found.append(sorted([*filter(None, values), *rest]))
    assert found == [kept(table["header"], row) for row in table["rows"]]


def kept(header: list[str], row: list[str]) -> list[str]:
    """The filled cells of a row; of twins that say the same, one."""
    names = [name or str(place) for place, name in enumerate(header)]
    return sorted(cell for _, cell in {*zip(names, row, strict=True)} if cell)
