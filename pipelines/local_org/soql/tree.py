"""A parsed query as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class QueryError(Exception):
    """A query that Salesforce would refuse: its code and its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class PathNode:
    """A path such as `Account.Owner.Name`; `position` is where it stands in the query."""

    names: tuple[str, ...]
    position: int


AGGREGATES = frozenset({"count", "count_distinct", "sum", "avg", "min", "max"})


@dataclass(frozen=True)
class FunctionNode:
    """A call such as `COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)` or `FIELDS(ALL)`."""

    name: str
    arguments: tuple["Expression", ...]
    position: int

    @property
    def is_aggregate(self) -> bool:
        """Whether it speaks of several records, itself or in one of its arguments."""
        inner = (a for a in self.arguments if isinstance(a, FunctionNode))
        return self.name.lower() in AGGREGATES or any(a.is_aggregate for a in inner)


Expression = PathNode | FunctionNode


@dataclass(frozen=True)
class TypeOf:
    """`TYPEOF What WHEN Account THEN Phone ELSE Name END`: fields by the kind of a parent."""

    relationship: PathNode
    cases: tuple[tuple[str, tuple[PathNode, ...]], ...]
    """Object and the fields of it."""
    otherwise: tuple[PathNode, ...]


@dataclass(frozen=True)
class Literal:
    """A value: kind is one of text, number, date, datetime, boolean, null, moment."""

    kind: str
    value: Any
    position: int


@dataclass(frozen=True)
class Comparison:
    """One test; the operator is `=`, `like`, `in`, `not in`, `includes`, `excludes` and so on."""

    left: Expression
    operator: str
    right: "Literal | tuple[Literal, ...] | Query"


@dataclass(frozen=True)
class Combined:
    """Tests joined by `and`, `or`, or one test under `not`."""

    operator: str
    parts: tuple["Condition", ...]


Condition = Comparison | Combined


@dataclass(frozen=True)
class Item:
    """One thing selected, with its alias."""

    expression: Expression
    alias: str | None


@dataclass(frozen=True)
class Ordering:
    """One key of the order."""

    expression: Expression
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A whole query; `children` are its sub-queries in the select list."""

    items: tuple["Item | Query | TypeOf", ...]
    source: str
    source_position: int
    text: str
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Expression, ...] = ()
    having: Condition | None = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0


def last_name(expression: Expression) -> str:
    """The name of the field that an expression is about."""
    while isinstance(expression, FunctionNode):
        expression = expression.arguments[0]
    return expression.names[-1]


def plain_query(names: Sequence[str], source: str) -> Query:
    """`SELECT names FROM source` without parsing it."""
    text = "SELECT "
    items: list[Item | Query | TypeOf] = []
    for name in names:
        text += ", " if items else ""
        items.append(Item(PathNode(tuple(name.split(".")), len(text)), None))
        text += name
    text += " FROM "
    return Query(tuple(items), source, len(text), text + source)


def marked(text: str, position: int, message: str) -> str:
    """Salesforce's way to show where in a query something is wrong."""
    row = text.count("\n", 0, position) + 1
    start = text.rfind("\n", 0, position) + 1
    line = text[start:].partition("\n")[0]
    column = position - start + 1
    return f"\n{line}\n{' ' * (column - 1)}^\nERROR at Row:{row}:Column:{column}\n{message}"
