"""HTML tables: what many web systems export and call ``.xls``, as Excel opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.sources.format import Format
from pipelines.sources.readers.grid import Cells, Grid
from pipelines.sources.readers.reader import Unreadable
from pipelines.sources.readers.text import HEAD, UTF8, encoding_of, open_bytes

MOST = 1 << 28
"""Bytes of a page, which is held whole."""

WIDEST = 4096
"""Columns, and rows, that one cell may span."""

_CHARSET = re.compile(rb"<meta[^>]*charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)


def tables(path: Path, form: Format) -> list[Grid]:
    """The tables of a page in which anything stands.

    Raises:
        Unreadable: the page has no table, is too large, or its encoding is not the one it names.
    """
    found = [rows for rows in map(_rows, _tables(_text(path, form))) if any(map(any, rows))]
    if not found:
        raise Unreadable("a page of HTML without a table; export the file as CSV or .xlsx")
    named = [(f"table {at}", rows) for at, rows in enumerate(found, 1)]
    if form.sheet is not None:
        named = [(name, rows) for name, rows in named if name == form.sheet]
        if not named:
            raise Unreadable(f"no {form.sheet!r}; there are {len(found)} tables: table 1, …")
    return [Grid(form, partial(list, rows), name) for name, rows in named]


def _text(path: Path, form: Format) -> str:
    codec, mark = encoding_of(path, form.encoding)
    with open_bytes(path) as stream:
        content = stream.read(MOST + 1)[mark:]
    if len(content) > MOST:
        raise Unreadable(f"a page of HTML of more than {MOST >> 20} MB; export it as CSV")
    declared = _CHARSET.search(content[:HEAD])
    if declared and form.encoding is None and codec == UTF8 and not mark:
        codec = declared[1].decode()
    try:
        return content.decode(codec)
    except LookupError:
        raise Unreadable(f"the page says it is {codec!r}, which is no encoding") from None
    except UnicodeDecodeError as error:
        message = f"byte {mark + error.start} is no {codec}; say 'format: {{encoding: …}}'"
        raise Unreadable(message) from None


def _tables(text: str) -> list[Any]:
    """The tables that hold no further ones: those around them only lay out the page."""
    from lxml import html

    root = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding=UTF8))
    return [table for table in root.iter("table") if table.find(".//table") is None]


def _rows(table: Any) -> list[Cells]:
    """A table's cells where they stand; a cell that spans several fills the first of them."""
    rows: list[Cells] = []
    covered: dict[int, int] = {}  # column → in how many further rows a cell from above stands there
    for row in table.iter("tr"):
        cells: list[str | None] = []
        further = {column: left - 1 for column, left in covered.items() if left > 1}
        for cell in row.iterchildren("td", "th"):
            while len(cells) in covered:
                cells.append(None)
            width, height = _span(cell, "colspan"), _span(cell, "rowspan")
            further |= {len(cells) + at: height - 1 for at in range(width) if height > 1}
            cells += [_content(cell), *[None] * (width - 1)]
        rows.append(cells)
        covered = further
    return rows


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(int(value), WIDEST) if value.isdecimal() and int(value) else 1


def _content(cell: Any) -> str:
    """The text of a cell, a line for each ``<br>``."""
    return "\n".join(
        line for part in "".join(_parts(cell)).split("\n") if (line := " ".join(part.split()))
    )


def _parts(element: Any) -> Iterator[str]:
    yield (element.text or "").replace("\n", " ") if isinstance(element.tag, str) else ""
    for child in element:
        if child.tag in ("br", "p", "div"):
            yield "\n"
        if child.tag not in ("script", "style"):
            yield from _parts(child)
        yield (child.tail or "").replace("\n", " ")
