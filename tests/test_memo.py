"""A relation is made again when anything it is made from changes, and only then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.memo import Memo, memo


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    source, output = tmp_path / "source", tmp_path / "made"
    source.write_text("one")
    output.write_text("ONE")
    return source, output


def _memo(files: tuple[Path, Path], query: str = "select 1") -> Memo:
    source, output = files
    return memo(output.with_name("made_from.json"), (query, source), [output])


def _replace(path: Path, text: str) -> None:
    """As relations are replaced: under another name, then renamed."""
    other = path.with_name("other")
    other.write_text(text)
    other.replace(path)


def test_what_was_made_from_the_same_is_known_with_its_facts(files: tuple[Path, Path]) -> None:
    assert _memo(files).cached() is None
    _memo(files).keep({"rows": 3})
    assert _memo(files).cached() == {"rows": 3}


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_was_replaced_is_another_though_it_says_the_same(
    files: tuple[Path, Path], which: int
) -> None:
    _memo(files).keep()
    _replace(files[which], files[which].read_text())
    assert _memo(files).cached() is None


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_went_is_another(files: tuple[Path, Path], which: int) -> None:
    _memo(files).keep()
    files[which].unlink()
    assert _memo(files).cached() is None


def test_a_file_that_was_edited_in_place_is_another(files: tuple[Path, Path]) -> None:
    _memo(files).keep()
    files[0].write_text("two")
    os.utime(files[0], ns=(0, 0))
    assert _memo(files).cached() is None


def test_another_query_makes_another_file(files: tuple[Path, Path]) -> None:
    _memo(files).keep()
    assert _memo(files, "select 2").cached() is None
