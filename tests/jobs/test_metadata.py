"""What Dagster shows of data is text, whatever somebody wrote into a cell or called a file."""

from __future__ import annotations

import html
import re

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipelines.describe.description import Check, Description, Fact
from pipelines.metadata import check_metadata, metadata

RENDERER = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
EVIL = (
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "a\n\n<script>alert(1)</script>\n\n# h",
    "``` `` ` <b>",
    "`x` [y](z)",
    "|a|b|\n|-|-|\n|[x](y)|<i>|",
    "&lt;img&gt; &amp;",
    "\\`<img>",
    "<!-- -->",
)
TEXTS = st.sampled_from(EVIL) | st.text("`<>[]()!\\\n -#*_|&;ab", max_size=30)


def _tags(fact: Fact) -> tuple[list[str], str]:
    """The tags that a renderer makes of a fact, and the text that people see."""
    check = Check("c", True, {"fact": fact})
    value = check_metadata(check)["fact"]
    assert isinstance(value, dg.MarkdownMetadataValue)
    shown = metadata(Description("r", facts={"fact": fact}))["fact"]
    assert shown == value
    rendered = RENDERER.render(value.md_str or "")
    return re.findall(r"</?\w+", rendered), html.unescape(re.sub(r"<[^>]*>", "", rendered))


@given(text=TEXTS)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    tags, shown = _tags(text)
    assert set(tags) <= {"<p", "</p", "<code", "</code"}
    assert shown.split() == text.split()


@given(lines=st.lists(TEXTS, min_size=1, max_size=4))
def test_each_line_is_shown_as_it_is(lines: list[str]) -> None:
    tags, shown = _tags(lines)
    assert set(tags) <= {"<ul", "</ul", "<li", "</li", "<p", "</p", "<code", "</code"}
    assert tags.count("<li") == len(lines)
    assert shown.split() == " ".join(lines).split()


@pytest.mark.parametrize("number", [0, 1.5, None])
def test_numbers_stay_numbers(number: Fact) -> None:
    assert check_metadata(Check("c", True, {"fact": number})) == {"fact": number}
