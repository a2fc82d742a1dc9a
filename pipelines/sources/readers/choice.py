"""Which reader reads a file: its name says it."""

from __future__ import annotations

from pathlib import Path

from pipelines.sources.model import Source
from pipelines.sources.readers.reader import Reader, Unreadable
from pipelines.sources.readers.text import open_bytes

TEXT = (".csv", ".tsv", ".txt")
LINES = (".jsonl", ".ndjson", ".json")
EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PARQUET = (".parquet",)


def reader(path: Path, source: Source) -> Reader:
    """The reader for a file, by its name.

    Raises:
        Unreadable: no reader knows files of this name, or this user may not read it.
    """
    with open_bytes(path):  # whoever may not read it is told so, whatever kind of file it is
        pass
    name, form = path.name.lower(), source.format
    kind = Path(name.removesuffix(".gz")).suffix
    if kind in TEXT:
        from pipelines.sources.readers.delimited import Delimited

        return Delimited(path, form, "\t" if kind == ".tsv" else ",")
    if kind in LINES:
        from pipelines.sources.readers.json_lines import JsonLines

        return JsonLines(path, form, source.withholds)
    if kind in EXCEL and kind == path.suffix.lower():
        from pipelines.sources.readers.excel import Excel

        return Excel(path, form)
    if kind in PARQUET and kind == path.suffix.lower():
        from pipelines.sources.readers.parquet import Parquet

        return Parquet(path, form)
    suffixes = " ".join((*TEXT, *LINES, *EXCEL, *PARQUET))
    raise Unreadable(
        f"not a kind of file Causeway reads ({suffixes}; text also as .gz); convert or remove it"
    )
