"""No cell is lost between a file and its verdict: it is in a column, kept, told or withheld."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.batch import Batch
from pipelines.project import stage_files
from pipelines.relations import prepare
from pipelines.sources.land import land
from pipelines.summary import summary
from pipelines.validate.judge import validate

DAY = date(2026, 11, 5)

WRITTEN = {"plain": ("utf-8", ","), "wide": ("utf-16", "\t"), "west": ("cp1252", ";")}
SOURCES = "sources:\n" + "".join(
    f"  {name}: {{entity: contacts, preset: generic,"
    f' format: {{encoding: {encoding}, delimiter: "{sign}", null_markers: []}}}}\n'
    for name, (encoding, sign) in WRITTEN.items()
).replace("\t", "tab")

COLUMNS = {
    "ID": "contact_id",
    "Last Name": "last_name",
    "Email": "email",
    "Company": "company",
    "Job Title": "title",
    "Phone": "phone",
    "City": "city",
    "Country": "country",
    "Birthday": "birthdate",
    "Notes": "note",
}
UNREAD, FURTHER, SECRET = "Shoe Size", "email_2", "API token"
HEADER = [*COLUMNS, FURTHER, UNREAD, SECRET]

CELLS = st.one_of(
    st.sampled_from(["", "", " ", "\t ", "\u00a0"]),
    st.sampled_from(["N/A", "none", "-", "(unknown)", "#REF!", "TBD", "Private", "NA", "Null"]),
    st.sampled_from(["a@x.org", "Ada <a@x.org>; b@x.org", "a@@x.org", "mailto:a@x.org", "call me"]),
    st.sampled_from(["212 555 0101", "tel:+1 212 555 0101 / +1 212 555 0102", "4.1E+11", "0", "x"]),
    st.sampled_from(["1985-03-02", "31.02.1985", "0/0/00", "Caf&eacute;", "MÃ¼ller", '="07"']),
    st.text(st.characters(codec="cp1252", exclude_characters="\0\x1a"), max_size=9),
)
ROWS = st.lists(st.lists(CELLS, min_size=len(HEADER), max_size=len(HEADER)), max_size=6)
STAGED = next(file for file in stage_files("staging") if file.relation == "stg_contacts")


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES, org=False)
    prepare(new_chain.project)
    return new_chain


def _filled(value: str) -> bool:
    return bool(value.strip(" \t\r\n"))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=ROWS,
    source=st.sampled_from(sorted(WRITTEN)),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_filled_cell_is_somewhere(
    chain: Any, rows: list[list[str]], source: str, quoting: Any
) -> None:
    encoding, sign = WRITTEN[source]
    out = io.StringIO()
    csv.writer(out, delimiter=sign, quoting=quoting).writerows([HEADER, *rows])
    for other in WRITTEN:
        shutil.rmtree(chain.inbox / other, ignore_errors=True)
    path = chain.inbox / source / DAY.isoformat() / "people.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(out.getvalue().encode(encoding))
    project = chain.project
    cells = land(project.warehouse, project.sources, chain.inbox, DAY).cells[source]
    Batch(project, DAY).run_sql(STAGED)
    with Batch(project, DAY).connect() as connection:
        validate(project.warehouse, connection, "contacts", DAY)

    filled = [(n, h, v) for n, row in enumerate(rows) for h, v in zip(HEADER, row, strict=True)]
    filled = [one for one in filled if _filled(one[2])]
    by_header = [header for _, header, _ in filled]
    kept = [one for one in filled if _is_kept(rows[one[0]], one[1])]
    assert cells.read == len(filled)
    assert cells.withheld == by_header.count(SECRET)
    assert cells.kept == len(kept)
    unread = {UNREAD: by_header.count(UNREAD)} if UNREAD in by_header else {}
    assert {header: one.cells for header, one in cells.unread.items()} == unread
    assert cells.blank_rows == len(rows) - len({number for number, *_ in filled})

    landed = sorted(chain.read("raw_contacts", DAY), key=lambda row: row["_row"])
    numbers = sorted({number for number, *_ in filled})
    assert len(landed) == len(numbers)
    valid = {row["_row"]: row for row in chain.read("valid_contacts", DAY)}
    lost, refused = set(), set()
    for number, header, value in filled:
        raw = landed[numbers.index(number)]
        if (number, header, value) in kept:
            assert json.loads(raw["_extra"])[header] == value
        elif header != SECRET:
            column = COLUMNS.get(header, "email")
            assert raw[column] == value
            row = valid.get(raw["_row"])
            if row is not None and header in COLUMNS and header != "ID":
                told = json.loads(row["_blanked"] or "{}")
                assert row[column] is not None or told[column]["value"]
            if row is None:
                refused.add((number, column))
            elif column != "contact_id" and row[column] is None:
                lost.add((number, column))
    told = summary(project, DAY).cells[source]
    assert told.in_columns == len(filled) - len(kept) - by_header.count(SECRET)
    assert told.left_out == len(lost)  # two cells of one address are one in the column
    assert told.rejected == len(refused)


def _is_kept(row: list[str], header: str) -> bool:
    """Whether a filled cell is in ``_extra``: nothing reads it, or another address counts."""
    if header != FURTHER:
        return header == UNREAD
    first, second = (row[HEADER.index(name)] for name in ("Email", FURTHER))
    return _filled(first) and first != second
