"""No row is lost between a file and its verdict, whatever somebody typed into the file."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.batch import Batch
from pipelines.project import stage_files
from pipelines.relations import prepare
from pipelines.sources.format import Format
from pipelines.sources.land import land
from pipelines.validate.judge import validate

DAY = date(2026, 11, 5)

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, format: {encoding: utf-8}}
  others: {entity: contacts, preset: generic}
"""

HEADER = ["ID", "First Name", "Last Name", "Email", "Birthday", "Phone", "Party", "Last Updated"]
OTHERS = "Last Name,Email\nOkafor,ada@acme.example\nVoss,no address\n,\n"
STAGED = next(file for file in stage_files("staging") if file.relation == "stg_contacts")

# What breaks files: quotes, breaks, delimiters, nothing, dates that are none, ids that repeat.
ODD = ("", " ", '"', "a,b", "line\nbreak", "\r", "NULL", "#N/A", "\ufeff", "x" * 300, "=1+1", "Zoë")
USUAL = ("1", "2", "ada@acme.example", "31.02.1985", "1985-02-28", "+1 212 555 0101")
CELLS = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from(USUAL),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)
ROWS = st.lists(st.lists(CELLS, min_size=8, max_size=8), max_size=12)
LINES = st.lists(st.text(st.sampled_from('a1@.,;"\t\n\r é'), max_size=40), max_size=12)


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES, org=False)
    new_chain.put("others", DAY, "others.csv", OTHERS)
    prepare(new_chain.project)
    return new_chain


def _judge(chain: Any, content: str) -> tuple[int, list[dict[str, Any]]]:
    """Stages 1 to 3: rows of ``people`` landed, and what was landed; conservation is asserted."""
    chain.put("people", DAY, "people.csv", content)
    project = chain.project
    landed = land(project.warehouse, project.sources, chain.inbox, DAY)
    Batch(project, DAY).run_sql(STAGED)
    with Batch(project, DAY).connect() as connection:
        verdict = validate(project.warehouse, connection, "contacts", DAY)
    for source in ("people", "others"):
        rows = {
            name: [row for row in chain.read(f"{name}_contacts", DAY) if row["_source"] == source]
            for name in ("raw", "stg", "valid", "rejected")
        }
        judged = [(row["_file"], row["_row"]) for row in (*rows["valid"], *rows["rejected"])]
        assert sorted(judged) == sorted((row["_file"], row["_row"]) for row in rows["raw"])
        assert len(rows["raw"]) == len(rows["stg"]) == len(set(judged))
        assert all(row["reasons"] for row in rows["rejected"])
        counted = [count.rows for count in landed.counts if count.source == source]
        assert sum(counted) == len(rows["raw"])
    assert verdict.staged == verdict.valid.rows + verdict.rejected.rows
    return len(judged), [
        row for row in chain.read("raw_contacts", DAY) if row["_source"] == "people"
    ]


def _filled(cell: str) -> str:
    """A cell as landing sees it: one of nothing but blanks is none."""
    return cell if cell.strip(" \t\r\n") else ""


few = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_every_row_that_was_written_has_one_verdict(
    chain: Any, rows: list[list[str]], quoting: int
) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows([HEADER, *rows])  # type: ignore[arg-type]
    others, landed = _judge(chain, out.getvalue())
    assert others == 2
    nothing = ("", *Format().null_markers)
    filled = [row for row in rows if any(_filled(cell) not in nothing for cell in row)]
    assert len(landed) == len(filled)


@few
@given(lines=LINES)
def test_every_line_that_was_typed_has_one_verdict(chain: Any, lines: list[str]) -> None:
    text = ",".join(HEADER) + "\n" + "\n".join(lines)
    _, landed = _judge(chain, text)
    numbers = [row["_row"] for row in landed]
    assert len(set(numbers)) == len(numbers)
    physical = io.StringIO(text, newline=None).read().split("\n")
    assert all(1 < number <= len(physical) for number in numbers)
    # A line of plain text is a record of its own, wherever nothing before it opened a quote; one of
    # nothing but delimiters at the end of a file is a blank line.
    before_quotes = text.split('"', 1)[0]
    plain = io.StringIO(before_quotes, newline=None).read().split("\n")
    whole = plain if before_quotes == text else plain[:-1]
    filled = {at for at, line in enumerate(whole, 1) if line.replace(",", "").strip()}
    assert filled - {1} <= set(numbers)
