"""Workbooks: cells as shown, rows by their number in the sheet."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from xml.sax.saxutils import escape

import pytest

CONTACTS = "sources: {lists: {entity: contacts, preset: generic}}\n"

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

DATE, MOMENT = 1, 2  # places of the styles below


def cell(place: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, tuple):
        return f'<c r="{place}" s="{value[1]}"><v>{value[0]}</v></c>'
    if isinstance(value, str) and value.startswith("#"):
        return f'<c r="{place}" t="e"><v>{value}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def workbook(**sheets: dict[int, list[Any]]) -> bytes:
    """An .xlsx file: sheet name → row number → cells from column A on."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        parts = range(1, len(sheets) + 1)
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/>'
            + "".join(
                f'<Override PartName="/xl/worksheets/sheet{part}.xml" '
                f'ContentType="{TYPE}.worksheet+xml"/>'
                for part in parts
            )
            + "</Types>",
        )
        links = {f"rId{part}": ("worksheet", f"worksheets/sheet{part}.xml") for part in parts}
        links["rIdS"] = ("styles", "styles.xml")
        archive.writestr("_rels/.rels", related({"rId1": ("officeDocument", "xl/workbook.xml")}))
        archive.writestr("xl/_rels/workbook.xml.rels", related(links))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets>'
            + "".join(
                f'<sheet name="{name}" sheetId="{part}" r:id="rId{part}"/>'
                for part, name in zip(parts, sheets, strict=True)
            )
            + "</sheets></workbook>",
        )
        formats = "".join(
            f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in (0, 14, 22)
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{MAIN}"><cellXfs count="3">{formats}</cellXfs></styleSheet>',
        )
        for part, rows in zip(parts, sheets.values(), strict=True):
            data = "".join(
                f'<row r="{row}">'
                + "".join(cell(f"{chr(65 + at)}{row}", value) for at, value in enumerate(cells))
                + "</row>"
                for row, cells in rows.items()
            )
            archive.writestr(
                f"xl/worksheets/sheet{part}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>',
            )
    return stream.getvalue()


def related(links: dict[str, tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="{key}" Type="{DOCUMENT}/{kind}" Target="{target}"/>'
        for key, (kind, target) in links.items()
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{entries}</Relationships>'


PEOPLE = {
    1: ["Name", "Zip Code", "Birthday", "Last Updated", "Tags", "Fax", "Password", "Score"],
    2: ["Ann", 94105, (33001, DATE), (45000.5, MOMENT), True, "#N/A", "hunter2", 1.5],
    4: ["Bob", "00501", None, (45000, MOMENT), None, "NULL", None, None],
    5: ["too", 1, None, None, None, None, None, None, "wide"],
}


def test_cells_as_shown_and_rows_by_number(house: Any) -> None:
    house.put("lists", "people.xlsx", workbook(People=PEOPLE, Notes={}))
    house.land(house.sources(CONTACTS))
    columns = ("_row", "name", "postal_code", "birthdate", "updated_at", "tags", "fax")
    assert house.rows("raw_contacts", *columns, "_extra::varchar") == [
        (2, "Ann", "94105", "1990-05-08", "2023-03-15 12:00:00", "true", None, '{"Score":"1.5"}'),
        (4, "Bob", "00501", None, "2023-03-15", None, None, None),
        (5, None, None, None, None, None, None, None),
    ]
    assert house.rows("raw_contacts", "_defect")[2] == (
        "values beyond the 8 columns of the header (row 5)",
    )


def test_of_several_filled_sheets_one_must_be_named(house: Any) -> None:
    house.put("lists", "people.xlsx", workbook(Old={1: ["Email"], 2: ["x"]}, New=PEOPLE))
    [problem] = house.land(house.sources(CONTACTS)).refused
    assert "the sheets Old, New all hold rows" in problem.message
    with_sheet = CONTACTS.replace("generic", "generic, format: {sheet: New}")
    assert house.land(house.sources(with_sheet)).counts[0].rows == 3
    [problem] = house.land(house.sources(with_sheet.replace("New", "Newer"))).refused
    assert "no sheet 'Newer'; there are Old, New" in problem.message


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ({}, "the workbook is empty"),
        ({40: ["Email"]}, "the first row is blank"),
        ({1: ["Colour"]}, "the header misses"),
    ],
)
def test_workbooks_that_cannot_be_read(
    house: Any, sheet: dict[int, list[Any]], message: str
) -> None:
    house.put("lists", "people.xlsx", workbook(People=sheet))
    [problem] = house.land(house.sources(CONTACTS)).refused
    assert message in problem.message
