"""Rows of text files: what they say, and on which line they start."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sources.format import Format
from pipelines.sources.readers import wholesale
from pipelines.sources.readers.delimited import Delimited
from pipelines.sources.readers.reader import Places

LISTS = "sources: {lists: {entity: contacts, preset: generic}}\n"

values = st.text(st.sampled_from('ab ,;"\n\réü#'), max_size=6)
unix_values = st.text(st.sampled_from('ab ,;"\néü#\\'), max_size=6)
ends = st.sampled_from(["\n", "\r\n"])


def line_of(row: list[str], end: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator=end).writerow(row)
    return stream.getvalue()


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file of three columns with sound records, blank lines, and records of other lengths."""
    end = draw(ends)
    sound = st.lists(values, min_size=3, max_size=3)
    ragged = st.lists(values, min_size=2, max_size=5)
    lines = st.one_of(
        sound.map(lambda row: line_of(row, end)),
        sound.map(lambda row: line_of(row, end)),
        ragged.map(lambda row: line_of(row, end)),
        st.just(end),
    )
    body = draw(st.lists(lines, max_size=12))
    return line_of(["x", "y", "z"], end) + "".join(body)


def by_python(text: str) -> list[tuple[Any, ...]]:
    """(line, values or None) of every record, by Python's csv alone."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    records: list[tuple[Any, ...]] = []
    line = reader.line_num + 1
    for row in reader:
        cut = row if any(row[3:]) else row[:3]  # delimiters that end the line
        if len(cut) == 3 or any(map(str.strip, row)):
            bare = tuple(value or None for value in cut)
            blank = not any(map(str.strip, row))
            whole = (None,) * 3 if blank and len(cut) != 3 else bare
            records.append((line, whole if blank or len(cut) == 3 else None))
        line = reader.line_num + 1
    return records


def loaded(house: Any, content: bytes, form: Format | None = None) -> list[tuple[Any, ...]]:
    path = house.put("lists", "file.csv", content)
    with house.warehouse.connect() as connection:
        Delimited(path, form or Format(null_markers=())).load(connection, "rows", Places([0, 1, 2]))
        rows = connection.execute(
            "select _row, c0, c1, c2, _defect from rows order by _row"
        ).fetchall()
    return [(row[0], None if row[4] else row[1:4]) for row in rows]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=files())
def test_rows_and_lines_are_those_of_pythons_csv(new_house: Callable[[], Any], text: str) -> None:
    assert loaded(new_house(), text.encode()) == by_python(text)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(unix_values, min_size=2, max_size=2), max_size=12), end=ends)
def test_duckdb_reads_sound_files_alone(
    new_house: Callable[[], Any], rows: list[list[str]], end: str
) -> None:
    """No sound file takes the slow way, whatever stands in its quotes."""
    text = line_of(["x", "y", "z"], end) + "".join(line_of([*row, "."], end) for row in rows)
    house = new_house()
    path = house.put("lists", "file.csv", text)
    file = Delimited(path, Format(null_markers=()))
    end = wholesale.lines_of(path)
    assert end is not None
    whole = wholesale.File(file.form, ",", path, False, 3, 1, 1, end)
    with house.warehouse.connect() as connection:
        assert wholesale.load(connection, "rows", whole, Places([0, 1, 2])) == []
        read = connection.execute("select _row, c0, c1, c2 from rows order by _row").fetchall()
    assert [(row[0], row[1:]) for row in read] == by_python(text)


def test_a_large_file_keeps_its_order_and_lines(house: Any) -> None:
    """Several of DuckDB's buffers, read in parallel, and line breaks inside values."""
    rows = 400_000
    path = house.put("lists", "file.csv", "")
    duckdb.execute(f"""
        copy (
            select i as x,
                case when i % 1000 = 7 then 'two' || chr(10) || 'lines' else 'one' end as y,
                repeat('filling ', 12) as z
            from range({rows}) t(i)
        ) to '{path}' (header, force_quote (y))""")
    with house.warehouse.connect() as connection:
        Delimited(path, Format()).load(connection, "rows", Places([0, 1, 2]))
        [(count, wrong)] = connection.execute("""
            select count(*), count(*) filter (_row <> 2 + c0::int + (c0::int + 992) // 1000)
            from rows""").fetchall()
    assert (count, wrong) == (rows, 0)


def test_broken_lines_are_kept_as_line_bytes_and_reason(house: Any) -> None:
    house.put(
        "lists",
        "people.csv",
        b"First Name,Last Name,Email\n"
        b"Ann,Lee,ann@example.com\n"
        b"too,few\n"
        b'Bob,"May"x,bob@example.com\n'
        b"C\xc3\xa9sar,Roy,c@example.com\n"
        b"D\xe9d\xe9,Roy,d@example.com\n"
        b'Eve,"Open,eve@example.com\n'
        b"Fay,Fox,fay@example.com\n"
        b"one,two,many,columns\n",
    )
    landed = house.land(house.sources(LISTS))
    assert house.rows("raw_contacts", "_row", "first_name", "_defect") == [
        (2, "Ann", None),
        (3, None, "2 columns where the header has 3 (bytes 51-59)"),
        (4, None, "quotes that do not close, or stand inside a value (bytes 59-86)"),
        (5, "César", None),
        (6, None, "bytes that are no text in the file's encoding (bytes 111-134)"),
        (7, None, "quotes that do not close, or stand inside a value (bytes 134-160)"),
        (8, "Fay", None),
        (9, None, "4 columns where the header has 3 (bytes 184-205)"),
    ]
    [count] = landed.counts
    assert (count.files, count.rows, count.defects) == (1, 8, 5)


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("latin-1", ", format: {encoding: latin-1}"),
        ("cp1252", ", format: {encoding: cp1252}"),
        ("utf-16", ", format: {encoding: utf-16}"),
    ],
)
@pytest.mark.parametrize("mark", [False, True])
def test_encodings(house: Any, encoding: str, form: str, mark: bool) -> None:
    text = "First Name,Last Name\nZoë,Müller\n\nÅsa,Ö\n"
    mark = mark and encoding in ("utf-16-le", "utf-16-be")
    house.put("lists", "people.csv", ("\ufeff" * mark + text).encode(encoding))
    house.land(house.sources(LISTS.replace("}}", form + "}}")))
    assert house.rows("raw_contacts", "_row", "first_name", "last_name") == [
        (2, "Zoë", "Müller"),
        (4, "Åsa", "Ö"),
    ]


def test_latin_1_that_nobody_declared_is_refused_with_its_place(house: Any) -> None:
    path = house.put(
        "lists", "people.csv", "First Name,Last Name\nAnn,Lee\nZoë,Lee\n".encode("latin-1")
    )
    [problem] = house.land(house.sources(LISTS)).refused
    assert (problem.file, problem.line) == (str(path), 3)
    assert "byte 31 is no utf-8" in problem.message
    assert "encoding: cp1252" in problem.message
    house.land(house.sources(LISTS.replace("}}", ", format: {encoding: latin-1}}}")))
    assert house.rows("raw_contacts", "first_name") == [("Ann",), ("Zoë",)]


def test_null_markers_and_blanks_are_nothing(house: Any) -> None:
    header = "First Name,Last Name,City,Phone,Note\n"
    content = header + 'NULL,"NULL",#N/A,\\N,""\nNull,Nullmann,N/A,x,"a ""b"""\n'
    house.put("lists", "fast.csv", content)
    house.put("lists", "slow.csv", content + "\n\nbroken\n")
    house.land(house.sources(LISTS))
    rows = house.rows("raw_contacts", "first_name", "last_name", "city", "phone", "note")
    sound = ("Null", "Nullmann", "N/A", "x", 'a "b"')
    assert rows == [sound, sound, (None,) * 5]  # the last is the broken line


def test_delimiters_and_archives(house: Any) -> None:
    house.put("lists", "a.tsv", "First Name\tLast Name\nAnn\tLee, Jr.\n")
    house.put(
        "lists", "b.csv.gz", gzip.compress(b'First Name,Last Name\nBob,"two\nlines"\nCy,Lee\n')
    )
    house.land(house.sources(LISTS))
    assert house.rows("raw_contacts", "_file", "_row", "first_name", "last_name") == [
        ("lists/2026-11-05/a.tsv", 2, "Ann", "Lee, Jr."),
        ("lists/2026-11-05/b.csv.gz", 2, "Bob", "two\nlines"),
        ("lists/2026-11-05/b.csv.gz", 4, "Cy", "Lee"),
    ]


def test_one_column_and_a_header_of_several_lines(house: Any) -> None:
    house.put("lists", "a.csv", "Email\na@example.com\n\nb@example.com\n")
    house.put("lists", "b.csv", '"First\nName",Last Name\nAnn,Lee\n')
    house.land(house.sources(LISTS))
    assert house.rows("raw_contacts", "_row", "email", "first_name") == [
        (2, "a@example.com", None),
        (4, "b@example.com", None),
        (3, None, "Ann"),
    ]
