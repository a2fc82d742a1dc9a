"""Parquet: every column as text; ``_row`` counts its rows from 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sources.format import Format
from pipelines.sources.readers.reader import Places, Remark, Unreadable, plainly_named, trimmed_sql
from pipelines.warehouse import literal, parquet_sql, pattern

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DAMAGED = "not a Parquet file, or a damaged one; export it again"


@dataclass(frozen=True)
class Parquet:
    """One Parquet file."""

    path: Path
    form: Format
    remarks: list[Remark] = field(default_factory=list, compare=False)

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        names, columns = self._columns()
        if not names:
            raise Unreadable("the file has no columns; export it again")
        for name, (_, kind) in zip(names, columns, strict=True):
            if any(sign in kind for sign in "([{") and not kind.startswith("DECIMAL"):
                raise Unreadable(f"the column {name!r} holds nested values ({kind}); flatten it")
        return names

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        import duckdb

        _, columns = self._columns()
        connection.execute("set preserve_insertion_order = true")
        try:
            with plainly_named(self.path) as path:
                query = _create_sql(name, path, columns, places, self.form.null_markers)
                connection.execute(query)
        except duckdb.ConversionException:
            raise Unreadable("a column holds bytes that are no UTF-8; export it as text") from None
        except duckdb.Error:
            raise Unreadable(_DAMAGED) from None
        finally:
            connection.execute("set preserve_insertion_order = false")
        connection.execute(_view_sql(name, places))

    def _columns(self) -> tuple[list[str], list[tuple[str, str]]]:
        """The names as the file has them; and what DuckDB calls each, twins apart, and its type."""
        import duckdb

        with duckdb.connect() as connection, plainly_named(self.path) as path:
            try:
                described = connection.execute(_describe_sql(path)).fetchall()
                schema = connection.execute(_SCHEMA, [pattern(path)]).fetchall()
            except duckdb.Error:
                raise Unreadable(_DAMAGED) from None
        return _outermost(schema), [(row[0], row[1]) for row in described]


def _outermost(schema: Sequence[tuple[str, int | None]]) -> list[str]:
    """The names of the columns, without those of what is nested in them."""
    names = []
    inside = 0
    for name, children in schema[1:]:
        if inside == 0:
            names.append(name)
        inside = max(inside - 1, 0) + (children or 0)
    return names


_SCHEMA = "select name, num_children from parquet_schema($1)"


def _describe_sql(path: Path) -> str:
    return f"describe select * from {parquet_sql(path)}"


def _create_sql(
    name: str,
    path: Path,
    columns: Sequence[tuple[str, str]],
    places: Places,
    markers: Sequence[str],
) -> str:
    nulls = ", ".join(map(literal, ("", *markers)))
    every = (*places.kept, *places.withheld)
    texts = ", ".join(f"{_text_sql(*columns[at])} as c{at}" for at in every)
    kept = [f"case when c{at} not in ({nulls}) then c{at} end as c{at}" for at in places.kept]
    filled = [
        f"(c{at} not in ({nulls}) and {trimmed_sql(f'c{at}')} <> '') or null as w{at}"
        for at in places.withheld
    ]
    return f"""
        create temp table {name}_text as
        with texts as (select {texts} from {parquet_sql(path)})
        select {", ".join(kept + filled)} from texts"""


def _view_sql(name: str, places: Places) -> str:
    columns = ", ".join(places.names)
    return f"""
        create temp view {name} as
        select {columns}, rowid + 1 as _row, null::varchar as _defect
        from {name}_text"""


def _text_sql(column: str, kind: str) -> str:
    """A number that only became a fraction because others are missing is a whole one again."""
    name = '"' + column.replace('"', '""') + '"'
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{name} = trunc({name}) and abs({name}) < 9007199254740992"
        text = f"case when {whole} then {name}::bigint::varchar else {name}::varchar end"
        return f"case when not isnan({name}) then {text} end"
    if kind == "BLOB":  # what some writers make of texts
        return f"decode({name})"
    return f"{name}::varchar"
