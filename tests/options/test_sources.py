"""Every key of ``sources.yaml`` changes what its rows become, or is refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.errors import ConfigError
from pipelines.sources.model import Source

MODEL = Source
NAMED: dict[str, list[Any]] = {
    "preset": ["winmo"],
    "location": ["elsewhere/{day}/*.csv", "s3://bucket/{day}/*", "mysql://shop/{day}"],
    "format.delimiter": [";"],
    "format.encoding": ["utf-16-le"],
    "format.null_markers": [["n/a"]],
    "format.sheet": ["East"],
    "format.header": [2, "none"],
    "format.timezone": ["Asia/Tokyo"],
    "columns": [{"Second": "nickname"}],
    "columns.*.column": ["nickname"],
    "ids": [["Email"]],
    "parent.source": ["fair"],
    "parent.column": ["Second"],
    "constants": [{"country": "FR"}],
    "on_bad": [{"birthdate": "reject"}, {"email": "blank"}, {"title": "reject"}],
    "groups": [{"1": "General"}, {3: "Retail"}],
    "priority": [10],
    "extract": ["full"],
    "account.into": ["All"],
    "lists.*.account.into": ["All"],
    "select.lists": [["West"], [17]],
    "select.ids": [["1"], [1], []],
}
"""Values of keys that are no switch."""

BESIDE: dict[str, Any] = {
    "parent.source": {"parent": {"source": "book", "column": "Second"}},
    "parent.column": {"parent": {"source": "fair"}},
    "as": {"as": "contact"},
    "account": {"account": {"into": "All"}},
    "lists.*.account": {"account": {"into": "Others"}},
    "enabled": {"enabled": False},
    "trust_id": {"trust_id": False},
}
"""What stands beside a key already, so that all its values are others."""

ELSEWHERE = {"sheet": "book", "priority": "fair", "numbers": "orders", "groups": "shop"}
"""The source that a key is tried at, where it says nothing to a list of people."""

LISTS = ("West", "17", 18)
"""A list by its name, and two by their ids."""


def test_every_key_of_a_source(law: Any, key: tuple[str, ...], value: Any) -> None:
    assert value is not ..., f"say in NAMED what a value of {key} may be"
    source = ELSEWHERE.get(key[-1], "crm")
    beside = BESIDE.get(".".join(key), {})
    if key == ("lists", "*", "as"):
        beside = {"as": "lead" if value == "contact" else "contact"}
    before = law.laid_over(law.sources, {source: beside})
    if value == "none":  # who is on another list that asks for the same is written for that one
        before = law.laid_over(before, {"fair": {"as": "lead"}})
    base = law.of_sources(before)
    for listed in _names(key, value):
        change = law.placed(tuple(str(listed) if part == "*" else part for part in key), value)
        after = law.laid_over(before, {source: change})
        if listed == 18:  # YAML may read an id as a number
            after[source]["lists"] = {18: after[source]["lists"]["18"]}
        if after == before:
            continue
        try:
            made = law.of_sources(after)
        except ConfigError as error:
            assert all(Path(p.file).name == "sources.yaml" and p.line for p in error.problems)
        else:
            assert made != base, f"{key}: {value!r} changes nothing"


def _names(key: tuple[str, ...], value: Any) -> tuple[Any, ...]:
    """The lists or headers at which a key is tried; a header that looks like a secret is one."""
    if key[0] == "columns":
        return ("Token" if value is False else "Second",)
    return LISTS if "*" in key else ("",)


def test_the_same_sources_make_the_same_of_the_same_rows(law: Any) -> None:
    assert law.resolved(law.project()) == law.of_sources(law.sources)
