"""The parser: the text of a query becomes the values of `tree`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from pipelines.local_org.soql.tree import (
    Combined,
    Comparison,
    FunctionNode,
    Item,
    Literal,
    Ordering,
    PathNode,
    Query,
    QueryError,
    TypeOf,
    marked,
)

MAX_LENGTH = 100_000
MOST_ROWS = 2_147_483_647


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
    """Turns lark's tree into the values of ours."""

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

    def typeof(self, parts: list[Any]) -> TypeOf:
        relationship, *cases, otherwise = parts
        return TypeOf(relationship, tuple(cases), otherwise or ())

    def when(self, parts: list[Any]) -> tuple[str, tuple[PathNode, ...]]:
        return str(parts[0]), tuple(parts[1:])

    def else_(self, parts: list[Any]) -> tuple[PathNode, ...]:
        return tuple(parts)

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
        return _Clause("limit", self._number(parts[0]))

    def offset(self, parts: list[Any]) -> _Clause:
        return _Clause("offset", self._number(parts[0]))

    def _number(self, token: Token) -> int:
        if not 0 <= int(token) <= MOST_ROWS or token.startswith("+"):
            raise self._malformed(token)
        return int(token)

    def _malformed(self, token: Token) -> QueryError:
        message = f"unexpected token: '{token}'"
        return QueryError("MALFORMED_QUERY", marked(self._text, token.start_pos or 0, message))

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
        try:
            text = unescape(parts[0])
            text.encode()
        except (StopIteration, RuntimeError, ValueError) as error:
            raise self._malformed(parts[0]) from error
        return Literal("text", text, parts[0].start_pos or 0)

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
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from error
        raise
    except UnexpectedInput as error:
        raise QueryError("MALFORMED_QUERY", "unexpected end of query") from error
    return query
