"""The SQL of expressions: paths, aggregates, parts of dates."""

from pipelines.local_org.catalog.model import NUMBER_TYPES, Field
from pipelines.local_org.soql.scope import Scope
from pipelines.local_org.soql.tree import (
    AGGREGATES,
    Expression,
    FunctionNode,
    PathNode,
    QueryError,
    marked,
)

_AGGREGATES_SQL = {
    "count": "count({})",
    "count_distinct": "count(distinct {})",
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
}

_DATE_PARTS = {
    "calendar_year": "year({})",
    "calendar_quarter": "quarter({})",
    "calendar_month": "month({})",
    "day_in_month": "day({})",
    "day_in_week": "dayofweek({}) + 1",
    "day_in_year": "dayofyear({})",
    "hour_in_day": "hour({})",
    "week_in_year": "week({})",
    "fiscal_year": "year({})",
    "fiscal_quarter": "quarter({})",
    "fiscal_month": "month({})",
}

_COUNT = Field("count", "count", "int")

_NUMBER = Field("number", "number", "double")

_DAY = Field("day", "day", "date")


class Expressions:
    """Compiles the expressions of one query; each comes with a field that tells its type."""

    def __init__(self, scope: Scope, text: str) -> None:
        self._scope, self._text = scope, text

    def value(self, expression: Expression) -> tuple[str, Field]:
        """SQL for an expression, and a field of its type.

        Raises:
            QueryError: no such field or function, or one that does not take such a value.
        """
        if isinstance(expression, PathNode):
            resolved = self._scope.resolve(expression)
            return resolved.sql, resolved.field
        name = expression.name.lower()
        if name in AGGREGATES and len(expression.arguments) == 1:
            return self._aggregate(name, expression)
        if name == "count" and not expression.arguments:
            return "count(*)", _COUNT
        if name in {*_DATE_PARTS, "day_only"} and len(expression.arguments) == 1:
            return self._date_part(name, expression)
        if name in {"tolabel", "converttimezone", "format"} and len(expression.arguments) == 1:
            return self.value(expression.arguments[0])
        raise self._malformed(expression, f"unexpected token: '{expression.name}'")

    def plain(self, expression: Expression) -> tuple[str, Field]:
        """SQL for an expression that belongs to one record, and a field of its type.

        Raises:
            QueryError: as `value`; or it is an aggregate.
        """
        if isinstance(expression, FunctionNode) and expression.is_aggregate:
            message = f"unexpected aggregate function: '{expression.name}'"
            raise self._malformed(expression, message)
        return self.value(expression)

    def _aggregate(self, name: str, expression: FunctionNode) -> tuple[str, Field]:
        inner, field = self.plain(expression.arguments[0])
        if field.type == "address":
            raise self._malformed(expression, f"field {field.name} cannot be aggregated")
        if name in {"sum", "avg"} and field.type not in NUMBER_TYPES:
            message = f"field {field.name} does not support aggregate operator {name.upper()}"
            raise self._malformed(expression, message)
        sql = _AGGREGATES_SQL[name].format(inner)
        counting = name.startswith("count")
        return sql, _COUNT if counting else (field if name in {"min", "max"} else _NUMBER)

    def _date_part(self, name: str, expression: FunctionNode) -> tuple[str, Field]:
        inner, field = self.value(expression.arguments[0])
        if field.type not in {"date", "datetime"}:
            message = f"{field.name} is no date, {expression.name} takes dates only"
            raise self._malformed(expression, message)
        if name == "day_only":
            return f"{inner}::date", _DAY
        return _DATE_PARTS[name].format(inner), _COUNT

    def _malformed(self, expression: FunctionNode, message: str) -> QueryError:
        return QueryError("MALFORMED_QUERY", marked(self._text, expression.position, message))
