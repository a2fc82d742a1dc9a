"""SQL in mappings: one expression over one row, which reads nothing else and never changes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.sync.mapping.expression import (
    bound_type,
    checked_sql,
    columns_of,
    expression_problems,
    functions,
)

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
        "write_log(note)", "sleep_ms(1000)", "setval('s', 1)", "error(note)",
        "in_search_path('a', 'b')",
        "regexp_split_to_table(note, ' ')", "generate_subscripts([note], 1)", "unnest([note])",
        "json_group_array(note)", "json_group_object(note, email)", "#1", "age(birthdate)",
        "lag(note) over ()", "list_aggregate(list(note), 'count')", "current_localtimestamp()",
        "localtime", "current_catalog", "user", "version()", "hash(note)", "any_value(note)",
        "session_user", "ago(interval 1 day)", "histogram(note)", "http_get('http://x')",
        "cast(note as integer)", "note::date",
        "people.note", "emial", "coalesce(note,", "",
    ],
)  # fmt: skip
def test_what_is_refused(sql: str) -> None:
    assert expression_problems(sql, COLUMNS) != []


def test_what_runs_is_what_was_checked_not_the_text() -> None:
    assert checked_sql("note -- as written by Ada") == "note"
    assert checked_sql("/* why */ upper( note )") == "upper(note)"


def _functions(condition: str) -> list[str]:
    with duckdb.connect() as connection:
        query = f"select distinct function_name from duckdb_functions() where {condition}"
        names = sorted(name for [name] in connection.execute(query).fetchall())
    return [name for name in names if name.isidentifier()]


IMPURE = _functions("function_type = 'scalar' and stability <> 'CONSISTENT'")
ELSEWHERE = _functions(
    "function_name not in"
    " (select function_name from duckdb_functions() where function_type in ('scalar', 'macro'))"
)
PURE = ["upper", "trim", "substr", "regexp_replace", "md5", "concat_ws", "string_split", "printf"]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(IMPURE + ELSEWHERE), st.sampled_from(PURE), st.integers(0, 3))
def test_nothing_that_reaches_beyond_the_row_hides_in_what_does_not(
    name: str, around: str, depth: int
) -> None:
    sql = f"{name}(note)"
    for _ in range(depth):
        sql = f"{around}(coalesce({sql}, case when email = 'x' then note end))"
    assert expression_problems(sql, COLUMNS) != []
    assert expression_problems(sql.upper(), [name.upper() for name in COLUMNS]) != []


def test_what_is_listed_gives_one_value_of_one_row_wherever_it_runs() -> None:
    pure = _functions("function_type = 'scalar' and stability = 'CONSISTENT'")
    macros = _functions("function_type = 'macro'")
    installed = _functions("true")
    words = {name for name in functions() if name.isidentifier()}
    assert len(words) > 300
    assert words & {*installed} <= {*pure, *macros}
    assert not words & {*IMPURE, *ELSEWHERE}
    # What few macros there are is checked by hand: each is a call of one listed function.
    assert words & {*macros} - {*pure} == MACROS


MACROS = {
    "array_append", "array_prepend", "array_push_back", "array_push_front", "array_reverse",
    "array_to_string", "date_add", "days_in_month", "fdiv", "fmod", "if", "list_any_value",
    "list_append", "list_avg", "list_bool_and", "list_bool_or", "list_count", "list_first",
    "list_last", "list_max", "list_min", "list_prepend", "list_reverse", "list_string_agg",
    "list_sum", "nullif", "split_part",
}  # fmt: skip


def test_there_is_something_to_refuse() -> None:
    assert {"random", "sleep_ms", "write_log"} <= {*IMPURE}
    assert {"read_csv", "read_text", "glob", "checkpoint", "import_database"} <= {*ELSEWHERE}


@settings(deadline=None)
@given(st.text(max_size=30))
@example("@")
def test_whatever_is_written_is_refused_or_runs_as_one_expression(text: str) -> None:
    if expression_problems(text, COLUMNS):
        return
    row = ", ".join(f"null::varchar as {name}" for name in COLUMNS)
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        query = f"describe select {checked_sql(text)} from (select {row})"
        try:
            described = connection.execute(query).fetchall()
        except duckdb.BinderException:  # does not fit the types: `bound_type` refuses it as well
            with pytest.raises(duckdb.Error):
                bound_type(text, dict.fromkeys(COLUMNS, "varchar"), connection)
            return
        assert len(described) == 1
