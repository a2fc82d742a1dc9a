"""CSV and its kin: DuckDB reads what is well formed, Python what is not.

DuckDB reads a file in parallel (``wholesale``). Where its rows do not account for all lines of the
file (blank lines, broken rows) or it stumbles, the file is read again with Python's ``csv``, which
knows each record's line and byte range (``text_records``).
DuckDB's own table of rejects is no way: it keeps the text of broken lines, secrets included.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipelines.sources.format import Format
from pipelines.sources.headers import is_secret
from pipelines.sources.readers import wholesale
from pipelines.sources.readers.encodings import not_in
from pipelines.sources.readers.footers import Line, rows_above
from pipelines.sources.readers.reader import (
    HEAD_LINES,
    Places,
    Remark,
    Tabular,
    Unreadable,
    footer_remarks,
    named_by_place,
    plainly_named,
)
from pipelines.sources.readers.records import load_records
from pipelines.sources.readers.text import UTF8, encoding_of, is_packed, open_lines
from pipelines.sources.readers.text_records import TextRecords, next_record

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COMMON = (",", ";", "\t", "|")

_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[;,\t]*\r?\n?', re.IGNORECASE)
"""The first line by which Excel is told the delimiter."""


class _Head(NamedTuple):
    """The names of the columns, how many lines are above the first row, and how many name them."""

    names: list[str]
    lines: int
    own: int = 0


@dataclass(frozen=True)
class Delimited:
    """One CSV, TSV or TXT file, or the same as ``.gz``."""

    path: Path
    form: Format
    usual: str = ","
    withholds: Callable[[str], bool] = is_secret
    remarks: list[Remark] = field(default_factory=list, compare=False)

    @cached_property
    def delimiter(self) -> str:
        """What stands between its columns, as far as anybody said."""
        return self.form.delimiter or self._separator or self.usual

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        return self._head().names

    def first_line(self) -> int:
        """See ``Tabular.first_line``."""
        return 2 if self._separator else 1

    def elsewhere(self) -> Iterator[tuple[Tabular, list[str]]]:
        """See ``Tabular.elsewhere``."""
        declared, separator = self.form.delimiter, self._separator
        if self.form.header == "none":
            return
        delimiters = (self.delimiter,) if declared or separator else (self.delimiter, *COMMON)
        for delimiter in dict.fromkeys(delimiters):
            for line, names in self._first_lines(delimiter):
                if self.form.header in (None, line):
                    found = {"delimiter": delimiter, "header": line}
                    yield replace(self, form=self.form.model_copy(update=found)), names

    def otherwise(self) -> Iterator[tuple[str, list[str]]]:
        """(delimiter, header) with each other common delimiter, whatever was declared."""
        for delimiter in (one for one in COMMON if one != self.delimiter):
            form = self.form.model_copy(update={"delimiter": delimiter})
            for _, names in replace(self, form=form).elsewhere():
                yield delimiter, names

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        head = self._head()
        codec, _ = self._encoding
        whole = isinstance(self.path, Path) and self.form.escape is None and len(head.names) > 1
        if whole and codec == UTF8 and (end := wholesale.lines_of(self.path)) is not None:
            with plainly_named(self.path) as path:
                file = wholesale.File(
                    self.form,
                    self.delimiter,
                    path,
                    is_packed(self.path),
                    len(head.names),
                    *(head.lines, head.own),
                    end,
                )
                footer = wholesale.load(connection, name, file, places)
            if footer is not None:
                self.remarks.extend(footer_remarks(footer))
                return
        self._load_by_python(connection, name, places, head)

    def _load_by_python(
        self, connection: DuckDBPyConnection, name: str, places: Places, head: _Head
    ) -> None:
        footer: list[Line] = []
        codec, mark = self._encoding
        with open_lines(self.path, codec, mark) as text:
            records = TextRecords(text, self.form, self.delimiter, len(head.names), places)
            rows = rows_above(records.below(head.lines), footer)
            load_records(connection, name, places, rows, self.form.null_markers)
        if records.doubtful:
            line, at = records.doubtful
            raise Unreadable(self._not_in(at), line)
        escaped = replace(self, form=self.form.model_copy(update={"escape": "backslash"}))
        if records.backslashes and not self.form.escape and escaped.is_sound(places, head):
            connection.execute(wholesale.drop_sql(name))
            message = "a backslash stands before quotes; 'format: {escape: backslash}' says so"
            self.remarks.append(Remark(records.backslashes, message))
            escaped._load_by_python(connection, name, places, head)
            return
        numbers = [line.record.row for line in footer if line.record]
        self.remarks.extend(footer_remarks(numbers))

    def is_sound(self, places: Places, head: _Head) -> bool:
        """Whether each of its lines is whole, and every backslash has a sign to escape."""
        codec, mark = self._encoding
        with open_lines(self.path, codec, mark) as text:
            records = TextRecords(text, self.form, self.delimiter, len(head.names), places)
            rows = rows_above(records.below(head.lines), [])
            return all(row.defect is None for row in rows) and not records.others

    def _head(self) -> _Head:
        at = self.form.header or self.first_line()
        if at == "none":
            for _, names in self._first_lines(self.delimiter):
                return _Head(named_by_place(len(names)), self.first_line() - 1)
            raise Unreadable("the file has no line; remove it, or export it again", 1)
        codec, mark = self._encoding
        with open_lines(self.path, codec, mark) as lines:
            for _ in range(at - 1):
                next(lines, None)
            lines.begin()
            try:
                names = next(csv.reader(lines, delimiter=self.delimiter, strict=True), [])
            except csv.Error:
                message = "the quotes of the header do not close; mend the line"
                raise Unreadable(message, at) from None
            if (broken := lines.broken()) is not None:
                raise Unreadable(self._not_in(broken), at)
            if "\0" in "".join(names):
                raise Unreadable("this is not a text file; remove it, or export it again", at)
            if not any(map(str.strip, names)):
                line = "the first line" if at == 1 else f"line {at}"
                raise Unreadable(f"{line} is blank; it must name the columns", at)
            own = len(lines.record_lines)
            return _Head(names, at - 1 + own, own)

    def _first_lines(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of the first records that are text, whatever they are."""
        codec, mark = self._encoding
        with open_lines(self.path, codec, mark) as lines:
            for _ in range(self.first_line() - 1):
                next(lines, None)
            for _ in range(HEAD_LINES):
                lines.begin()
                cells = next_record(lines, delimiter)
                if cells is None:
                    return
                if lines.broken() is None and "\0" not in "".join(cells):
                    yield lines.line, cells

    @cached_property
    def _separator(self) -> str | None:
        """The delimiter that the file itself names in its first line."""
        codec, mark = self._encoding
        with open_lines(self.path, codec, mark) as lines:
            match = _SEPARATOR.fullmatch(next(lines, ""))
        if match is None:
            return None
        if self.form.delimiter not in (None, match[1]):
            declared = self.form.delimiter
            message = f"the file says sep={match[1]}, but sources.yaml {declared!r}; remove that"
            raise Unreadable(message, 1)
        return match[1]

    @cached_property
    def _encoding(self) -> tuple[str, int]:
        return encoding_of(self.path, self.form.encoding)

    def _not_in(self, at: int) -> str:
        codec, mark = self._encoding
        with open_lines(self.path, codec, mark) as lines:
            start = "".join(line for line, _ in zip(lines, range(HEAD_LINES), strict=False))
        words = re.split(r"[,;\t|\r\n]", start)
        return not_in(self.path, codec, at, shown=not any(map(self.withholds, words)))
