"""The law of renaming, over all that could be written of a name and an e-mail address."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sync.decisions import TABLE
from pipelines.sync.identity.names import likeness
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.plan.renames import namers_sql, renamed_sql

Changed = dict[str, tuple[str | None, str | None]]
ANNA_TO_BOB: Changed = {"FirstName": ("Anna", "Bob"), "LastName": ("Smith", "Jones")}
MOVED: Changed = {"Email": ("anna@x.org", "bob@y.org")}


def descriptions(
    db: duckdb.DuckDBPyConnection, mapping: ObjectMapping, changed: Changed
) -> str | None:
    """From whom to whom a record would be renamed, where the law holds it."""
    db.execute(
        "create or replace table decided"
        " (key varchar, field varchar, before varchar, after varchar, sends boolean)"
    )
    for field, (before, after) in {**changed, "Title": ("a", "b")}.items():
        db.execute("insert into decided values ('p-1', ?, ?, ?, true)", [field, before, after])
    renames = db.execute(renamed_sql(mapping, list(mapping.enabled()))).fetchall()
    return renames[0][1] if renames else None


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
    assert descriptions(db, mappings["contact"], changed) == expected


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
    assert (descriptions(db, mappings["contact"], changed) is not None) == expected


def test_an_account_has_no_name_of_a_person(
    db: duckdb.DuckDBPyConnection, mappings: dict[str, ObjectMapping]
) -> None:
    assert descriptions(db, mappings["account"], ANNA_TO_BOB | MOVED) is None


@pytest.mark.parametrize(
    ("founder", "trusts", "trusted"), [(7, True, True), (7, False, False), (8, True, False)]
)
def test_an_id_is_trusted_only_for_the_record_that_it_founded(
    db: duckdb.DuckDBPyConnection,
    mappings: dict[str, ObjectMapping],
    founder: int,
    trusts: bool,
    trusted: bool,
) -> None:
    db.execute(f"""
        attach ':memory:' as state;
        create table state.person as select {founder}::ubigint as person, null::varchar as spelling,
            {founder}::ubigint as founder;
        create table people as select person_spelling({founder}::ubigint, null) as person_key,
            []::varchar[] as aliases, {{'name': 'shop/7'}} as values_from;
        create table person_links as
        select person_key, source, source_id, record::ubigint as record, 'contact' as entity, rank
        from people, (values ('crm', '1', 8, 1), ('shop', '7', 7, 2))
            as one (source, source_id, record, rank);
        create table config_sources as select 'shop' as source, {trusts} as trust_id;
        create table config_decisions ({TABLE});
        create table differences_contact as
        select person_key as key, 'LastName' as field from people;
        create table org_match_contact as select person_key as entity_key, '003A' as sf_id,
            null::varchar as gone_id, []::varchar[] as others from people;
    """)
    query = f"select reference, trusted, line from ({namers_sql(mappings['contact'])})"
    assert db.execute(query).fetchall() == [("shop:7", trusted, None)]
    db.execute("insert into config_decisions values ('rename_ok', '003A', null, 4)")
    assert db.execute(query).fetchall() == [("shop:7", trusted, 4)]
