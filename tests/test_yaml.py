"""YAML that people write: whatever it is, it is read or refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field

from pipelines.config import Frozen, parse_partly, read_model, read_yaml
from pipelines.errors import ConfigError
from pipelines.nearest import nearest

PIECES = st.sampled_from(
    ["a", "b: 1", "c:", "- x", "[", "]", "{", "}", ",", ":", "&x", "*x", "<<: *x", "!!int", "'",
     '"', "2026-02-30", "2026-13-01 10:00:00", "~", "yes", "0x", "1e9999", "? [a]", "#", "|",
     "\n", "\n  ", "---\n", "%", "\0", "\t", "\ufeff", "!!python/name:os.system",
     "NO: 1", "!!binary x", "@"]
)  # fmt: skip


class Inner(Frozen):
    """A part of a document."""

    colour: str = "red"
    size: int = 1


class Outer(Frozen):
    """A document."""

    inner: Inner = Inner()
    parts: dict[str, Inner] = Field({})
    number: int = 0


@settings(deadline=None, max_examples=300)
@given(text=st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20))
@example(text="a: &x [*x]")
@example(text="start: 2026-02-30")
@example(text="{[a]: 1}")
@example(text="[" * 5000)
@example(text="!!bool x: 1")
def test_any_text_is_read_or_refused(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        document, lines = read_yaml(path)
    except ConfigError as error:
        assert all(problem.file == str(path) for problem in error.problems)
    else:
        assert all(line >= 1 for line in lines.values())
        assert not isinstance(document, dict) or all(isinstance(key, str) for key in document)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        read_yaml(tmp_path)


KEYS = ["colour", "size", "inner", "parts", "number", "colur", "siez", "numbr", "inner_"]


@given(
    top=st.dictionaries(st.sampled_from(KEYS), st.just({})),
    below=st.dictionaries(st.sampled_from(KEYS), st.just(1), min_size=1),
)
@settings(deadline=None)
def test_what_is_meant_is_another_word_that_may_stand_there(
    tmp_path_factory: Any, top: dict[str, Any], below: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "keys.yaml"
    parts = [f"{key}: {{}}" for key in top if key not in ("parts", "number")]
    path.write_text("\n".join([*parts, f"parts: {{p: {below}}}".replace("'", "")]))
    try:
        read_model(path, Outer)
    except ConfigError as error:
        for problem in error.problems:
            _, unknown, rest = (problem.message + "''").split("'", 2)
            if "did you mean" in rest:
                meant = rest.split("'")[1]
                here = Inner if unknown in below and problem.line == len(parts) + 1 else Outer
                assert meant != unknown
                assert meant in here.model_fields


@given(st.text(max_size=8), st.lists(st.text(max_size=8)))
def test_never_the_word_itself(word: str, choices: list[str]) -> None:
    meant = nearest(word, choices)
    assert meant is None or (meant != word and meant in choices)
    assert nearest("Email", ["Email", "email"]) == "email"


def test_what_is_right_of_a_document_is_read_beside_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "partly.yaml"
    path.write_text("parts:\n  a: {size: x, colour: blue}\n  b: {siez: 2, size: 3}\nnumbr: 1\n")
    document, lines = read_yaml(path)
    left_out: set[Any] = set()
    outer, problems = parse_partly(document, lines, path, Outer, left_out)
    assert outer == Outer(parts={"a": Inner(colour="blue"), "b": Inner(size=3)})
    assert sorted(problem.line or 0 for problem in problems) == [2, 3, 4]
    assert left_out == {("parts", "a", "size"), ("parts", "b", "siez"), ("numbr",)}
