"""YAML that people write: every problem at once, each with its line."""

import time
import tracemalloc
from pathlib import Path

import pytest

from pipelines.config import Frozen, read_model
from pipelines.errors import ConfigError


class Inner(Frozen):
    depth: int
    name: str = "x"


class Outer(Frozen):
    title: str
    inner: Inner
    items: tuple[int, ...] = ()


def problems(tmp_path: Path, text: str) -> list[tuple[int | None, str]]:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_model(path, Outer)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("title: t\ninner: {depth: 2}\nitems: [1, 2]\n")
    assert read_model(path, Outer) == Outer(title="t", inner=Inner(depth=2), items=(1, 2))


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    text = "titel: t\ninner:\n  depth: deep\n  nmae: y\nitems:\n  - 1\n  - two\n"
    assert problems(tmp_path, text) == [
        (1, "the key 'title' is missing"),
        (1, "unknown key 'titel'; did you mean 'title'?"),
        (3, "inner.depth: Input should be a valid integer, unable to parse string as an integer"),
        (4, "unknown key 'nmae'; did you mean 'name'?"),
        (7, "items.1: Input should be a valid integer, unable to parse string as an integer"),
    ]


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    [(line, message)] = problems(tmp_path, "title: a\ninner: {depth: 1}\ntitle: b\n")
    assert (line, message) == (3, "not valid YAML: the key 'title' stands here twice")


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
MERGES = "a0: &a0 {k: x}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: x}}\n" for n in range(1, 30)
)
BAD = {
    "aliases": (BOMB, 4, "aliases repeat more than 10,000 values"),
    "merges": (MERGES, 5, "aliases repeat more than 10,000 values"),
    "itself": ("title: &t\n  - *t\n", 2, "*t stands inside what it repeats"),
    "flow": ("title: t\nitems: " + "[" * 100_000, 2, "more than 50 deep"),
    "maps": ("title: t\nitems: " + "{a: " * 100_000, 2, "more than 50 deep"),
    "dashes": ("title: t\nitems:\n" + "- " * 100_000 + "x", 3, "more than 50 deep"),
    "questions": ("? " * 100_000 + "x", 1, "more than 50 deep"),
    "a list as key": ("title: t\n? [1, 2]\n: x\n", 2, "a key must be one value"),
    "no day": ("title: t\ninner: {depth: 2026-13-45}\n", 2, "month must be in 1..12"),
    "no number": ("title: t\nitems:\n  - " + "9" * 5000, 3, "4300 digits"),
}


@pytest.mark.parametrize("text,line,message", BAD.values(), ids=BAD)
def test_what_is_endless_in_memory_is_told_by_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    tracemalloc.start()
    started = time.process_time()
    [(found_line, found_message)] = problems(tmp_path, text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found_line == line
    assert message in found_message
    assert most < 20_000_000
    assert time.process_time() - started < 2


def test_a_few_aliases_are_what_they_repeat(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("title: &t t\ninner: {depth: 2, name: *t}\n")
    assert read_model(path, Outer).inner.name == "t"


def test_broken_yaml_says_where(tmp_path: Path) -> None:
    [(line, message)] = problems(tmp_path, "title: [a\ninner: {depth: 1}\n")
    assert line == 2
    assert message.startswith("not valid YAML")


def test_an_empty_file_misses_everything(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == [
        (1, "the key 'inner' is missing"),
        (1, "the key 'title' is missing"),
    ]


def test_a_missing_file_and_a_wrong_encoding_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: this file is missing"):
        read_model(tmp_path / "none.yaml", Outer)
    (tmp_path / "latin.yaml").write_bytes("title: \xe9".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: not UTF-8"):
        read_model(tmp_path / "latin.yaml", Outer)
