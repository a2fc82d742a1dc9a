"""``decisions.csv``: every wrong line with its number; the later of two lines counts, told."""

from __future__ import annotations

import csv
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigError
from pipelines.sync.decisions import COLUMNS, Decision, Decisions, form, read_decisions

HEAD = "kind,reference,target\n"
SOURCES = ("shop", "crm", "my_list")
OTHER = "003AB00000ABcdE"


def read(folder: Path, text: str | bytes) -> Decisions:
    path = folder / "decisions.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_decisions(path, SOURCES)


def wrong(folder: Path, text: str | bytes) -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert all(problem.file.endswith("decisions.csv") for problem in caught.value.problems)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_without_a_file_nothing_is_decided(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "decisions.csv", SOURCES) == Decisions()
    assert read(tmp_path, HEAD) == Decisions()


def test_every_kind_is_read_as_people_and_spreadsheets_write_it(tmp_path: Path) -> None:
    content = (
        "\ufeffkind,reference,target,decided_by,decided_at,note\r\n"
        'same,shop:7,crm:19,ada,2026-11-05,"one woman,\r\ntwo addresses"\r\n'
        ",,,,,\r\n"
        "different, P-0F3a ,shop:a:b c\r\n"
        f"use,a-1,{OTHER}\r\n"
        "rename_ok,my_list:9,\r\n"
    )
    assert list(read(tmp_path, content).lines) == [
        Decision("same", "shop:7", "crm:19", 2),
        Decision("different", "p-0f3a", "shop:a:b c", 5),
        Decision("use", "a-1", f"{OTHER}YAT", 6),
        Decision("rename_ok", "my_list:9", None, 7),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sane,shop:7,crm:1", "unknown kind 'sane'; did you mean 'same'?"),
        ("fire,shop:7,", "unknown kind 'fire'; there are same, different, use, rename_ok"),
        (",shop:7,crm:1", "unknown kind ''; there are same, different, use, rename_ok"),
        ("same,,crm:1", "the reference is blank; same needs a source record or a person key or an"),
        ("use,shop:7,", "the target is blank; use needs an Id"),
        ("use,shop:7,crm:1", "the target 'crm:1' is a source record; use needs an Id"),
        (f"use,{OTHER},{OTHER}", "is an Id; use needs a source record or a person key or an acc"),
        ("same,a-1,crm:1", "the reference 'a-1' is an account key; same needs a source record"),
        ("rename_ok,shop:7,Bob", "rename_ok takes no target, here is 'Bob'; leave it blank"),
        (
            "same,shop:7,somebody",
            "the target 'somebody' names nothing; same needs a s",
        ),
        ("same,shop:7,:3", "the target ':3' names nothing; same needs"),
        (
            "use,shop:7,003AB00000ABcdEFGA",
            "the target '003AB00000ABcdEFGA' names nothing; use",
        ),
        ("same,shp:7,crm:1", "a source 'shp' that sources.yaml does not know; did you mean 'shop'"),
        ("same,shop:7,shop:7", "reference and target are both 'shop:7'"),
        (f"same,{OTHER},{OTHER}YAT", f"reference and target are both '{OTHER}'"),
        ("rename_ok,shop:7,,x", "4 cells, but the header names 3 columns; put a cell that has a"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    [(number, problem_text)] = wrong(tmp_path, f"{HEAD}rename_ok,shop:1,\n{line}\n")
    assert number == 3
    assert message in problem_text


def test_all_wrong_lines_are_told_at_once(tmp_path: Path) -> None:
    text = f'{HEAD}sane,a,b\n\nuse,shp:7,crm:1\nsame,shop:1,crm:1\nsame,"shop:1\nuse,,\n'
    messages = wrong(tmp_path, text)
    assert [number for number, _ in messages] == [2, 4, 4, 6]
    assert messages[-1][1].startswith("not valid CSV: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header; write kind,reference,target,decided_by,decided_at,note"),
        ("\n\n", "no header; write"),
        ("kind;reference;target\n", "the header is 'kind;reference;target'; it must begin with"),
        ("reference,kind,target\n", "it must begin with kind,reference,target"),
        ("kind,reference,target,who\n", "unknown column 'who'; there are kind, reference, target"),
        ("kind,reference,target,note,note\n", "the column 'note' stands here twice"),
        ("kind,reference,target,\n", "unknown column ''"),
        ("kind,reference,target\nsame,ä:1,b:2".encode("latin-1"), "not UTF-8 (byte 27); save it"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str | bytes, message: str) -> None:
    [(_, problem_text)] = wrong(tmp_path, text)
    assert message in problem_text


def test_the_later_of_two_lines_counts_and_the_earlier_is_told(tmp_path: Path) -> None:
    decisions = read(
        tmp_path,
        f"{HEAD}same,shop:7,crm:1\nuse,shop:7,{OTHER}\ndifferent,crm:1,shop:7\n"
        f"use,shop:7,003AB00000ABcdF\nrename_ok,shop:7,\nrename_ok,shop:7,\n",
    )
    assert [(line.kind, line.line) for line in decisions.lines] == [
        ("different", 4),
        ("use", 5),
        ("rename_ok", 7),
    ]
    assert [(problem.line, problem.message) for problem in decisions.overruled] == [
        (2, "same shop:7 crm:1 no longer counts: line 4 says different crm:1 shop:7"),
        (3, f"use shop:7 {OTHER}YAT no longer counts: line 5 says use shop:7 003AB00000ABcdFYAT"),
    ]


def test_the_digest_is_of_what_is_decided_not_of_how_it_is_written(tmp_path: Path) -> None:
    first = read(tmp_path, f"{HEAD}same,shop:7,crm:1\nrename_ok,P-1,\n")
    other = read(tmp_path, f"{','.join(COLUMNS)}\n\nrename_ok,p-1,,ada\nsame,shop:7,crm:1,,,yes\n")
    assert first.digest == other.digest
    assert read(tmp_path, f"{HEAD}same,shop:7,crm:2\nrename_ok,p-1,\n").digest != first.digest


REFERENCES = st.one_of(
    st.sampled_from(SOURCES).flatmap(
        lambda source: st.text(
            st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=9
        ).map(lambda text: unicodedata.normalize("NFC", f"{source}:{text}"))
    ),
    st.from_regex(r"p-[0-9a-f]{16}", fullmatch=True),
    st.from_regex(r"003[0-9A-Za-z]{12}", fullmatch=True),
)
PAIRS = st.tuples(st.sampled_from(["same", "different"]), REFERENCES, REFERENCES)


@given(decided=st.lists(PAIRS.filter(lambda pair: pair[1] != pair[2]), max_size=8))
def test_of_each_pair_the_last_line_counts(
    tmp_path_factory: pytest.TempPathFactory, decided: list[tuple[str, str, str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("kind", "reference", "target"), *decided])
    decisions = read(tmp_path_factory.mktemp("decisions"), text.getvalue())
    last = {frozenset((reference, target)): kind for kind, reference, target in decided}
    assert len(decisions.lines) == len(last)
    for line in decisions.lines:
        [kind] = {
            kind
            for pair, kind in last.items()
            if {short(line.reference), short(line.target or "")} == set(pair)
        }
        assert line.kind == kind
    assert len(decisions.overruled) <= len(decided) - len(decisions.lines)


def short(reference: str) -> str:
    """An Id as it was written, of 15 characters."""
    return reference[:15] if form(reference) == "an Id" else reference
