"""The check of our dependencies finds what it is there for, and nothing is wrong with ours."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from pipelines.config import PROJECT

LOCK = """
[[package]]
name = "{name}"
version = "1"
source = {{ {source} }}
{files}
"""
REGISTRY = 'registry = "https://packages.example/simple"'
WHEEL = 'wheels = [{ url = "https://x/y.whl", hash = "%s" }]'


@pytest.fixture(scope="module")
def check() -> dict[str, Any]:
    return runpy.run_path(str(PROJECT / ".ci" / "dependencies.py"))


def test_ours_all_have_a_reason_and_a_hash(check: dict[str, Any]) -> None:
    pyproject, lock = (
        (PROJECT / name).read_text("utf-8") for name in ("pyproject.toml", "uv.lock")
    )
    assert list(check["without_reason"](pyproject)) == []
    assert list(check["without_hash"](lock)) == []
    assert len(lock.split("[[package]]")) > 50


def test_a_dependency_without_a_reason_is_named_with_its_line(check: dict[str, Any]) -> None:
    text = 'dependencies = [\n  "left-pad>=1",\n  # Files.\n  "a>=1", # why\n  "b>=2",\n]\n'
    assert list(check["without_reason"](text)) == [
        "pyproject.toml:2: left-pad: say in a comment what it is for"
    ]


@pytest.mark.parametrize(
    ("source", "files", "told"),
    [
        (REGISTRY, WHEEL % "sha256:ab", None),
        ('editable = "."', "", None),
        (REGISTRY, WHEEL % "", "without a hash"),
        (REGISTRY, "", "without a hash"),
        ('git = "https://x/y"', "", "not from a registry"),
    ],
)
def test_bytes_that_nobody_knows_are_named(
    check: dict[str, Any], source: str, files: str, told: str | None
) -> None:
    problems = list(check["without_hash"](LOCK.format(name="it", source=source, files=files)))
    assert (told in problems[0]) if told else problems == []
