"""Whatever the bytes: a file lands, its broken lines are set aside, or it is refused by name."""

from __future__ import annotations

import gzip
import json
import os
import socket
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import spelled

SOURCES = """
sources:
  lists: {entity: contacts, preset: generic}
  other: {entity: contacts, preset: generic}
"""
GOOD = "First Name,Last Name,Email\nAda,Okafor,ada@acme.example\n"
ROWS = [("Ada", "Okafor", "ada@acme.example", "é"), ("Bo", "Lind", "bo@acme.example", "a\nb")] * 40
HEADER = ("First Name", "Last Name", "Email", "Note")


def _csv() -> bytes:
    lines = [HEADER, *ROWS]
    return "".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines).encode()


def _json() -> bytes:
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in ROWS).encode()


def _parquet() -> bytes:
    path = Path("made.parquet")
    table = ", ".join(f'col{at} as "{name}"' for at, name in enumerate(HEADER))
    cells = ", ".join(f"('{a}', '{b}', '{c}', '{d}')" for a, b, c, d in ROWS)
    duckdb.execute(
        f"copy (select {table} from (values {cells}) t(col0, col1, col2, col3)) to '{path}'"
    )
    return path.read_bytes()


def _excel() -> bytes:
    """The least that is a workbook."""
    letters = [f"<row>{''.join(map(_cell, row))}</row>" for row in (HEADER, *ROWS)]
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1"'
        f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(letters)}'
        "</sheetData></worksheet>",
    }
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def _html() -> bytes:
    rows = ("".join(f"<td>{cell}</td>" for cell in row) for row in (HEADER, *ROWS))
    return f"<html><table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table></html>".encode()


def _cards() -> bytes:
    cards = (f"BEGIN:VCARD\nN:{b};{a}\nEMAIL;TYPE=WORK:{c}\nEND:VCARD\n" for a, b, c, _ in ROWS)
    return "".join(cards).encode()


def _archive() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", _csv())
        archive.writestr("b.jsonl", _json())
    return stream.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "csv": _csv,
    "jsonl": _json,
    "parquet": _parquet,
    "xlsx": _excel,
    "csv.gz": lambda: gzip.compress(_csv(), mtime=0),
    "json": lambda: json.dumps([dict(zip(HEADER, row, strict=True)) for row in ROWS]).encode(),
    "html": _html,
    "xls": _html,
    "vcf": _cards,
    "zip": _archive,
}

PIECES = st.sampled_from(
    [
        b"",
        b"\0",
        b"\xff",
        b'"',
        b"\n",
        b"\r",
        b",",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"{",
        b"\\ud83d",
        b"\\u0000",
        b"[" * 200,
        b'""',
        b"\xed\xa0\x80",
        b"PAR1",
        b"\x80" * 9,
    ]
) | st.binary(max_size=12)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), max_size=4)
"""(Where, of the whole; how many bytes go; what comes instead)."""


def _damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, piece in damage:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + length :]
    return content


@pytest.fixture(scope="module", autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Any:
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("made"))
    yield
    os.chdir(before)


@pytest.mark.parametrize("kind", KINDS)
@given(damage=DAMAGE, cut=st.floats(0.05, 1), whole=st.booleans())
@settings(deadline=None, max_examples=40)
def test_damaged_files_land_or_are_refused_and_nobody_waits_for_them(
    new_house: Any, kind: str, damage: list[tuple[float, int, bytes]], cut: float, whole: bool
) -> None:
    house = new_house()
    content = KINDS[kind]()
    content = _damaged(content[: len(content) if whole else int(cut * len(content))], damage)
    bad = house.put("lists", f"damaged.{kind}", content)
    house.put("other", "good.csv", GOOD)
    landed = house.land(house.sources(SOURCES))
    rows = house.rows("raw_contacts", "_source", "_defect", "email")
    assert [email for source, _, email in rows if source == "other"] == ["ada@acme.example"]
    refused = {problem.file for problem in landed.refused}
    assert all(file.startswith(spelled(bad)) for file in refused)
    assert all(problem.message for problem in landed.refused)
    own = [row for row in rows if row[0] == "lists"]
    assert kind == "zip" or not (own and landed.refused)  # its members are refused alone
    assert sum(count.rows for count in landed.counts) == len(rows)


def test_every_refused_file_is_named_with_why_and_what_to_do(house: Any, tmp_path: Path) -> None:
    day = house.put("lists", "sound.csv", GOOD).parent
    outside = tmp_path / "outside.csv"
    outside.write_text(GOOD)
    (day / "leaves.csv").symlink_to(outside)
    (day / "dangles.csv").symlink_to(day / "nothing")
    (day / "circle.csv").symlink_to(day / "circle.csv")
    (day / "stays.csv").symlink_to(day / "sound.csv")
    os.mkfifo(day / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        at = os.open(day, os.O_RDONLY)  # a socket's path may have a hundred characters
        listening.bind(f"/proc/self/fd/{at}/socket.csv")
        os.close(at)
    (day / "null.csv").symlink_to("/dev/null")
    house.put("lists", "empty.json", "")
    house.put("lists", "zip.parquet", "PAR1")
    reasons = {
        Path(problem.file).name: problem.message
        for problem in house.land(house.sources(SOURCES)).refused
    }
    assert {name: message.split(",")[0].split(";")[0] for name, message in reasons.items()} == {
        "leaves.csv": "a link that leaves the inbox",
        "dangles.csv": "a link to nothing that can be reached",
        "circle.csv": "a link to nothing that can be reached",
        "pipe.csv": "a FIFO",
        "socket.csv": "a socket",
        "null.csv": "a device",
        "empty.json": "the file is empty",
        "zip.parquet": "not a Parquet file",
    }
    assert [file for (file,) in house.rows("raw_contacts", "_file")] == [
        "lists/2026-11-05/sound.csv",
        "lists/2026-11-05/stays.csv",
    ]


def test_what_landed_before_stays_when_the_file_cannot_be_read_any_more(house: Any) -> None:
    config = house.sources(SOURCES)
    house.put("lists", "a.csv", GOOD)
    house.put("lists", "b.csv", GOOD.replace("Ada", "Bea"))
    house.land(config)
    before = house.rows("raw_contacts", "first_name", "_file", "_row", "_loaded_at")
    house.put("lists", "a.csv", "Color,Size\nred,9\n")
    house.put("lists", "b.csv", GOOD.replace("Ada", "Cy"))
    assert len(house.land(config).refused) == 1
    after = house.rows("raw_contacts", "first_name", "_file", "_row", "_loaded_at")
    assert (after[0], after[1][:3]) == (before[0], ("Cy", "lists/2026-11-05/b.csv", 2))
    house.put("lists", "a.csv", GOOD.replace("Ada", "Di"))
    assert house.land(config).refused == ()
    assert [name for (name,) in house.rows("raw_contacts", "first_name")] == ["Di", "Cy"]


def _land_one(house: Any, name: str, content: bytes, more: str = "") -> Any:
    text = f"sources: {{lists: {{entity: contacts, preset: generic{more}}}}}"
    house.put("lists", name, content)
    return house.land(house.sources(text))


def test_json_keeps_what_is_written_and_sets_aside_what_is_no_text(house: Any) -> None:
    lines = (
        r'{"Email": "a@b.example", "Note": [1, 2.50, "3", {"n": 1e400, "t": true}], "N": NaN}',
        r'{"Email": "\ud83d"}',
        r'{"Email": "\u0000"}',
        r'{"Email": "\\u0000"}',
        r'{"Email": "a", "Note": {"k": 1, "k": 2}}',
        r'{"Email": "a", "Email": "b"}',
        '{"Email": ' + "[" * 100 + "]" * 100 + "}",
        '{"Email": ' + "[" * 100_000,
    )
    assert _land_one(house, "a.jsonl", "\n".join(lines).encode()).refused == ()
    rows = house.rows("raw_contacts", "email", "note", "split_part(_defect, ' (', 1)")
    assert rows[0] == ("a@b.example", "1", None)
    [(extra,)] = house.rows("raw_contacts", "_extra")[:1]
    more = {"Note.2": "2.50", "Note.3": "3", "Note.4.n": "1e400", "Note.4.t": "true", "N": None}
    assert {name: text for name, text in json.loads(extra).items() if name in more} == more
    assert rows[3][:2] == (r"\u0000", None)
    assert [row[2] for row in rows[1:3] + rows[4:]] == [
        "half of a character, a surrogate without its other",
        "a zero byte",
        "a key that stands twice",
        "a key that stands twice",
        "values in values, more than 50 deep",
        "not valid JSON",
    ]


@pytest.mark.parametrize(
    ("header", "email", "extra"),
    [
        ("Email,email", "a", {"email_2": "b"}),
        ("Email,, column 2", "a", {"column 2": "b", "column 2 (2)": "c"}),
        ("E-mail,EMAIL,email", "a", {"email_2": "b", "email_3": "c"}),
        ("colour,Email,Colour", "b", {"colour": "a", "Colour (2)": "c"}),
    ],
    ids=str,
)
def test_of_columns_of_one_name_the_first_that_is_filled_counts(
    house: Any, header: str, email: str, extra: dict[str, str]
) -> None:
    cells = ",".join("abc"[: header.count(",") + 1])
    landed = _land_one(house, "a.csv", f"{header},Last Name\n{cells},x\n".encode())
    assert landed.refused == ()
    [(found, others)] = house.rows("raw_contacts", "email", "_extra")
    assert (found, json.loads(others)) == (email, extra)


def test_parquet_columns_of_any_name_are_columns(house: Any) -> None:
    columns = "'Ada' as \"First Name\", 'x' as \"Last Name\", 7 as file_row_number, 8 as rowid"
    duckdb.execute(
        f"copy (select {columns}, encode('é') as note, 'nan'::double as day) to 'a.parquet'"
    )
    _land_one(house, "day=2020-01-01.parquet", Path("a.parquet").read_bytes())
    [row] = house.rows("raw_contacts", "first_name", "note", "_extra", "_row")
    assert row == ("Ada", "é", '{"file_row_number":"7","rowid":"8","day":null}', 1)
    pq.write_table(pa.table([["a"], ["b"], ["c"]], ["Email", "email", "Last Name"]), "b.parquet")
    assert _land_one(house, "day=2020-01-01.parquet", Path("b.parquet").read_bytes()).refused == ()
    assert house.rows("raw_contacts", "email", "_extra") == [("a", '{"email_2":"b"}')]


@pytest.mark.parametrize(
    "name", ["hex", "rot13", "idna", "unicode_escape", "undefined", "zip", "x"]
)
def test_what_is_no_encoding_of_text_is_told_by_its_line(house: Any, name: str) -> None:
    from pipelines.errors import ConfigError

    with pytest.raises(ConfigError, match=r"sources.yaml:1: .*no encoding of text"):
        _land_one(house, "a.csv", GOOD.encode(), f", format: {{encoding: {name}}}")


@pytest.mark.parametrize("name", ["utf-16", "utf-32", "utf-16-be", "utf-8-sig", "utf-7", "cp037"])
def test_encodings_read_what_they_wrote_or_ask_for_a_mark(house: Any, name: str) -> None:
    text = "Email,Last Name\na@b.example,Žluťoučký\n".encode(name, "replace")
    assert _land_one(house, "a.csv", text, f", format: {{encoding: {name}}}").refused == ()
    assert house.rows("raw_contacts", "email")[0] == ("a@b.example",)


def test_utf_32_without_a_mark_is_asked_for_its_kind(house: Any) -> None:
    text = "名前,メール\n田中,あ\n".encode("utf-32-be")
    [problem] = _land_one(house, "a.csv", text, ", format: {encoding: utf-32}").refused
    assert "utf-32-le}' or" in problem.message


def test_bytes_of_a_parquet_file_that_are_no_text_refuse_it(house: Any) -> None:
    duckdb.execute("copy (select 'a@b.example' as \"Email\", '\\xFF'::blob as note) to 'c.parquet'")
    [problem] = _land_one(house, "c.parquet", Path("c.parquet").read_bytes()).refused
    assert "no UTF-8" in problem.message
