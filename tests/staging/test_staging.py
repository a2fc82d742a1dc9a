"""Each staged relation against its cases (given rows → expected rows), and laws they all keep."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.config import PROJECT
from pipelines.sources.relations import ORIGIN, RAW

CASES = Path(__file__).parent / "cases"
STAGED = sorted(path.stem for path in (PROJECT / "assets/staging").glob("stg_*.sql"))
MACROS = yaml.safe_load((CASES / "macros.yaml").read_text(encoding="utf-8"))


def cases() -> list[Any]:
    return [
        pytest.param(relation, case, id=f"{relation}: {case['name']}")
        for relation in STAGED
        for case in yaml.safe_load((CASES / f"{relation}.yaml").read_text(encoding="utf-8"))
    ]


def plain(value: Any) -> Any:
    """A value as YAML would write it."""
    if isinstance(value, date | datetime):
        return value.isoformat(*[" "] if isinstance(value, datetime) else [])
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize(("relation", "case"), cases())
def test_case(stage: Any, relation: str, case: dict[str, Any]) -> None:
    staged = stage(relation, case["given"])
    staged_values = [
        {name: plain(row[name]) for name in expected}
        for row, expected in zip(staged, case["expect"], strict=True)
    ]
    assert staged_values == case["expect"]


@pytest.mark.parametrize(
    ("macro", "given", "expected"),
    [(macro, *pair) for macro, pairs in MACROS.items() for pair in pairs],
)
def test_macro(connection: Any, macro: str, given: str | None, expected: Any) -> None:
    name, *declared = macro.split(", ")
    call = f"{name}({', '.join(('$1::varchar', *declared))})"
    [(value,)] = connection.execute(f"select {call}", [given]).fetchall()
    assert plain(value) == expected


def test_every_raw_relation_is_staged() -> None:
    assert [name.replace("raw_", "stg_") for name in sorted(RAW)] == STAGED


@pytest.mark.parametrize("relation", STAGED)
def test_what_is_cast_keeps_its_text(connection: Any, stage: Any, relation: str) -> None:
    stage(relation, [])
    query = (PROJECT / f"assets/staging/{relation}.sql").read_text(encoding="utf-8")
    kinds = {row[0]: row[1] for row in connection.execute(f"describe {query}").fetchall()}
    cast = {name for name, kind in kinds.items() if kind != "VARCHAR" and not name.startswith("_")}
    told_otherwise = {"as_of", "is_customer", "alias_ids", "consent"}  # made from several columns
    assert {f"{name}_text" for name in cast - told_otherwise} <= kinds.keys()
    assert list(kinds)[-5:] == ["_source", "_file", "_row", "_batch", "_defect"]


@pytest.mark.parametrize("relation", STAGED)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_lands_is_staged_once(stage: Any, relation: str, data: st.DataObject) -> None:
    """One row in, one row out, whatever the text; an id depends on the row alone."""
    value = st.none() | st.text(max_size=12) | st.sampled_from([" ", "0", "1", "2026-01-02", "NaN"])
    row = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(RAW[relation.replace("stg", "raw")], value)
    )
    landed = data.draw(st.lists(row, max_size=5))

    staged = stage(relation, landed)
    assert [row["_row"] for row in staged] == list(range(2, len(landed) + 2))
    for row in staged:
        assert row["as_of"] is not None
        for name, staged_value in row.items():
            if isinstance(staged_value, str) and name not in ORIGIN:
                assert staged_value.strip(), name

    again = stage(relation, landed[::-1])
    assert [row["source_id"] for row in again] == [row["source_id"] for row in staged[::-1]]


def test_recency_never_lies_in_the_future_of_the_landing(connection: Any) -> None:
    """A source's clock counts up to a day ahead; beyond it the batch's day does."""
    query = "select recency($1::timestamp, $2::timestamptz, $3::date)"
    landed, batch = datetime(2026, 11, 20, 12, tzinfo=UTC), date(2026, 11, 20)
    for updated, expected in (
        ("2026-11-21 11:59:59", datetime(2026, 11, 21, 11, 59, 59)),
        ("2026-11-21 12:00:01", datetime(2026, 11, 20)),
        (None, datetime(2026, 11, 20)),
    ):
        assert connection.execute(query, [updated, landed, batch]).fetchall() == [(expected,)]
