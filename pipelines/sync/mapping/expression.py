"""SQL that people write into a mapping: one expression over the columns of one row, nothing else.

The mapping runs with the rights of the pipeline, so an expression may neither read what is not
its row (files, addresses, settings, other tables) nor change from one run to the next. Two parsers
judge it: sqlglot the text as written, DuckDB's own the text that will run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.nearest import did_you_mean
from pipelines.sync.mapping.wire import text_literal

if TYPE_CHECKING:
    import duckdb
    from sqlglot import exp

_FUNCTIONS = Path(__file__).with_name("functions.txt")

_PARTS = frozenset(
    {
        "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT",
        "FUNCTION", "LAMBDA", "OPERATOR", "TYPE",
    }
)  # fmt: skip
"""What an expression may consist of, as DuckDB names it: no window, no sub-query, no ``#1``."""


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
        *_engine_problems(sql, {*columns, *unknown, *_parameters(tree)}),
        *_casts(tree),
        *(unknown_column(name, columns) for name in unknown),
    ]


def columns_of(sql: str) -> list[str]:
    """The columns an expression reads, in the order of their first use."""
    from sqlglot import exp

    tree = parsed(sql)
    own = _parameters(tree)
    names = (column.name for column in tree.find_all(exp.Column, bfs=False))
    return [name for name in dict.fromkeys(names) if name not in own]


def _parameters(tree: exp.Expr) -> set[str]:
    """The names that functions within the expression give to their own values."""
    from sqlglot import exp

    return {arg.name for fn in tree.find_all(exp.Lambda) for arg in fn.expressions}


def unknown_column(name: str, columns: Collection[str]) -> str:
    """The message for a column that is not there, with the nearest one that is."""
    return f"unknown column {name!r}{did_you_mean(name, columns)}"


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


def _engine_problems(sql: str, names: Collection[str]) -> Iterator[str]:
    """What DuckDB's own parser finds in the text that will run: a second, independent judge.

    Only what is listed passes: parts of an expression, functions, and the names of values.
    """
    with _parser().cursor() as connection:
        text = f"select {checked_sql(sql)}"
        [(read,)] = connection.execute("select json_serialize_sql($1::varchar)", [text]).fetchall()
    statements = json.loads(read).get("statements", [])
    if len(statements) != 1:
        yield "not one SQL expression, as DuckDB reads it"
    for part in _parts(statements):
        kind, function = part.get("class"), str(part.get("function_name") or "").lower()
        if kind is not None and kind not in _PARTS:
            what = str(kind).lower().replace("_", " ")
            yield f"a {what}; an expression makes one value of the columns of its own row"
        elif function and function not in functions():
            hint = did_you_mean(function, functions(), listed=False)
            yield f"{function}() is none of the functions that may be used here{hint}"
        elif kind == "COLUMN_REF" and not {str(name) for name in part["column_names"]} <= {*names}:
            yield f"{'.'.join(part['column_names'])} is no column"


@cache
def functions() -> frozenset[str]:
    """The functions that an expression may call, see ``functions.txt``."""
    lines = _FUNCTIONS.read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if line[:1] != "#" for name in line.split())


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A DuckDB for reading texts only: each takes longer to start than a mapping to check."""
    import duckdb

    return duckdb.connect()


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
