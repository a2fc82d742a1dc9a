"""Cells of rejected rows are harmless in a spreadsheet and come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rejects import defuse, restore

DANGEROUS = st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'", "''=", "＝"])


@given(st.one_of(st.text(), st.builds(str.__add__, DANGEROUS, st.text())))
def test_every_text_comes_back(value: str) -> None:
    assert restore(defuse(value)) == value


@pytest.mark.parametrize(
    "value", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1", "\r=1", "＝1+1", "-"]
)
def test_formulas_are_text(value: str) -> None:
    assert defuse(value) == f"'{value}"


@pytest.mark.parametrize("value", ["+1 415 555 0100", "+49 (0)30 1234-567", "-12.50", "O'Neil", ""])
def test_phones_numbers_and_names_stay_as_they_are(value: str) -> None:
    assert defuse(value) == value
