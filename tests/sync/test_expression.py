"""SQL in mappings: one expression over one row, which reads nothing else and never changes."""

from __future__ import annotations

import pytest

from pipelines.sync.expression import checked_sql, columns_of, expression_problems

COLUMNS = ["first_name", "note", "email"]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("concat_ws(' / ', first_name, note)", ["first_name", "note"]),
        ("case when email is null then 'none' end", ["email"]),
        ("list_transform(string_split(note, ','), lambda w: upper(w))", ["note"]),
        ("'a ; b -- c (select)'", []),
        ("try_cast(note as date)", ["note"]),
        ("note::varchar || date '2026-01-02'", ["note"]),
    ],
)
def test_what_is_allowed(sql: str, columns: list[str]) -> None:
    assert expression_problems(sql, COLUMNS) == []
    assert columns_of(sql) == columns


@pytest.mark.parametrize(
    "sql",
    [
        "select 1", "(select 1)", "(from x)", "exists (select 1 from 'x.csv')", "note in (from x)",
        "note; drop table people", "drop table people", "copy people to 'x'", "note, email",
        "note as x", "note order by 1", "1) from people; select (1", "*", "columns('.*')",
        "$1", "?",
        "read_text('/etc/passwd')", "READ_CSV('x')", "getenv('HOME')", "current_setting('x')",
        "getvariable('x')", "glob('*')", "parquet_metadata('x')", "query('select 1')",
        "count(*)", "max(note)", "row_number() over ()",
        "now()", "current_date", "current_timestamp", "random()", "uuid()", "nextval('s')",
        "cast(note as integer)", "note::date",
        "people.note", "emial", "coalesce(note,", "",
    ],
)  # fmt: skip
def test_what_is_refused(sql: str) -> None:
    assert expression_problems(sql, COLUMNS) != []


def test_what_runs_is_what_was_checked_not_the_text() -> None:
    assert checked_sql("note -- as written by Ada") == "note"
    assert checked_sql("/* why */ upper( note )") == "upper(note)"
