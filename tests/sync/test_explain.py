"""Which source record gave a golden value: the first in the order that survivorship declares."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pipelines.sync.explain import origin, ranked

BLANK = dict.fromkeys(
    (
        "salutation", "first_name", "last_name", "title", "company", "email", "phone", "mailing",
        "other", "newsletter", "consent", "list",
    )
)  # fmt: skip


def record(source: str, **values: Any) -> dict[str, Any]:
    """A source record of which only some values matter."""
    facts = {
        "source": source,
        "source_id": "1",
        "entity": "contact",
        "priority": 10,
        "as_of": datetime(2026, 11, 5),
        "_file": f"{source}/2026-11-05/list.csv",
        "_row": 2,
    }
    return BLANK | facts | values


def test_the_better_source_comes_first_then_the_newer_record() -> None:
    office = record("office", entity="address", priority=1)
    old = record("old", as_of=datetime(2026, 1, 1))
    new, best = record("new"), record("best", priority=5, as_of=datetime(2020, 1, 1))
    order = [ranked_record["source"] for ranked_record in ranked([office, old, new, best])]
    assert order == ["best", "new", "old", "office"]


def test_who_said_something_else_is_told_once_for_each_value() -> None:
    records = [
        record("best", title="CEO"),
        record("blank"),
        record("second", title="Buyer"),
        record("third", title="Buyer"),
        record("fourth", title="CEO"),
    ]
    gave, others = origin("title", "CEO", records)
    assert gave is not None
    assert (gave.source, gave.file, gave.line) == ("best", "best/2026-11-05/list.csv", 2)
    assert [(source_value.source, source_value.value) for source_value in others] == [
        ("second", "Buyer")
    ]


def test_an_address_may_come_from_either_block() -> None:
    mailing = {"street": "1 Main St", "city": None}
    records = [record("shop", other=mailing), record("list", mailing={"street": "2 Side St"})]
    gave, others = origin("mailing_street", "1 Main St", records)
    assert gave is not None
    assert gave.source == "shop"
    assert [source_value.value for source_value in others] == ["2 Side St"]


def test_of_consent_the_last_word_counts() -> None:
    records = [
        record("shop", consent=[cell("in")], priority=1, as_of=datetime(2026, 1, 1)),
        record("news", consent=[cell("out")]),
    ]
    gave, others = origin("opted_out", "true", records)
    assert gave is not None
    assert gave.source == "news"
    assert [source_value.value for source_value in others] == ["false"]


@pytest.mark.parametrize("column", ["title", "further_addresses"])
def test_what_nobody_gave_has_no_origin(column: str) -> None:
    gave, others = origin(column, "made of several", [record("shop", title=None)])
    assert (gave, others) == (None, [])


def cell(says: str) -> dict[str, Any]:
    """A statement about e-mail."""
    return {"channels": ["email"], "says": says}
