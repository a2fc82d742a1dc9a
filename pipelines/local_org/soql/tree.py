"""A parsed query as values, and the parser that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

MAX_LENGTH = 100_000


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


@dataclass(frozen=True)
class FunctionNode:
    """A call such as `COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)` or `FIELDS(ALL)`."""

    name: str
    arguments: tuple["Expression", ...]
    position: int


Expression = PathNode | FunctionNode


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

    items: tuple["Item | Query", ...]
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


@dataclass(frozen=True)
class _Clause:
    name: str
    content: Any


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def unescape(token: str) -> str:
    """The text inside a quoted SOQL string."""
    out, rest = [], iter(token[1:-1])
    for character in rest:
        if character != "\\":
            out.append(character)
            continue
        escaped = next(rest)
        if escaped in "uU":
            out.append(chr(int("".join(next(rest) for _ in range(4)), 16)))
        elif escaped in "%_":
            out.append("\\" + escaped)  # still an escape for `like`
        else:
            out.append(_ESCAPES.get(escaped, escaped))
    return "".join(out)


class _Build(Transformer[Token, Any]):
    """Turns lark's tree into the values above."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def start(self, parts: list[Any]) -> Query:
        query: Query = parts[0]
        return query

    def query(self, parts: list[Any]) -> Query:
        items, source, *clauses = [part for part in parts if part is not None]
        contents = {c.name: c.content for c in clauses if c.name != "ignored"}
        return Query(items, str(source), source.start_pos or 0, self._text, **contents)

    def select_list(self, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    def item(self, parts: list[Any]) -> Item:
        return Item(parts[0], str(parts[1]) if parts[1] is not None else None)

    def child_query(self, parts: list[Any]) -> Query:
        query: Query = parts[0]
        return query

    def source_alias(self, parts: list[Any]) -> _Clause:
        return _Clause("alias", str(parts[0]))

    def where(self, parts: list[Any]) -> _Clause:
        return _Clause("where", parts[0])

    def group(self, parts: list[Any]) -> _Clause:
        return _Clause("group", tuple(parts))

    def having(self, parts: list[Any]) -> _Clause:
        return _Clause("having", parts[0])

    def order(self, parts: list[Any]) -> _Clause:
        return _Clause("order", tuple(parts))

    def limit(self, parts: list[Any]) -> _Clause:
        return _Clause("limit", int(parts[0]))

    def offset(self, parts: list[Any]) -> _Clause:
        return _Clause("offset", int(parts[0]))

    def _ignored(self, _parts: list[Any]) -> _Clause:
        return _Clause("ignored", None)

    scope = for_clause = _ignored

    def ordering(self, parts: list[Any]) -> Ordering:
        expression, direction, nulls = parts
        return Ordering(
            expression,
            descending=direction is not None and direction.lower() == "desc",
            nulls_last=nulls is not None and nulls.lower().endswith("last"),
        )

    def path(self, parts: list[Token]) -> PathNode:
        return PathNode(tuple(map(str, parts)), parts[0].start_pos or 0)

    def function(self, parts: list[Any]) -> FunctionNode:
        arguments = tuple(part for part in parts[1:] if part is not None)
        return FunctionNode(str(parts[0]), arguments, parts[0].start_pos)

    def and_list(self, parts: list[Any]) -> Combined:
        return Combined("and", tuple(parts))

    def or_list(self, parts: list[Any]) -> Combined:
        return Combined("or", tuple(parts))

    def negation(self, parts: list[Any]) -> Combined:
        return Combined("not", tuple(parts))

    def compare(self, parts: list[Any]) -> Comparison:
        operator = "!=" if parts[1] == "<>" else str(parts[1])
        return Comparison(parts[0], operator, parts[2])

    def like(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "like", parts[1])

    def member(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "in", parts[1])

    def not_member(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "not in", parts[1])

    def includes(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "includes", parts[1])

    def excludes(self, parts: list[Any]) -> Comparison:
        return Comparison(parts[0], "excludes", parts[1])

    def values(self, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    def semi_join(self, parts: list[Any]) -> Query:
        query: Query = parts[0]
        return query

    def text(self, parts: list[Token]) -> Literal:
        return Literal("text", unescape(parts[0]), parts[0].start_pos or 0)

    def datetime(self, parts: list[Token]) -> Literal:
        return Literal("datetime", str(parts[0]), parts[0].start_pos or 0)

    def date(self, parts: list[Token]) -> Literal:
        return Literal("date", str(parts[0]), parts[0].start_pos or 0)

    def number(self, parts: list[Token]) -> Literal:
        return Literal("number", str(parts[0]), parts[0].start_pos or 0)

    def nothing(self, parts: list[Token]) -> Literal:
        return Literal("null", None, parts[0].start_pos or 0)

    def true(self, parts: list[Token]) -> Literal:
        return Literal("boolean", True, parts[0].start_pos or 0)

    def false(self, parts: list[Token]) -> Literal:
        return Literal("boolean", False, parts[0].start_pos or 0)

    def relative(self, parts: list[Token]) -> Literal:
        return Literal("moment", str(parts[0]).upper(), parts[0].start_pos or 0)

    moment = relative


@cache
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "soql.lark").read_text()
    return Lark(grammar, parser="lalr", maybe_placeholders=True)


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        QueryError: `MALFORMED_QUERY`, with Salesforce's text and a mark under the place.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            "QUERY_TOO_COMPLICATED", "SOQL statements cannot be longer than 100000 characters."
        )
    try:
        query: Query = _Build(text).transform(_parser().parse(text))
    except UnexpectedToken as error:
        token = error.token
        if token.type == "$END":
            raise QueryError("MALFORMED_QUERY", "unexpected end of query") from error
        raise QueryError(
            "MALFORMED_QUERY", marked(text, token.start_pos or 0, f"unexpected token: '{token}'")
        ) from error
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
        raise QueryError(
            "MALFORMED_QUERY", marked(text, position, f"unexpected token: '{text[position]}'")
        ) from error
    except (UnexpectedInput, VisitError, StopIteration, ValueError) as error:
        raise QueryError("MALFORMED_QUERY", "unexpected end of query") from error
    return query


def plain_query(names: Sequence[str], source: str) -> Query:
    """`SELECT names FROM source` without parsing it."""
    text = "SELECT "
    items: list[Item | Query] = []
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
