"""The law of renaming, over all that could be written of a name and an e-mail address."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sync.identity.names import likeness
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.plan.renames import renamed_sql

Changed = dict[str, tuple[str | None, str | None]]
ANNA_TO_BOB: Changed = {"FirstName": ("Anna", "Bob"), "LastName": ("Smith", "Jones")}
MOVED: Changed = {"Email": ("anna@x.org", "bob@y.org")}


def words(db: duckdb.DuckDBPyConnection, mapping: ObjectMapping, changed: Changed) -> str | None:
    """From whom to whom a record would be renamed, where the law holds it."""
    db.execute(
        "create or replace table decided"
        " (key varchar, field varchar, before varchar, after varchar, sends boolean)"
    )
    for field, (before, after) in {**changed, "Title": ("a", "b")}.items():
        db.execute("insert into decided values ('p-1', ?, ?, ?, true)", [field, before, after])
    found = db.execute(renamed_sql(mapping, list(mapping.enabled()))).fetchall()
    return found[0][1] if found else None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        (MOVED, None),
        (ANNA_TO_BOB, '"Anna Smith" to "Bob Jones"'),
        ({"FirstName": ("Anna", "Bob")}, None),
        ({"LastName": ("Smith", "Jones")}, None),
        ({"FirstName": ("William", "Bill"), "LastName": ("Smith", "Jones")}, None),
        ({"FirstName": ("Anna", "Bob"), "LastName": ("SMITH", "Smith")}, None),
        ({"FirstName": ("A.", "Anna"), "LastName": ("Smith", "Jones")}, None),
        ({"FirstName": (None, "Bob"), "LastName": ("[not provided]", "Jones")}, None),
        ({"FirstName": ("Anna", "Bob"), "LastName": ("[not provided]", "Jones")}, None),
        (
            {"LastName": ("Smith", "Jones")} | MOVED,
            '"Smith" to "Jones" and from anna@x.org to bob@y.org',
        ),
        (
            {"FirstName": ("Anna", "Bob")} | MOVED,
            '"Anna" to "Bob" and from anna@x.org to bob@y.org',
        ),
        ({"FirstName": ("Anna", "Ann")} | MOVED, None),
        ({"LastName": ("Smith", "Jones"), "Email": (None, "bob@y.org")}, None),
        (
            {"LastName": ("Smith", "Jones"), "Email": ("anna@x.org", None)},
            '"Smith" to "Jones" and from anna@x.org to no address',
        ),
    ],
)
def test_who_would_be_renamed(
    db: duckdb.DuckDBPyConnection,
    mappings: dict[str, ObjectMapping],
    changed: Changed,
    expected: str | None,
) -> None:
    assert words(db, mappings["contact"], changed) == expected


FIRSTS = st.sampled_from([None, "", "Anna", "Ann", "Bob", "Robert", "R.", "Zoë", "Jean-Luc"])
LASTS = st.sampled_from([None, "", "Smith", "SMITH", "Jones", "[not provided]", "O'Neil", "ONeil"])
MAILS = st.sampled_from([None, "a@x.org", "b@y.org"])


def before_after(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    """What differs is written, what does not is no change."""
    return st.tuples(values, values).filter(lambda pair: pair[0] != pair[1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    first=st.none() | before_after(FIRSTS),
    last=st.none() | before_after(LASTS),
    mail=st.none() | before_after(MAILS),
)
def test_the_law_is_just_that(
    db: duckdb.DuckDBPyConnection,
    mappings: dict[str, ObjectMapping],
    first: tuple[str | None, str | None] | None,
    last: tuple[str | None, str | None] | None,
    mail: tuple[str | None, str | None] | None,
) -> None:
    written = {"FirstName": first, "LastName": last, "Email": mail}
    changed = {field: pair for field, pair in written.items() if pair is not None}
    others = [
        first is not None and likeness(first[0], None, first[1], None) != "agree",
        last is not None
        and "[not provided]" not in last
        and likeness(None, last[0], None, last[1]) != "agree",
    ]
    expected = all(others) or (any(others) and mail is not None and mail[0] is not None)
    assert (words(db, mappings["contact"], changed) is not None) == expected


def test_an_account_has_no_name_of_a_person(
    db: duckdb.DuckDBPyConnection, mappings: dict[str, ObjectMapping]
) -> None:
    assert words(db, mappings["account"], ANNA_TO_BOB | MOVED) is None
