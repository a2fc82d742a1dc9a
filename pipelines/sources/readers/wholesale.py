"""A sound CSV file read by DuckDB as a whole: in parallel, in its order, with the line of each row.

DuckDB tells no row's line. The line follows from the order alone while every line break is
accounted for: rows + breaks inside values = lines of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sources.format import Format
from pipelines.sources.readers.footers import MOST, Line, start
from pipelines.sources.readers.reader import Places, trimmed_sql
from pipelines.sources.readers.text import open_bytes
from pipelines.warehouse import csv_sql, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def lines_of(path: Path) -> int | None:
    """How many lines a UTF-8 file has up to its last that is not blank; None if only Python knows.

    A lone carriage return may or may not end a line, and a zero byte or Ctrl-Z is nobody's text.
    """
    lines = blank = 0
    rest = b""
    with open_bytes(path) as stream:
        while chunk := stream.read(1 << 22):
            # A CRLF cut in two by a chunk's end is put together again.
            chunk = rest + chunk
            rest = chunk[-1:] if chunk.endswith(b"\r") else b""
            chunk = chunk.removesuffix(b"\r")
            if (
                b"\0" in chunk
                or b"\x1a" in chunk
                or (b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n"))
            ):
                return None
            lines += chunk.count(b"\n")
            if ended := chunk.rstrip(b"\r\n"):
                blank = chunk.count(b"\n", len(ended))
            else:
                blank += chunk.count(b"\n")
    return None if rest else lines - blank + 1


@dataclass(frozen=True)
class File:
    """A file as DuckDB is to read it.

    Attributes:
        form: how it is written.
        delimiter: between its columns.
        path: a name of it that is no pattern.
        packed: whether it is a ``.gz``.
        width: its columns.
        above: lines above its first row, the header among them.
        header: how many of these the header takes, at the end; 0 if there is none.
        end: its lines up to the last that is not blank.
    """

    form: Format
    delimiter: str
    path: Path
    packed: bool
    width: int
    above: int
    header: int
    end: int


def load(connection: DuckDBPyConnection, name: str, file: File, places: Places) -> list[int] | None:
    """Make the view ``name`` of a file's rows; the lines of its footer, which are not among them.

    None, and nothing is left behind, if a line is unaccounted for.
    """
    import duckdb

    connection.execute("set preserve_insertion_order = true")
    try:
        connection.execute(f"create temp table {name}_text as {_read_sql(file, places)}")
    except duckdb.Error:  # whatever it stumbles over, Python tells by its line
        return None
    finally:
        connection.execute("set preserve_insertion_order = false")
    [(rows,)] = connection.execute(f"select count(*) from {name}_text").fetchall()
    broken = file.above + rows != file.end
    if broken:  # a row takes a line at least, so that otherwise each took one
        connection.execute(_breaks_sql(name, places))
        [(breaks,)] = connection.execute(_lines_sql(name)).fetchall()
        if file.above + rows + breaks != file.end:
            connection.execute(f"drop table {name}_text; drop table {name}_breaks")
            return None
    footer = _footer(connection, name, rows)
    connection.execute(_view_sql(name, places, file.above + 1, broken))
    return [file.end - at for at in reversed(range(footer))]


def _footer(connection: DuckDBPyConnection, name: str, rows: int) -> int:
    """Take rows that are a footer away from the end; how many lines they were."""
    cells = connection.execute(_last_rows_sql(name, rows - MOST)).fetchall()
    lines = [Line(tuple(str(cell) for cell in row if cell), False, None) for row in cells]
    first = start(lines)
    if first < len(lines) and len(cells[0]) > 1:
        connection.execute(_cut_sql(name, max(rows - MOST, 0) + first))
        return sum(bool(line.cells) for line in lines[first:])
    return 0


def _last_rows_sql(name: str, first: int) -> str:
    return f"select * from {name}_text where rowid >= {first} order by rowid"


def _cut_sql(name: str, first: int) -> str:
    return f"delete from {name}_text where rowid >= {first}"


def drop_sql(name: str) -> str:
    """Take a loaded table of records away again."""
    return f"drop table {name}"


def _read_sql(file: File, places: Places) -> str:
    """Read the kept columns of a file; the others are never held."""
    declared = ", ".join(f"'c{place}': 'varchar'" for place in range(file.width))
    nulls = ", ".join(literal(marker) for marker in ("", *file.form.null_markers))
    options = (
        f"header = {str(file.header > 0).lower()}, skip = {file.above - file.header},"
        f" columns = {{{declared}}}, delim = {literal(file.delimiter)},"
        f" quote = '\"', escape = '\"', nullstr = [{nulls}],"
        f" compression = '{'gzip' if file.packed else 'none'}'"
    )
    filled = (f"({trimmed_sql(f'c{at}')} <> '') or null as w{at}" for at in places.withheld)
    columns = ", ".join([*(f"c{at}" for at in places.kept), *filled])
    return f"select {columns} from {csv_sql([file.path], options)}"


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
