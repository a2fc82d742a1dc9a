"""Cells of rejected rows are harmless in a spreadsheet and come back as they were."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.repaired import defuse, restore, rows_as_meant_sql

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


@settings(deadline=None)  # a database is opened for each example
@given(st.lists(st.one_of(st.text(), st.builds(str.__add__, DANGEROUS, st.text())), min_size=1))
def test_landing_restores_like_we_do(values: list[str]) -> None:
    cells = [defuse(value).replace("\0", "") for value in values]
    with duckdb.connect() as connection:
        connection.execute("create table cells (place integer, c0 varchar)")
        connection.executemany("insert into cells values (?, ?)", list(enumerate(cells)))
        source = rows_as_meant_sql("cells", ["Name", "Causeway_Reasons"], [0])
        rows = connection.execute(f"select c0 from {source} order by place").fetchall()
    assert [row[0] for row in rows] == [restore(cell) for cell in cells]


def test_other_files_land_as_they_are() -> None:
    assert rows_as_meant_sql("cells", ["Name", "Reasons"], [0]) == "cells"
