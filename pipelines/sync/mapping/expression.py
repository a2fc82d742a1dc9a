"""SQL that people write into a mapping: one expression over the columns of one row, nothing else.

The mapping runs with the rights of the pipeline, so an expression may neither read what is not
its row (files, addresses, settings, other tables) nor change from one run to the next. Two parsers
judge it: sqlglot the text as written, DuckDB's own the text that will run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.sync.mapping.wire import text_literal

if TYPE_CHECKING:
    import duckdb
    from sqlglot import exp

_READS = re.compile(
    r"read_|parquet_|sniff_|glob$|query|getenv|current_setting|getvariable|duckdb_|pragma_|pg_|"
    r"which_secret|columns$|from_substrait|json_execute|sql_auto|sqlite|postgres|mysql|iceberg|"
    r"delta|st_read|http|has_\w+_privilege$|inet_|\w+_description$|get_block_size$|in_search_path$"
)
_CHANGES = re.compile(
    r"rand|uuid|gen_random|now$|current_|transaction_|get_current_|today$|local_?time|nextval|"
    r"currval|setseed|txid|version$|ago$|user$|session_user$|assert_true$"
)


def expression_problems(sql: str, columns: Collection[str]) -> list[str]:
    """What is wrong with an expression, as far as its text tells; empty when nothing is."""
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = parsed(sql)
    except SqlglotError as error:
        reason = str(error).splitlines()[0].removesuffix(".")
        return [f"not one SQL expression: {reason}"]
    if isinstance(tree, exp.Query | exp.DDL | exp.DML | exp.Command):
        return ["a statement; write one expression over the columns of a row"]
    unknown = [name for name in columns_of(sql) if name not in columns]
    return [
        *_other_rows(tree),
        *(_functions(tree) or _engine_problems(sql)),
        *_casts(tree),
        *(unknown_column(name, columns) for name in unknown),
    ]


def columns_of(sql: str) -> list[str]:
    """The columns an expression reads, in the order of their first use."""
    from sqlglot import exp

    own = {arg.name for fn in parsed(sql).find_all(exp.Lambda) for arg in fn.expressions}
    names = (column.name for column in parsed(sql).find_all(exp.Column, bfs=False))
    return [name for name in dict.fromkeys(names) if name not in own]


def unknown_column(name: str, columns: Collection[str]) -> str:
    """The message for a column that is not there, with the nearest one that is."""
    near = get_close_matches(name, columns, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(columns)}"
    return f"unknown column {name!r}; {hint}"


def bound_type(sql: str, columns: Mapping[str, str], connection: duckdb.DuckDBPyConnection) -> str:
    """The DuckDB type of an expression over columns of the given types.

    Raises:
        duckdb.Error: the expression does not fit the types, or names an unknown function.
    """
    [row] = connection.execute(f"describe {_typed_sql(sql, columns)}").fetchall()
    return str(row[1])


def checked_sql(sql: str) -> str:
    """The expression as it was understood when it was checked, never the text as written.

    A comment at the end of the text, say, would otherwise swallow what follows it in a query.
    """
    tree = parsed(sql).transform(_on_one_line)
    return tree.sql(dialect="duckdb", comments=False, normalize_functions="lower")


def parsed(sql: str) -> exp.Expr:
    """The syntax tree of one expression.

    Raises:
        sqlglot.errors.SqlglotError: the text is not one expression.
    """
    import sqlglot
    from sqlglot import exp

    return sqlglot.parse_one(sql, dialect="duckdb", into=exp.Condition)


def _on_one_line(node: exp.Expr) -> exp.Expr:
    """A text over several lines as one that compiled SQL can be indented around."""
    from sqlglot import exp

    if isinstance(node, exp.Literal) and node.is_string and "\n" in node.name:
        return parsed(text_literal(node.name))
    return node


def _other_rows(tree: exp.Expr) -> list[str]:
    """An expression sees its own row: no sub-query, no aggregate, no window, no star."""
    from sqlglot import exp

    if tree.find(exp.Query, exp.Table, exp.Subquery):
        return ["a sub-query; an expression reads the columns of its own row"]
    if tree.find(exp.Window, exp.AggFunc):
        return ["an aggregate or window function; one row gives one value"]
    if tree.find(exp.Star, exp.Parameter, exp.Placeholder):
        return ["a star or a parameter; name the columns"]
    if any(column.table for column in tree.find_all(exp.Column)):
        return ["a name with a dot; write the column alone"]
    return []


def _functions(tree: exp.Expr) -> list[str]:
    from sqlglot import exp

    problems = []
    for call in tree.find_all(exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
        if _READS.match(name):
            problems.append(f"{name}() reads what is not in the row; it is not allowed here")
        elif _CHANGES.match(name):
            problems.append(f"{name}() gives another value at every run; it is not allowed here")
    return problems


def _engine_problems(sql: str) -> Iterator[str]:
    """What DuckDB's own parser finds in the text that will run: a second, independent judge.

    Of the functions that DuckDB knows, only those are let pass that give the same for the same
    values and do nothing else. Macros of the project are no functions of DuckDB.
    """
    with _parser().cursor() as connection:
        text = f"select {checked_sql(sql)}"
        [(read,)] = connection.execute("select json_serialize_sql($1::varchar)", [text]).fetchall()
    statements = json.loads(read).get("statements", [])
    if len(statements) != 1:
        yield "not one SQL expression, as DuckDB reads it"
    functions = _functions_of_engine()
    for part in _parts(statements):
        name = str(part.get("function_name") or "").lower()
        if part.get("class") == "SUBQUERY":
            yield "a sub-query; an expression reads the columns of its own row"
        elif name in functions and not functions[name]:
            yield f"{name}() does not only depend on its values; it is not allowed here"


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A DuckDB for reading texts only: each takes longer to start than a mapping to check."""
    import duckdb

    return duckdb.connect()


@cache
def _functions_of_engine() -> Mapping[str, bool]:
    """Functions of the installed DuckDB → whether they depend on their values alone."""
    with _parser().cursor() as connection:
        return dict(connection.execute(_FUNCTIONS).fetchall())


_FUNCTIONS = """\
select
    lower(function_name),
    bool_or(function_type = 'macro' or (function_type = 'scalar' and stability = 'CONSISTENT'))
from duckdb_functions()
group by lower(function_name)"""


def _parts(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a JSON document, from the outside in."""
    todo = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            yield part
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)


def _casts(tree: exp.Expr) -> list[str]:
    from sqlglot import exp

    bold = (
        cast
        for cast in tree.find_all(exp.Cast)
        if type(cast) is exp.Cast
        and not cast.to.is_type(*exp.DataType.TEXT_TYPES)
        and not isinstance(cast.this, exp.Literal)
    )
    return [f"{cast} would stop the run at one bad value; use try_cast" for cast in bold]


def _typed_sql(sql: str, columns: Mapping[str, str]) -> str:
    row = ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in columns.items())
    return f"select {sql} from (select {row})"
