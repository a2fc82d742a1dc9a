"""Which cells of an .xlsx have a number format that shows a number otherwise: ECMA-376, part 1."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pipelines.sources.readers.number_formats import is_needed
from pipelines.sources.readers.reader import Unreadable
from pipelines.sources.readers.text import open_bytes

STYLES, WORKBOOK = "xl/styles.xml", "xl/workbook.xml"
LINKS = "xl/_rels/workbook.xml.rels"

_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def formats_of_xlsx(path: Path, sheet: str) -> Iterator[tuple[int, int, str]]:
    """(row, column, code), from 0, of each such cell of a sheet.

    Most workbooks have no such format, and of these only the list of formats is read.
    """
    from lxml import etree

    try:
        with open_bytes(path) as stream, zipfile.ZipFile(stream) as archive:
            codes = _codes(archive)
            if codes:
                with archive.open(_part_of(archive, sheet)) as part:
                    yield from _cells(part, codes)
    except (etree.XMLSyntaxError, zipfile.BadZipFile, KeyError, ValueError):
        message = "the formats of its cells cannot be read; save it again from Excel"
        raise Unreadable(message) from None


def _codes(archive: zipfile.ZipFile) -> dict[str, str]:
    """Number of a cell's style → its format, of those that matter."""
    if STYLES not in archive.namelist():
        return {}
    with archive.open(STYLES) as part:
        root = _parse(part)
    needed = {
        one.get("numFmtId"): code
        for one in root.iterfind("{*}numFmts/{*}numFmt")
        if is_needed(code := one.get("formatCode", ""))
    }
    styles = enumerate(root.iterfind("{*}cellXfs/{*}xf"))
    return {
        str(at): needed[number]
        for at, style in styles
        if (number := style.get("numFmtId")) in needed
    }


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file of the archive in which a sheet stands."""
    with archive.open(WORKBOOK) as part:
        [entry] = [
            one for one in _parse(part).iterfind("{*}sheets/{*}sheet") if one.get("name") == sheet
        ]
    [key] = [value for name, value in entry.attrib.items() if name.endswith("}id")]
    with archive.open(LINKS) as part:
        [link] = [one for one in _parse(part).iterfind("{*}Relationship") if one.get("Id") == key]
    return posixpath.normpath(posixpath.join("/xl", link.get("Target"))).lstrip("/")


def _cells(part: IO[bytes], codes: dict[str, str]) -> Iterator[tuple[int, int, str]]:
    """Rows and cells may leave out where they stand: then they follow the one before."""
    from lxml import etree

    row = column = -1
    events = etree.iterparse(part, ("start", "end"), tag=("{*}row", "{*}c"), resolve_entities=False)
    for event, element in events:
        is_cell = element.tag.endswith("}c")
        if event == "end":
            if not is_cell:
                element.clear(keep_tail=True)
                while element.getprevious() is not None:
                    del element.getparent()[0]
        elif is_cell:
            match = _PLACE.fullmatch(element.get("r", ""))
            column = _column(match[1]) if match else column + 1
            if (code := codes.get(element.get("s", ""))) is not None:
                yield row, column, code
        else:
            row, column = int(element.get("r", row + 2)) - 1, -1


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _parse(part: IO[bytes]) -> Any:
    from lxml import etree

    return etree.parse(part, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
