"""Reading an uploaded CSV by the Bulk API's rules (api-facts 3.3 and 3.4)."""

import csv
import io
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.local_org.catalog.model import literal
from pipelines.local_org.files import matching

DELIMITERS = {
    "COMMA": ",",
    "TAB": "\t",
    "SEMICOLON": ";",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}
BLOCK = 16_384
"""Rows that one thread works on at a time."""
NULL_TEXT = "#N/A"
NO_RECORDS = "InvalidBatch : Records not found"
UNESCAPED = (
    "InvalidBatch : Failed to parse CSV. Found unescaped quote. "
    "A value with quote should be within a quote"
)


class BadFile(Exception):
    """The file as a whole is refused; the text is the job's `errorMessage`."""


@dataclass(frozen=True)
class CsvFile:
    """An uploaded file and how it is written."""

    path: Path
    delimiter: str
    line_ending: str  # LF or CRLF

    def header(self) -> list[str]:
        """The names in the first line.

        Raises:
            BadFile: the file is empty, or its line ends are not those of the job.
        """
        self._check_line_ends()
        with self.path.open("rb") as file:
            first = file.readline().decode("utf-8", errors="replace")
        if not first.strip():
            raise BadFile(NO_RECORDS)
        if '"' in first and not first.startswith('"') and first.lstrip("\ufeff").startswith('"'):
            raise BadFile(UNESCAPED)
        names = next(csv.reader(io.StringIO(first), delimiter=DELIMITERS[self.delimiter]))
        return [name.strip("\r\n") for name in names]

    def batches(self, width: int, rows: int, skip: int = 0) -> Iterator[pa.Table]:
        """The rows from `skip` on, in order, as tables of `rows` rows, the last perhaps of fewer.

        Columns: `_row` (bigint, from `skip` on), `c0` … (text; null for empty; `chr(0)` for
        `#N/A`).

        Raises:
            BadFile: a row is no CSV, or no UTF-8.
        """
        if skip == 0:
            self._check_quotes()
        columns = ", ".join(f"'c{i}': 'varchar'" for i in range(width))
        values = ", ".join(
            f"case c{i} when {literal(NULL_TEXT)} then chr(0) else c{i} end as c{i}"
            for i in range(width)
        )
        # Naming CRLF in strict mode makes DuckDB 2.0 read nothing; unnamed it is recognised.
        new_line = r"new_line = '\n', " if self.line_ending == "LF" else ""
        sql = (
            f"select {values} from read_csv({literal(matching(self.path))}, "
            f"columns = {{{columns}}}, header = true, auto_detect = false, "
            f"hive_partitioning = false, delim = {literal(DELIMITERS[self.delimiter])}, "
            f"quote = '\"', escape = '\"', {new_line}strict_mode = true, "
            f"max_line_size = 4000000) offset {skip}"
        )
        first = skip
        with duckdb.connect() as connection:
            connection.execute("set enable_progress_bar = false")
            try:
                for table in _steps(connection.sql(sql).to_arrow_reader(BLOCK), rows):
                    numbers = pa.array(range(first, first + table.num_rows), type=pa.int64())
                    first += table.num_rows
                    yield table.add_column(0, "_row", numbers)
            except duckdb.Error as error:
                raise BadFile(_reason(str(error))) from error

    def _check_quotes(self) -> None:
        """Refuse a file in which a quote stands elsewhere than around a value or doubled in it.

        Quotes alternate: one that opens a value, or is the second of two, follows a delimiter, a
        line's end or a quote; the next one closes it, or is the first of two.
        """
        before_open = np.zeros(256, dtype=bool)
        before_open[[ord(DELIMITERS[self.delimiter]), *b'\n"']] = True
        after_close = before_open.copy()
        after_close[ord("\r")] = True
        with (
            self.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            if content.find(b'"') < 0:
                return
            octets = np.frombuffer(content[:], dtype=np.uint8)
        quotes = np.flatnonzero(octets == ord('"'))
        opens, closes = quotes[0::2], quotes[1::2]
        before = octets[opens[opens > 0] - 1]
        after = octets[closes[closes < len(octets) - 1] + 1]
        if not (before_open[before].all() and after_close[after].all()):
            raise BadFile(UNESCAPED)

    def _check_line_ends(self) -> None:
        if self.path.stat().st_size == 0:
            raise BadFile(NO_RECORDS)
        with (
            self.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            carriage = content.find(b"\r\n") >= 0
            first_end = content.find(b"\n")
            bare = first_end > 0 and content[first_end - 1] != 13
        wrong = carriage if self.line_ending == "LF" else bare
        if wrong:
            raise BadFile(
                "ClientInputError : LineEnding is invalid on user data. "
                f"Current LineEnding setting is {self.line_ending}"
            )


def _steps(blocks: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Blocks of any size as tables of exactly `rows` rows; the last may have fewer."""
    slices: list[pa.RecordBatch] = []
    remaining = rows
    for block in blocks:
        start = 0
        while block.num_rows - start >= remaining:
            yield pa.Table.from_batches([*slices, block.slice(start, remaining)])
            slices, start, remaining = [], start + remaining, rows
        if start < block.num_rows:
            slices.append(block.slice(start))
            remaining -= block.num_rows - start
    if slices:
        yield pa.Table.from_batches(slices)


def _reason(problem: str) -> str:
    lowered = problem.lower()
    if "columns" in lowered and "expected number" in lowered:
        return "InvalidBatch : Failed to parse CSV. A row has more or fewer values than the header"
    if "utf-8" in lowered or "unicode" in lowered:
        return "InvalidBatch : Failed to parse CSV. The data is not UTF-8"
    return UNESCAPED
