"""The records of a text file with Python's csv; a broken one is given as its defect."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from pipelines.sources.format import Format
from pipelines.sources.readers.footers import Line
from pipelines.sources.readers.reader import Places
from pipelines.sources.readers.records import Record
from pipelines.sources.readers.text import Lines

LONGEST = 1 << 24
"""Characters of one value; a quote that never closes stops there."""

PADDING = " \t\r\n\x1a\0"
"""What ends a file of old systems: Ctrl-Z, or zero bytes up to the end of a block."""


class TextRecords:
    """The records below the header of a file, once."""

    def __init__(
        self, lines: Lines, form: Format, delimiter: str, width: int, places: Places
    ) -> None:
        self.backslashes: int | None = None
        """The line of the first broken record with a backslash in it."""
        self.others = False
        """Whether a backslash stood before a sign that needs none, where it was to escape."""
        self._lines = lines
        self._form = form
        self._delimiter = delimiter
        self._width = width
        self._pick = _picker([*places.kept, *places.withheld])
        self._sound = 0  # records with signs beyond ASCII, all well encoded
        self._broken: list[tuple[int, int]] = []  # line, byte

    def below(self, above: int) -> Iterator[Line]:
        """Every record, and blank lines as such, below the first ``above`` lines of the file."""
        for _ in range(above):
            next(self._lines, None)
        reader = self._reader()
        while True:
            self._lines.begin()
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # The next line is more likely a record of its own than a part of this one.
                self._lines.keep_first()
                reader = self._reader()
                defect = self._defect("quotes that do not close, or stand inside a value")
                yield Line(("", ""), lone=False, record=defect)
                continue
            if any(value.strip(PADDING) for value in values):
                yield self._line(values)
            else:  # one of delimiters is a row in which nothing stands, as DuckDB has it
                record = self._record(values) if values and self._width > 1 else None
                whole = record is not None and record.defect is None
                yield Line((), lone=False, record=record if whole else None)

    @property
    def doubtful(self) -> tuple[int, int] | None:
        """The first line and byte that are no text, if the file is rather of another encoding."""
        if self._broken and not self._form.encoding and len(self._broken) > self._sound:
            return self._broken[0]
        return None

    def _line(self, values: list[str]) -> Line:
        filled = len(values) - values.count("")
        cells = tuple(filter(None, values)) if filled < 9 and self._width > 1 else ("", "")
        lone = len(values) == 1
        return Line(cells, lone, self._record(values))

    def _record(self, values: list[str]) -> Record:
        text = "".join(self._lines.record_lines)
        if not text.isascii():
            if (at := self._lines.broken()) is not None:
                self._broken.append((self._lines.line, at))
                return self._defect("bytes that are no text in the file's encoding")
            self._sound += 1
        values[-1] = values[-1].rstrip("\x1a")
        while len(values) > self._width and not values[-1]:
            values.pop()  # delimiters that end a line are no columns; DuckDB says so, too
        if len(values) != self._width:
            return self._defect(f"{len(values)} columns where the header has {self._width}")
        if "\0" in text:
            return self._defect("a zero byte")
        return Record(self._lines.line, self._pick(values))

    def _defect(self, reason: str) -> Record:
        if self.backslashes is None and any("\\" in line for line in self._lines.record_lines):
            self.backslashes = self._lines.line
        return Record(self._lines.line, (), f"{reason} ({self._lines.span()})")

    def _reader(self) -> Any:
        csv.field_size_limit(LONGEST)
        delimiter = self._delimiter
        if self._form.escape is None:
            return csv.reader(self._lines, delimiter=delimiter, strict=True)
        lines = (self._without_others(line) for line in self._lines)
        return csv.reader(lines, delimiter=delimiter, escapechar="\\", strict=True)

    def _without_others(self, line: str) -> str:
        """A line whose backslashes all escape: csv drops those before any other sign."""
        if "\\" not in line:
            return line
        delimiter = self._delimiter
        special = f'"\\\r\n{delimiter}'
        nothing = re.compile(rf"(^|{re.escape(delimiter)})\\N(?=[\r\n]|{re.escape(delimiter)}|$)")
        line = nothing.sub(r"\1", line)  # who escapes so writes \N for nothing

        def escaped(match: re.Match[str]) -> str:
            self.others |= match[1] not in special
            return match[0] if match[1] in special else f"\\{match[0]}"

        return re.sub(r"\\(.|$)", escaped, line, flags=re.DOTALL)


def next_record(lines: Lines, delimiter: str) -> list[str] | None:
    """The cells of the next record, or of its first line where it is broken; None at the end."""
    csv.field_size_limit(LONGEST)
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error:
        lines.keep_first()
        return lines.record_lines[0].rstrip("\r\n").split(delimiter)


def _picker(places: Sequence[int]) -> Any:
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places) if places else lambda values: ()
