"""A ``.sql`` file is a relation: its stem is the name, its comment the documentation.

    -- One row per person of the batch's scope.            description, in Markdown
    -- owner: team:crm                                     who answers for it
    -- batches: person_records                             days to read of that relation, if not the
    --   select distinct batch from person_links           run's own
    -- rows_of: raw_contacts                               where that is empty, so is this one
    -- email: lower case, trimmed                          what a column holds

    with ... select ...

What it reads stands in the SQL itself: every table that is no CTE of its own and no ``config_``
table is a relation of the graph, and with ``_by_batch`` behind its name that relation of all days.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

CONFIG = "config_"
ALL_DAYS = "_by_batch"


@dataclass(frozen=True)
class SqlFile:
    """One ``.sql`` file, read; or SQL that was made from a mapping, with the mapping as its path.

    Attributes:
        relation: the name of asset, relation, file and test.
        path: where it stands.
        query: its one ``select``.
        description: the prose of its comment.
        owner: Dagster owner, an e-mail address or ``team:name``.
        columns: column → what it holds.
        batches: relation → query for the days of it to read, where not the run's own day.
        rows_of: relations of which each row takes a row; where one of them is empty nothing is
            asked, which matters to small batches: planning a query takes longer than running it.
    """

    relation: str
    path: Path
    query: str
    description: str
    owner: str
    columns: dict[str, str] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    rows_of: tuple[str, ...] = ()

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Every table it reads that is no CTE of its own, sorted."""
        try:
            return tables_of(self.query)
        except SqlError as error:
            raise ConfigError.at(self.path, error.line, f"not valid SQL: {error}") from None

    @property
    def upstream(self) -> list[str]:
        """The relations it reads, of its own day or of all."""
        names = {name.removesuffix(ALL_DAYS) for name in self.tables if not name.startswith(CONFIG)}
        return sorted(names)


def read_sql(path: Path) -> SqlFile:
    """Read one file; a file without a description is refused, for nobody could look it up."""
    text = path.read_text(encoding="utf-8")
    head = re.match(r"(?:--[^\n]*\n)*", text)
    comment = [] if head is None else [line[2:].removeprefix(" ") for line in head[0].splitlines()]
    prose: list[str] = []
    notes: dict[str, str] = {}
    key = ""
    for line in comment:
        named = re.fullmatch(r"([a-z_0-9]+): (.*)", line)
        if named:
            key = named[1]
            notes[key] = named[2]
        elif key and line.startswith("  "):
            notes[key] += f" {line.strip()}"
        else:
            key = ""
            prose.append(line)
    if not any(prose):
        raise ConfigError.at(path, 1, "say in a comment on top what one row of this relation is")
    owner = notes.pop("owner", "team:data")
    batches = notes.pop("batches", "")
    rows_of = notes.pop("rows_of", "")
    return SqlFile(
        relation=path.stem,
        path=path,
        query=text[head.end() if head else 0 :].strip().rstrip(";"),
        description="\n".join(prose).strip(),
        owner=owner,
        columns=notes,
        batches=dict([batches.split(" ", 1)]) if batches else {},
        rows_of=tuple(rows_of.split()),
    )


class SqlError(ValueError):
    """Text that is no SQL; ``line`` is where, counted from the text's first."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


@lru_cache(maxsize=256)  # every stage of every batch asks, of the same texts
def tables_of(query: str) -> tuple[str, ...]:
    """Every table that one ``select`` reads and that is no CTE of its own, sorted.

    Raises:
        SqlError: the text cannot be parsed.
    """
    # DuckDB reads its own SQL faster than sqlglot, which takes time to import as well.
    with _parser().cursor() as connection:
        result = connection.execute("select json_serialize_sql($1::varchar)", [query])
        [(answer,)] = result.fetchall()
    tree = json.loads(answer)
    if tree["error"]:
        place = tree.get("position")
        line = None if place is None else query.count("\n", 0, int(place)) + 1
        raise SqlError(tree["error_message"], line)
    return tuple(sorted(set(_read_by(tree["statements"], frozenset()))))


@lru_cache(maxsize=1)
def _parser() -> DuckDBPyConnection:
    """A DuckDB that only reads texts, with one thread."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


def _read_by(part: dict[str, Any] | list[Any], ctes: frozenset[str]) -> Iterator[str]:
    """The tables that a part of a syntax tree reads, given the CTEs it sees; some several times."""
    if isinstance(part, dict):
        for entry in part.get("cte_map", {}).get("map", ()):
            yield from _read_by(entry["value"], ctes)  # its own name is a table to it
            ctes |= {entry["key"].lower()}
        kind = part.get("type")
        if kind == "RECURSIVE_CTE_NODE":
            ctes |= {part["cte_name"].lower()}
        elif kind == "BASE_TABLE" and part["table_name"].lower() not in ctes:
            yield part["table_name"]
        part = [value for name, value in part.items() if name != "cte_map"]
    for value in part:
        if value and isinstance(value, dict | list):
            yield from _read_by(value, ctes)


def read_folder(folder: Path) -> list[SqlFile]:
    """Every relation of one stage, by name."""
    return [read_sql(path) for path in sorted(folder.glob("*.sql"))]


def column_lineage(
    query: str, schema: dict[str, object], columns: list[str]
) -> dict[str, list[tuple[str, str]]]:
    """Column → the upstream (relation, column) pairs its value comes from.

    Columns whose origin the SQL does not give (constants, config) have an empty list.

    Args:
        query: one ``select``.
        schema: relation → column → type, of everything the query reads.
        columns: the columns of the result to follow.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    parsed = sqlglot.parse_one(query, read="duckdb")
    for union in list(parsed.find_all(exp.SetOperation)):
        if union.args.get("by_name"):
            _by_place(union)
    parsed = parsed.transform(_value_only)
    tree = qualify(
        parsed, schema=schema, dialect="duckdb", validate_qualify_columns=False, identify=False
    )
    # Each CTE is followed once; sqlglot's own lineage walks all of them again for every column.
    origins_of: dict[int, dict[str, set[Origin]]] = {}
    for scope in traverse_scope(tree):
        origins_of[id(scope)] = _origins(scope, origins_of)
    return {column: sorted(origins_of[id(scope)].get(column, ())) for column in columns}


Origin = tuple[str, str]


def _origins(
    scope: Scope, known_origins: dict[int, dict[str, set[Origin]]]
) -> dict[str, set[Origin]]:
    """Column → where it comes from, of one ``select`` or union whose sources are known."""
    from sqlglot import exp

    query = scope.expression
    if scope.set_operation_scopes:
        left, right = (known_origins[id(branch)] for branch in scope.set_operation_scopes)
        pairs = zip(left.items(), right.values(), strict=True)
        return {name: origins | others for (name, origins), others in pairs}
    return {
        projection.alias_or_name: {
            origin
            for column in projection.find_all(exp.Column)
            for origin in _origins_of(column, scope, known_origins)
        }
        for projection in (query.selects if isinstance(query, exp.Query) else ())
    }


def _origins_of(
    column: exp.Column, scope: Scope, known_origins: dict[int, dict[str, set[Origin]]]
) -> set[Origin]:
    from sqlglot import exp

    source = scope.sources.get(column.table)
    if source is None:
        return set()
    if isinstance(source, exp.Table):
        table = source.name.removesuffix(ALL_DAYS)
        return set() if table.startswith(CONFIG) else {(table, column.name)}
    return known_origins[id(source)].get(column.name, set())


def _value_only(node: exp.Expression) -> exp.Expression:
    """Leave out what only chooses among values: filters, orders, windows, ``arg_min``'s second."""
    from sqlglot import exp

    while isinstance(node, exp.Filter | exp.Window | exp.ArgMin | exp.ArgMax):
        node = node.this
    if isinstance(node, exp.Case):
        values = [branch.args["true"] for branch in node.args["ifs"]]
        default = node.args.get("default")
        values += [default] if default is not None else []
        if any(value.find(exp.Column) for value in values):
            return exp.Coalesce(this=values[0], expressions=values[1:])
    return node


def _by_place(union: exp.SetOperation) -> None:
    """Line the columns of ``union all by name`` up, since lineage follows them by place only."""
    from sqlglot import exp

    names = union.named_selects
    for select in _branches(union):
        selected = {part.alias_or_name: part for part in select.expressions}
        missing = [exp.alias_(exp.null(), name) for name in names if name not in selected]
        aligned = selected | {part.alias: part for part in missing}
        select.set("expressions", [aligned[name] for name in names])
    union.set("by_name", False)


def _branches(part: exp.Query) -> Iterator[exp.Query]:
    from sqlglot import exp

    if isinstance(part, exp.SetOperation):
        yield from _branches(part.left)
        yield from _branches(part.right)
    else:
        yield part
