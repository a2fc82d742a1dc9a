"""Which reader reads a file: its name says it, and its first bytes must not say otherwise."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.sources.model import Source
from pipelines.sources.readers.reader import Reader, Remark, Unreadable
from pipelines.sources.readers.text import HEAD, is_packed, open_bytes
from pipelines.sources.repaired import REASONS

TEXT = (".csv", ".tsv", ".txt")
LINES = (".jsonl", ".ndjson", ".json")
CARDS = (".vcf", ".vcard")
EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
HTML = (".html", ".htm")
PARQUET = (".parquet",)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"


def parts(path: Path, source: Source) -> Sequence[Reader]:
    """A reader for each part of a file that may hold its rows, by its name; mostly there is one.

    Raises:
        Unreadable: no reader knows such files, or this user may not read it, or it is something
            else than its name says.
    """
    with open_bytes(path) as stream:
        start = stream.read(HEAD)
    form = source.format
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    content = _content(path, start)
    readers: Sequence[Reader]
    if kind in EXCEL and content in ("a page of HTML", "text"):
        readers = _called_a_workbook(path, source, content)
    elif content != "text" and kind in (*TEXT, *LINES, *CARDS):
        raise Unreadable(f"{content}, called {kind}; {_ADVICE[content]}")
    elif kind in TEXT:
        from pipelines.sources.readers.delimited import Delimited

        if _is_repaired(start):  # rows of ours, whatever the source's own files look like
            usual = {"header": None, "escape": None, "delimiter": None}
            usual |= {"encoding": None} if start.startswith(codecs.BOM_UTF8) else {}
            form = form.model_copy(update=usual)
        readers = [Delimited(path, form, "\t" if kind == ".tsv" else ",", source.withholds)]
    elif kind in LINES:
        from pipelines.sources.readers.json_file import json_parts

        readers = json_parts(path, form, source.withholds)
    elif kind in CARDS:
        from pipelines.sources.readers.vcard import VCards

        readers = [VCards(path, form, source.withholds)]
    elif kind in HTML and not is_packed(path):
        from pipelines.sources.readers.html import tables

        readers = tables(path, form)
    elif kind in EXCEL and not is_packed(path):
        from pipelines.sources.readers.excel import sheets

        readers = sheets(path, form)
    elif kind in PARQUET and not is_packed(path):
        from pipelines.sources.readers.parquet import Parquet

        if not isinstance(path, Path):
            raise Unreadable("Parquet inside an archive is not read; unpack it")
        readers = [Parquet(path, form)]
    else:
        suffixes = " ".join((*TEXT, *LINES, *CARDS, *EXCEL, *HTML, *PARQUET))
        raise Unreadable(
            f"not a kind of file Causeway reads ({suffixes} .zip; text also as .gz);"
            " convert or remove it"
        )
    return readers


_ADVICE = {
    "an Excel workbook": "rename it to .xlsx",
    "an old Excel workbook": "rename it to .xls",
    "an archive of files": "rename it to .zip",
    "a Parquet file": "rename it to .parquet",
    "a page of HTML": "rename it to .html, or export the data instead of the page",
    "a PDF": "export the data as CSV or .xlsx",
}


def _content(path: Path, start: bytes) -> str:
    """What the first bytes of a file say it is."""
    if start.startswith(_ZIP):
        return "an Excel workbook" if _is_workbook(path) else "an archive of files"
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    known = {_OLE: "an old Excel workbook", b"PAR1": "a Parquet file", b"%PDF-": "a PDF"}
    for mark, name in known.items():
        if start.startswith(mark):
            return name
    pages = (b"<!doctype html", b"<html", b"<table", b"<meta", b"<head")
    return "a page of HTML" if bare.startswith(pages) else "text"


def _is_repaired(start: bytes) -> bool:
    """Whether the first line has the column that says why rows were rejected."""
    first = start.replace(b"\0", b"").split(b"\n")[0]
    return REASONS.encode() in first.lower()


def _is_workbook(path: Path) -> bool:
    """Whether an archive holds what a workbook does; a damaged one is what it is called."""
    try:
        with open_bytes(path) as stream, zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except Unreadable:
        return path.suffix.lower() in EXCEL
    return "mimetype" in names or any(name.startswith("xl/") for name in names)


def _called_a_workbook(path: Path, source: Source, content: str) -> Sequence[Reader]:
    """What many systems export for Excel, which opens it: a page of HTML, or text with tabs."""
    readers: Sequence[Reader]
    if content == "a page of HTML":
        from pipelines.sources.readers.html import tables

        readers = tables(path, source.format)
    else:
        with open_bytes(path) as stream:
            start = stream.read(HEAD).lstrip()
        if start.startswith((b"<?xml", b"\xef\xbb\xbf<?xml")):
            raise Unreadable("an XML spreadsheet, no workbook; open it in Excel, save it as .xlsx")
        from pipelines.sources.readers.delimited import Delimited

        readers = [Delimited(path, source.format, "\t", source.withholds)]
    for one in readers:
        one.remarks.append(Remark(None, f"not a workbook but {content}, read as such"))
    return readers
