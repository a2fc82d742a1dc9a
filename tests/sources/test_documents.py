"""JSON documents, vCards and archives: nothing of them is lost, what cannot be read is named."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.readers import archive

CONTACTS = "sources: {lists: {entity: contacts, preset: generic, as: contact%s}}\n"
HEADER = "First Name,Last Name,Email\n"
MO = {"First Name": "Mo", "Email": "m@b.example"}
BO = {"First Name": "Bo", "Email": "b@b.example"}


def landed(house: Any, name: str, content: bytes | str, more: str = "") -> Any:
    house.put("lists", name, content)
    return house.land(house.sources(CONTACTS % (f", {more}" if more else "")))


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ([MO, BO], (2, 6)),
        ({"total": 2, "contacts": [MO, BO]}, (4, 8)),
        ({"data": {"items": [MO, BO], "next": None}}, (4, 8)),
        ({"pages": {"a": {"b": [MO, BO]}}, "tags": ["x"], "none": []}, (5, 9)),
    ],
)
def test_a_list_of_objects_is_read_wherever_it_stands(
    house: Any, document: Any, lines: tuple[int, int]
) -> None:
    assert landed(house, "a.json", json.dumps(document, indent=1)).refused == ()
    rows = house.rows("raw_contacts", "_row", "first_name", "email")
    assert rows == [(lines[0], "Mo", MO["Email"]), (lines[1], "Bo", BO["Email"])]
    assert landed(house, "a.json", json.dumps(document)).refused == ()
    assert [row[1:] for row in house.rows("raw_contacts", "_row", "first_name", "email")] == [
        row[1:] for row in rows
    ]


def test_a_single_object_is_a_row(house: Any) -> None:
    more = {"phones": [{"kind": "work", "number": "1"}, {"kind": "home", "number": "2"}]}
    landed(house, "a.json", json.dumps(MO | more, indent=2))
    [(name, phone, extra)] = house.rows("raw_contacts", "first_name", "phone", "_extra::varchar")
    rest = {"phones.kind": "work", "phones.2.kind": "home", "phone_2": "2"}
    assert (name, phone, json.loads(extra)) == ("Mo", "1", rest)


def test_of_two_lists_that_fit_one_must_be_named(house: Any) -> None:
    document = json.dumps({"new": [MO], "old": [BO]})
    [problem] = landed(house, "a.json", document).refused
    assert "new, old all hold rows" in problem.message
    landed(house, "a.json", document, "format: {sheet: old}")
    assert house.rows("raw_contacts", "email") == [(BO["Email"],)]


@pytest.mark.parametrize(
    "content",
    ['[{"Email": "a@b.example"},\n', '{\n "Email": "a@b.example",\n', "[{}] {}", "[" * 10**5],
)
def test_a_broken_document_is_refused_whole(house: Any, content: str) -> None:
    [_] = landed(house, "a.json", content).refused
    assert house.rows("raw_contacts", "*") == []


keys = st.sampled_from(["a", "b", "Email", "x y"])
leaves = st.one_of(
    st.none(), st.text("aé;1", max_size=4), st.integers(-(10**30), 10**30), st.booleans()
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(leaves, max_size=3),
        st.lists(st.dictionaries(keys, inner, max_size=2), min_size=1, max_size=3),
        st.lists(st.lists(leaves, max_size=2), max_size=3),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=8,
)


def distinct(value: Any, numbers: Iterator[int] | None = None) -> Any:
    """The same with no leaf twice: of two e-mail addresses that are one, one is kept."""
    numbers = numbers or count(1)
    if isinstance(value, dict):
        return {key: distinct(one, numbers) for key, one in value.items()}
    if isinstance(value, list):
        return [distinct(one, numbers) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000 + next(numbers)
    return f"{value}b{next(numbers)}" if isinstance(value, str) and value else value


def leaves_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in leaves_of(one)]
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return [text for one in value for text in leaves_of(one)]
    if isinstance(value, list):
        joined = "; ".join(text for one in value for text in leaves_of(one))
        return [joined] if joined else []
    if value is None or value == "":
        return []
    return [json.dumps(value) if not isinstance(value, str) else value]


@settings(max_examples=100, deadline=None)
@given(objects=st.lists(st.dictionaries(keys, values, max_size=3), min_size=1, max_size=4),
       indent=st.sampled_from([None, 1]), lines=st.booleans())  # fmt: skip
def test_every_value_of_every_document_lands(
    new_house: Callable[[], Any], objects: list[dict[str, Any]], indent: int | None, lines: bool
) -> None:
    house = new_house()
    objects = [distinct(one) | {"Last Name": "p"} for one in objects]
    text = "\n".join(map(json.dumps, objects)) if lines else json.dumps(objects, indent=indent)
    name = "a.jsonl" if lines else "a.json"
    assert landed(house, name, text).refused == ()
    rows = house.rows("raw_contacts", "email", "last_name", "_extra::varchar", "_defect")
    for one, (email, last, extra, defect) in zip(objects, rows, strict=True):
        if defect is None:
            rest = (json.loads(extra) if extra else {}).values()
            found, leaves = [*filter(None, [email, last, *rest])], leaves_of(one)
            assert set(found) == set(leaves)
            flags = ("true", "false")  # which say the same wherever they stand
            assert sorted(text for text in found if text not in flags) == sorted(
                text for text in leaves if text not in flags
            )
        else:
            assert "a key that stands twice" in defect


CARDS = """BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iPhone OS 17.0//EN
N:Ferrand;Mona;Jane;Dr.;PhD
FN:Dr. Mona Jane Ferrand PhD
ORG:Lark\\, Ltd;Science
TITLE:Head
EMAIL;type=INTERNET;type=HOME:mona@home.example
EMAIL;type=INTERNET;type=WORK;type=pref:mona@lark.example
item1.TEL;type=pref:+1 415 555 0142
item1.X-ABLabel:_$!<Mobile>!$_
TEL;TYPE="work,voice":+1 415
  555 0100
TEL;TYPE=WORK;TYPE=FAX:+1 415 555 0101
item2.TEL:+1 415 555 0199
item2.X-ABLabel:Assistant
ADR;TYPE=HOME:;;1 Elm;Salem;OR;97301;United States
ADR;TYPE=WORK,pref:;Suite 4;12 Pier Rd\\nDock;Monterey;CA;93940;United States
BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12
NOTE:two\\nlines
PHOTO;ENCODING=b;TYPE=JPEG:AAAA
 BBBB
X-SOCIALPROFILE;type=linkedin:https://linkedin.example/mona
END:VCARD

BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen =
M=C3=BCller
TEL;CELL;PREF:030 1
BDAY:19850302
END:VCARD
BEGIN:VCARD
VERSION:4.0
KIND:org
FN:Harbour Cafe
ORG:Harbour Cafe
TEL;VALUE=uri;TYPE="work,voice":tel:+1-415-555-0188
END:VCARD
BEGIN:VCARD
VERSION:4.0
KIND:group
FN:Friends
END:VCARD
"""


@pytest.mark.parametrize("name", ["a.vcf", "a.vcf.gz"])
def test_cards_of_every_version_are_rows(house: Any, name: str) -> None:
    content = CARDS.replace("\n", "\r\n").encode()
    result = landed(house, name, gzip.compress(content) if name.endswith(".gz") else content)
    assert [one.message for one in result.remarks] == [
        "1 groups are no people, and not read",
        "1 pictures, sounds and keys are not read",
    ]
    columns = ("_row", "prefix", "first_name", "last_name", "company", "email", "mobile_phone")
    assert house.rows("raw_contacts", *columns) == [
        (1, "Dr.", "Mona", "Ferrand", "Lark, Ltd", "mona@lark.example", "+1 415 555 0142"),
        (26, None, "Jürgen", "Müller", None, None, "030 1"),
        (34, None, None, None, "Harbour Cafe", None, None),
    ]
    columns = (
        "name",
        "department",
        "phone",
        "fax",
        "street",
        "street2",
        "city",
        "birthdate",
        "note",
    )
    assert house.rows("raw_contacts", *columns) == [
        ("Dr. Mona Jane Ferrand PhD", "Science", "+1 415 555 0100", "+1 415 555 0101",
         "12 Pier Rd\nDock", "Suite 4", "Monterey", "--04-12", "two\nlines"),
        ("Jürgen Müller", *[None] * 6, "1985-03-02", None),
        (None, None, "+1-415-555-0188", *[None] * 6),
    ]  # fmt: skip
    [extra, *_] = [
        json.loads(one) for (one,) in house.rows("raw_contacts", "_extra::varchar") if one
    ]
    kept = {"email_2": "mona@home.example", "Phone assistant": "+1 415 555 0199"}
    assert kept.items() <= extra.items()
    assert ("Salem",) in house.rows("raw_contacts", "other_city")


def test_lines_that_are_none_of_a_card_are_set_aside(house: Any) -> None:
    text = "junk\nBEGIN:VCARD\nFN:Mo Li\nno property\nEND:VCARD\nBEGIN:VCARD\nFN:Bo Li\n"
    landed(house, "a.vcf", text)
    assert house.rows("raw_contacts", "_row", "_defect") == [
        (1, "a line that is in no card (line 1)"),
        (2, "a line that is none of a card's (line 4)"),
        (6, "a card without an end"),
    ]


def packed(**members: str | bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return stream.getvalue()


def test_members_of_an_archive_are_read_as_files_and_refused_alone(house: Any) -> None:
    people = HEADER + 'Mo,"Li\nWu",m@b.example\n'
    content = packed(**{
        "lists/a.csv": people,
        "b.json": json.dumps([BO]),
        "readme.doc": "x",
        "__MACOSX/._a.csv": "x",
        ".DS_Store": "x",
        "c.csv": "Colour\nred\n",
    })  # fmt: skip
    result = landed(house, "all.zip", content)
    assert sorted(Path(one.file).name for one in result.refused) == ["c.csv", "readme.doc"]
    assert house.rows("raw_contacts", "_file", "_row", "last_name", "email") == [
        ("lists/2026-11-05/all.zip/b.json", 1, None, "b@b.example"),
        ("lists/2026-11-05/all.zip/lists/a.csv", 2, "Li\nWu", "m@b.example"),
    ]
    before = house.rows("raw_contacts", "_file", "email")
    assert len(landed(house, "all.zip", content[:-30]).refused) == 1
    assert house.rows("raw_contacts", "_file", "email") == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (packed(**{"../a.csv": HEADER}), "leads out of the archive"),
        (packed(**{"/a.csv": HEADER}), "leads out of the archive"),
        (packed(**{"a.zip": packed(b=HEADER)}), "is an archive; unpack it"),
        (packed(**{"a.csv.gz": b""}), "is an archive; unpack it"),
        (packed(**{"a.csv": HEADER + "x" * 10**7}), "packed more than 200 times"),
        (packed(), "the archive is empty"),
        (packed(**{str(at): "x" for at in range(archive.MEMBERS + 1)}), "more than 1,000 files"),
        (b"PK\x03\x04no archive", "damaged or cut short"),
    ],
)
def test_archives_that_are_not_read_say_why(house: Any, content: bytes, message: str) -> None:
    [problem] = landed(house, "a.zip", content).refused
    assert message in problem.message


def test_an_archive_with_a_password_is_refused(house: Any) -> None:
    content = bytearray(packed(**{"a.csv": HEADER}))
    at = content.index(b"PK\x01\x02")
    content[6] |= 1
    content[at + 8] |= 1
    [problem] = landed(house, "a.zip", bytes(content)).refused
    assert "has a password" in problem.message


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "太郎,山田,t@b.example\n花子,鈴木,h@b.example\n"),
        ("cp1251", "Иван,Петров,i@b.example\nАнна,Смирнова,a@b.example\n"),
        ("cp1250", "Jiří,Šťastný,j@b.example\nŽofie,Nováková,z@b.example\n"),
        ("mac-roman", "Renée,Dubois,r@b.example\nJosé,Peña,j@b.example\n"),
        ("cp1252", "Zoë,Müller,z@b.example\nBjörn,Åkesson,b@b.example\n"),
    ],
)
def test_encodings_that_fit_are_proposed_with_what_they_make_of_it(
    house: Any, encoding: str, text: str
) -> None:
    [problem] = landed(house, "a.csv", (HEADER + text).encode(encoding)).refused
    assert f"say 'format: {{encoding: {encoding}}}'" in problem.message
    assert any(f"{encoding} {line!r}" in problem.message for line in text.splitlines())
    assert (
        landed(
            house, "a.csv", (HEADER + text).encode(encoding), f"format: {{encoding: {encoding}}}"
        ).refused
        == ()
    )
    assert house.rows("raw_contacts", "first_name")[0] == (text.partition(",")[0],)


def test_a_file_with_secrets_shows_no_line_of_itself(house: Any) -> None:
    text = "Email,Password\né@b.example,hünter2\nü@b.example,x\n".encode("cp1252")
    [problem] = landed(house, "a.csv", text).refused
    assert "cp1252" in problem.message
    assert "nter2" not in problem.message


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["Žofie Nováková", "太郎 山田", "Ann Lee"])
def test_utf_16_without_a_mark_is_seen(house: Any, codec: str, name: str) -> None:
    text = f"Name,Email,Straße\n{name},m@b.example,{'鈴' * 40}\n"
    assert landed(house, "a.csv", text.encode(codec)).refused == ()
    assert house.rows("raw_contacts", "name", "email") == [(name, "m@b.example")]
