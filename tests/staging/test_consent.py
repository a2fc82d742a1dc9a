"""What a cell says of consent, by the kind of its column; and that nothing unclear says yes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TABLE = yaml.safe_load((Path(__file__).parent / "consent_values.yaml").read_text("utf-8"))
CASES = [
    (kind, value, says)
    for kind, answers in TABLE.items()
    for says, values in answers.items()
    for value in values
]
KINDS = sorted(TABLE)


def read(connection: Any, cells: list[tuple[str, str]]) -> list[str]:
    """What cells say, as (kind, text)."""
    landed = json.dumps([{"header": "h", "kind": kind, "value": text} for kind, text in cells])
    [row] = connection.execute(
        "select list_transform(consent_cells(?, null, 'UTC', timestamptz '2026-11-20 12:00:00+00'),"
        " lambda cell: cell.says)",
        [landed],
    ).fetchall()
    return list(row[0])


def test_cells_say_what_the_table_says(connection: Any) -> None:
    said = read(connection, [(kind, value) for kind, value, _ in CASES])
    wrong = [(*case, answer) for case, answer in zip(CASES, said, strict=True) if case[2] != answer]
    assert wrong == []


@pytest.mark.parametrize("kind", ["opt_out", "opt_out_time", "opt_out_cause", "left_list"])
def test_no_cell_of_an_opt_out_column_is_a_yes_to_mail(connection: Any, kind: str) -> None:
    said = read(connection, [(kind, value) for _, value, _ in CASES])
    assert set(said) <= {"out", "none", "pending", "unreadable"}


@given(text=st.text(max_size=12))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_what_is_known_as_a_yes_is_one(connection: Any, text: str) -> None:
    said = dict(zip(KINDS, read(connection, [(kind, text) for kind in KINDS]), strict=True))
    known = {value.casefold() for _, value, says in CASES if says == "in"}
    if said["opt_in"] == "in" and text.strip().casefold() not in known:
        # The same word with other signs around it, a yes of another language, or a date.
        assert read(connection, [("opt_out", text)]) == ["out"] or any(map(str.isdigit, text))
    assert said["opt_out"] != "in"


@given(st.sampled_from(CASES), st.sampled_from([" {} ", "{}.", '"{}"', "{}\n"]), st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_case_and_signs_around_a_word_change_nothing(
    connection: Any, case: tuple[str, str, str], around: str, upper: bool
) -> None:
    kind, value, says = case
    if not value.replace(" ", "").isalpha():
        return
    spelled = around.format(value.upper() if upper else value)
    assert read(connection, [(kind, spelled)]) == [says]
