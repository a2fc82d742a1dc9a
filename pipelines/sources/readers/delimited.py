"""CSV and its kin: DuckDB reads what is well formed, Python what is not.

DuckDB reads a file in parallel and keeps its order, but tells no row's line. The line follows from
the order alone while every line break is accounted for: rows + breaks inside values = lines of the
file. Where that does not add up (blank lines, broken rows) or DuckDB stumbles, the file is read
again with Python's ``csv``, which knows each record's line and byte range.
DuckDB's own table of rejects is no way: it keeps the text of broken lines, secrets included.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.sources.model import Format
from pipelines.sources.readers.reader import Places, Unreadable, plainly_named
from pipelines.sources.readers.records import Record, load_records
from pipelines.sources.readers.text import (
    UTF8,
    Lines,
    encoding_of,
    is_packed,
    open_bytes,
    open_lines,
)
from pipelines.warehouse import csv_sql, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST = 1 << 24  # characters of one value; a quote that never closes stops here

COMMON = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Delimited:
    """One CSV, TSV or TXT file, or the same as ``.gz``."""

    path: Path
    form: Format
    usual: str = ","

    @property
    def delimiter(self) -> str:
        """What stands between its columns, as far as anybody said."""
        return self.form.delimiter or self.usual

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        return self._header(self.delimiter)[0]

    def headers_otherwise(self) -> Iterator[tuple[str, list[str]]]:
        """(delimiter, header) with each other common delimiter that would give several columns."""
        for delimiter in COMMON:
            with suppress(Unreadable):
                header, _ = self._header(delimiter)
                if delimiter != self.delimiter and len(header) > 1:
                    yield delimiter, header

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        names, lines = self._header(self.delimiter)
        codec, mark = encoding_of(self.path, self.form.encoding)
        if codec == UTF8 and len(names) > 1 and (end := _lines(self.path)) is not None:
            with plainly_named(self.path) as path:
                query = _read_sql(self, path, len(names), places)
                if _load_wholesale(connection, name, query, places, (lines, end)):
                    return
        with open_lines(self.path, codec, mark) as text:
            records = _Records(text, self, len(names), places)
            load_records(connection, name, places, records.after_header(), self.form.null_markers)
        records.judge_encoding()

    def _header(self, delimiter: str) -> tuple[list[str], int]:
        codec, mark = encoding_of(self.path, self.form.encoding)
        with open_lines(self.path, codec, mark) as lines:
            try:
                names = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
            except csv.Error:
                raise Unreadable(
                    "the quotes of the header do not close; mend the line", 1
                ) from None
            if (at := lines.broken()) is not None:
                raise Unreadable(_not_in(codec, at), 1)
            if "\0" in "".join(names):
                raise Unreadable("this is not a text file; remove it, or export it again", 1)
            if not names:
                raise Unreadable("the first line is blank; it must name the columns", 1)
            return names, len(lines.record_lines)


class _Records:
    """The records of a text file with Python's csv; a broken one is given as its defect."""

    def __init__(self, lines: Lines, file: Delimited, width: int, places: Places) -> None:
        self._lines = lines
        self._file = file
        self._width = width
        self._pick = _picker([*places.kept, *places.withheld])
        self._sound = 0  # records with signs beyond ASCII, all well encoded
        self._broken: list[tuple[int, int]] = []  # line, byte

    def after_header(self) -> Iterator[Record]:
        reader = self._reader()
        next(reader)
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
                yield self._defect("quotes that do not close, or stand inside a value")
                continue
            if values and (len(values) > 1 or self._width == 1 or values[0].strip()):
                yield self._record(values)

    def judge_encoding(self) -> None:
        """Refuse a file that is rather of another encoding than a broken one of this."""
        declared = self._file.form.encoding
        if self._broken and not declared and len(self._broken) > self._sound:
            line, at = self._broken[0]
            raise Unreadable(_not_in(UTF8, at), line)

    def _record(self, values: list[str]) -> Record:
        text = "".join(self._lines.record_lines)
        if not text.isascii():
            if (at := self._lines.broken()) is not None:
                self._broken.append((self._lines.line, at))
                return self._defect("bytes that are no text in the file's encoding")
            self._sound += 1
        while len(values) > self._width and not values[-1]:
            values.pop()  # delimiters that end a line are no columns; DuckDB says so, too
        if len(values) != self._width and not any(map(str.strip, values)):
            values = [""] * self._width  # nothing but delimiters, however many, is a blank row
        if len(values) != self._width:
            return self._defect(f"{len(values)} columns where the header has {self._width}")
        if "\0" in text:
            return self._defect("a zero byte")
        return Record(self._lines.line, self._pick(values))

    def _defect(self, reason: str) -> Record:
        return Record(self._lines.line, (), f"{reason} ({self._lines.span()})")

    def _reader(self) -> Any:
        csv.field_size_limit(LONGEST)
        return csv.reader(self._lines, delimiter=self._file.delimiter, strict=True)


def _picker(places: Sequence[int]) -> Any:
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places) if places else lambda values: ()


def _not_in(codec: str, at: int) -> str:
    return (
        f"byte {at} is no {codec}; if the file was saved by Excel or on Windows, say "
        "'format: {encoding: cp1252}' (or latin-1) for this source in sources.yaml; if only some "
        f"lines are broken, say 'format: {{encoding: {codec}}}', and they are set aside"
    )


def _lines(path: Path) -> int | None:
    """How many lines a UTF-8 file has up to its last that is not blank; None if only Python knows.

    A lone carriage return may or may not end a line, and a zero byte is nobody's text.
    """
    lines = blank = 0
    rest = b""
    with open_bytes(path) as stream:
        while chunk := stream.read(1 << 22):
            # A CRLF cut in two by a chunk's end is put together again.
            chunk = rest + chunk
            rest = chunk[-1:] if chunk.endswith(b"\r") else b""
            chunk = chunk.removesuffix(b"\r")
            if b"\0" in chunk or (b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n")):
                return None
            lines += chunk.count(b"\n")
            if ended := chunk.rstrip(b"\r\n"):
                blank = chunk.count(b"\n", len(ended))
            else:
                blank += chunk.count(b"\n")
    return None if rest else lines - blank + 1


def _load_wholesale(
    connection: DuckDBPyConnection,
    name: str,
    query: str,
    places: Places,
    lines: tuple[int, int],
) -> bool:
    """Let DuckDB read the file; False, and nothing is left behind, if a line is unaccounted for."""
    import duckdb

    connection.execute("set preserve_insertion_order = true")
    try:
        connection.execute(f"create temp table {name}_text as {query}")
    except duckdb.Error:  # whatever it stumbles over, Python tells by its line
        return False
    finally:
        connection.execute("set preserve_insertion_order = false")
    header, end = lines
    [(rows,)] = connection.execute(f"select count(*) from {name}_text").fetchall()
    broken = header + rows != end
    if broken:  # a row takes a line at least, so that otherwise each took one
        connection.execute(_breaks_sql(name, places))
        [(breaks,)] = connection.execute(_lines_sql(name)).fetchall()
        if header + rows + breaks != end:
            connection.execute(f"drop table {name}_text; drop table {name}_breaks")
            return False
    connection.execute(_view_sql(name, places, header + 1, broken))
    return True


def _read_sql(file: Delimited, path: Path, width: int, places: Places) -> str:
    """Read the kept columns of a file, which ``path`` names, too; the others are never held."""
    declared = ", ".join(f"'c{place}': 'varchar'" for place in range(width))
    nulls = ", ".join(literal(marker) for marker in ("", *file.form.null_markers))
    options = (
        f"header = true, columns = {{{declared}}}, delim = {literal(file.delimiter)},"
        f" quote = '\"', escape = '\"', nullstr = [{nulls}],"
        f" compression = '{'gzip' if is_packed(file.path) else 'none'}'"
    )
    filled = (f"(c{at} is not null) or null as w{at}" for at in places.withheld)
    columns = ", ".join([*(f"c{at}" for at in places.kept), *filled])
    return f"select {columns} from {csv_sql([path], options)}"


def _breaks_sql(name: str, places: Places) -> str:
    """Rows with line breaks inside values, and how many lines these add up to that row."""
    texts = ", ".join(f"c{place}" for place in places.kept)
    return f"""
        create temp table {name}_breaks as
        with broken as (
            select rowid as row, concat({texts}) as texts
            from {name}_text
            where contains(concat({texts}), chr(10))
        )
        select row, sum(length(texts) - length(replace(texts, chr(10), '')))
            over (order by row)::bigint as lines
        from broken"""


def _lines_sql(name: str) -> str:
    return f"select coalesce(max(lines), 0) from {name}_breaks"


def _view_sql(name: str, places: Places, first: int, broken: bool) -> str:
    """A row's line: where the first row stands, plus the rows and line breaks before it."""
    if not broken:
        return f"""
            create temp view {name} as
            select {_columns(places)}, rowid + {first} as _row, null::varchar as _defect
            from {name}_text"""
    return f"""
        create temp view {name} as
        select {_columns(places)},
            rows.rowid + {first} + coalesce(breaks.lines, 0) as _row, null::varchar as _defect
        from {name}_text as rows
        asof left join {name}_breaks as breaks on rows.rowid > breaks.row"""


def _columns(places: Places) -> str:
    return ", ".join(places.names)
