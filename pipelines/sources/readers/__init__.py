"""Kinds of files: each reader knows one, and leaves its rows in DuckDB in the same form.

A reader tells the header of its file, and then makes a view of the file's rows: ``c0, c1, …`` for
the columns that are kept (all ``varchar``, blank = null), ``_row`` and ``_defect`` as in the raw
relations. What the header means is not its business.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines.sources.config import Format

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXT = (".csv", ".tsv", ".txt")
LINES = (".jsonl", ".ndjson", ".json")
EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PARQUET = (".parquet",)


class Unreadable(Exception):
    """A file that cannot be read at all; the text says why and what to do."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


class Reader(Protocol):
    """One file."""

    def header(self) -> list[str]:
        """The names of its columns, in order, as written.

        Raises:
            Unreadable: the file is empty, no file of its kind, or its header cannot be read.
        """

    def load(self, connection: DuckDBPyConnection, name: str, kept: Sequence[int]) -> None:
        """Make the view ``name`` of the file's rows, with the columns at the places ``kept``.

        Raises:
            Unreadable: the file turns out to be something else further down.
        """


def reader(path: Path, form: Format) -> Reader:
    """The reader for a file, by its name.

    Raises:
        Unreadable: no reader knows files of this name.
    """
    name = path.name.lower()
    kind = Path(name.removesuffix(".gz")).suffix
    if kind in TEXT:
        from pipelines.sources.readers.delimited import Delimited

        return Delimited(path, form, "\t" if kind == ".tsv" else ",")
    if kind in LINES:
        from pipelines.sources.readers.json_lines import JsonLines

        return JsonLines(path, form)
    if kind in EXCEL and kind == path.suffix.lower():
        from pipelines.sources.readers.excel import Excel

        return Excel(path, form)
    if kind in PARQUET and kind == path.suffix.lower():
        from pipelines.sources.readers.parquet import Parquet

        return Parquet(path, form)
    known = " ".join((*TEXT, *LINES, *EXCEL, *PARQUET))
    raise Unreadable(
        f"not a kind of file Causeway reads ({known}; text also as .gz); convert or remove it"
    )
