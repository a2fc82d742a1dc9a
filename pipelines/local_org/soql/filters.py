"""Conditions of a query as SQL, with SOQL's meaning of null, case and time."""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from pipelines.local_org import ids
from pipelines.local_org.catalog.model import NUMBER_TYPES, Field, literal
from pipelines.local_org.soql.moments import span
from pipelines.local_org.soql.tree import (
    Combined,
    Comparison,
    Condition,
    Expression,
    Literal,
    Query,
    QueryError,
    marked,
)

Resolve = Callable[[Expression], tuple[str, Field]]
_T = TypeVar("_T")
SemiJoin = Callable[[Query], str]


class Filters:
    """Compiles conditions; `resolve` tells the SQL of an expression, `semi_join` of a sub-query."""

    def __init__(self, text: str, resolve: Resolve, semi_join: SemiJoin) -> None:
        self._text = text
        self._resolve = resolve
        self._semi_join = semi_join
        self._today = dt.datetime.now(dt.UTC).date()

    def sql(self, condition: Condition, *, denied: bool = False) -> str:
        """SQL for a condition; where it is denied it is never null, so that `not` means not."""
        if isinstance(condition, Combined):
            if condition.operator == "not":
                return f"(not {self.sql(condition.parts[0], denied=True)})"
            joined = f" {condition.operator} "
            return f"({joined.join(self.sql(part, denied=denied) for part in condition.parts)})"
        test = self._comparison(condition)
        return f"coalesce({test}, false)" if denied else f"({test})"

    def _comparison(self, test: Comparison) -> str:
        left, field = self._resolve(test.left)
        if not field.filterable or field.type == "address":
            message = f"field '{field.name}' can not be filtered in a query call"
            raise QueryError("INVALID_FIELD", marked(self._text, test.left.position, message))
        left = _comparable(left, field)
        if isinstance(test.right, Query):
            if field.type not in {"id", "reference"}:
                message = f"the left operand of a semi-join must be an id, not '{field.name}'"
                raise QueryError("MALFORMED_QUERY", marked(self._text, test.left.position, message))
            subquery = self._semi_join(test.right)
            inside = f"{left} in ({subquery})"
            return inside if test.operator == "in" else f"not coalesce({inside}, false)"
        if test.operator in {"in", "not in"}:
            values = test.right if isinstance(test.right, tuple) else (test.right,)
            return self._set(left, field, test.operator, values)
        if test.operator in {"includes", "excludes"}:
            values = test.right if isinstance(test.right, tuple) else (test.right,)
            if field.type != "multipicklist" or any(v.kind != "text" for v in values):
                raise self._wrong_operator(test.left.position)
            return self._picked(left, test.operator, values)
        if isinstance(test.right, tuple):
            raise QueryError("MALFORMED_QUERY", "unexpected token: '('")
        return self._one(left, field, test.operator, test.right)

    def _set(self, left: str, field: Field, operator: str, values: tuple[Literal, ...]) -> str:
        literals = [self._value(field, v) for v in values if v.kind != "null"]
        nulls = len(literals) < len(values)
        inside = f"{left} in ({', '.join(literals)})" if literals else "false"
        if nulls:
            inside = f"({inside} or {left} is null)"
        return inside if operator == "in" else f"not coalesce({inside}, false)"

    def _picked(self, left: str, operator: str, values: tuple[Literal, ...]) -> str:
        tests = []
        for value in values:
            parts = [literal(part.strip().lower()) for part in str(value.value).split(";")]
            tests.append(f"list_has_all(str_split({left}, ';'), [{', '.join(parts)}])")
        inside = f"({' or '.join(tests)})"
        return inside if operator == "includes" else f"not coalesce({inside}, false)"

    def _one(self, left: str, field: Field, operator: str, value: Literal) -> str:
        if value.kind == "null":
            if operator not in {"=", "!="}:
                raise QueryError(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    marked(self._text, value.position, "invalid operator on null value"),
                )
            return f"{left} is {'not ' if operator == '!=' else ''}null"
        if operator == "like":
            is_text = field.column_type == "varchar" and field.type not in {"id", "reference"}
            if value.kind != "text" or not is_text:
                raise self._wrong_operator(value.position)
            return rf"{left} like {literal(str(value.value).lower())} escape '\'"
        if value.kind == "moment":
            return self._during(left, field, operator, value)
        if value.kind == "text" and value.value == "" and operator in {"=", "!="}:
            return f"{left} is {'not ' if operator == '!=' else ''}null"
        right = self._value(field, value)
        if operator == "!=":
            return f"{left} is distinct from {right}"
        return f"{left} {operator} {right}"

    def _wrong_operator(self, position: int) -> QueryError:
        return QueryError(
            "INVALID_QUERY_FILTER_OPERATOR", marked(self._text, position, "invalid operator")
        )

    def _during(self, left: str, field: Field, operator: str, value: Literal) -> str:
        try:
            bounds = span(str(value.value), self._today)
        except (ValueError, OverflowError):  # beyond the days that there are
            bounds = None
        if bounds is None:
            message = f"unexpected token: '{value.value}'"
            raise QueryError("MALFORMED_QUERY", marked(self._text, value.position, message))
        if field.type not in {"date", "datetime"}:
            raise self._wrong_type(field, value)
        start, end = (
            f"{(field.type == 'date' and 'date') or 'timestamp'} '{day}'" for day in bounds
        )
        return {
            "=": f"({left} >= {start} and {left} < {end})",
            "!=": f"not coalesce({left} >= {start} and {left} < {end}, false)",
            "<": f"{left} < {start}",
            "<=": f"{left} < {end}",
            ">": f"{left} >= {end}",
            ">=": f"{left} >= {start}",
        }[operator]

    def _value(self, field: Field, value: Literal) -> str:
        kind, content = value.kind, value.value
        if field.type in {"id", "reference"} and kind == "text":
            if content and not ids.is_id(content):
                message = f"invalid ID field: {content}"
                raise QueryError(
                    "INVALID_QUERY_FILTER_OPERATOR", marked(self._text, value.position, message)
                )
            return literal(ids.to18(content))
        if field.column_type == "varchar" and kind == "text":
            return literal(content if field.case_sensitive else content.lower())
        if field.type == "boolean" and kind == "boolean":
            return str(content).lower()
        if field.type in NUMBER_TYPES and kind == "number":
            return str(content)
        if field.type == "date" and kind == "date":
            return f"date '{self._checked(value, dt.date.fromisoformat).isoformat()}'"
        if field.type == "datetime" and kind == "datetime":
            return f"timestamp '{self._checked_moment(value)}'"
        raise self._wrong_type(field, value)

    def _checked_moment(self, value: Literal) -> str:
        def read(text: str) -> dt.datetime:
            return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)

        return self._checked(value, read).isoformat(sep=" ")

    def _checked(self, value: Literal, read: Callable[[str], _T]) -> _T:
        try:
            return read(value.value.upper())
        except (ValueError, OverflowError) as error:
            message = f"Invalid date: {value.value}"
            raise QueryError(
                "MALFORMED_QUERY", marked(self._text, value.position, message)
            ) from error

    def _wrong_type(self, field: Field, value: Literal) -> QueryError:
        quotes = "should be" if field.column_type == "varchar" else "should not be"
        kind = {"datetime": "dateTime"}.get(field.type, field.type)
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {kind} and "
            f"{quotes} enclosed in quotes"
        )
        return QueryError("INVALID_FIELD", marked(self._text, value.position, message))


def _comparable(left: str, field: Field) -> str:
    text = field.column_type == "varchar" and field.type not in {"id", "reference"}
    return f"lower({left})" if text and not field.case_sensitive else left
