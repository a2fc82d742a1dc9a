"""Parquet: every column as text; ``_row`` counts its rows from 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sources.model import Format
from pipelines.sources.readers.reader import Unreadable
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Parquet:
    """One Parquet file."""

    path: Path
    form: Format

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        columns = self._columns()
        for name, kind in columns:
            if any(sign in kind for sign in "([{") and not kind.startswith("DECIMAL"):
                raise Unreadable(f"the column {name!r} holds nested values ({kind}); flatten it")
        return [name for name, _ in columns]

    def load(self, connection: DuckDBPyConnection, name: str, places: Sequence[int]) -> None:
        """See ``Reader.load``."""
        columns = self._columns()
        chosen = [(place, *columns[place]) for place in places]
        connection.execute(_create_sql(self, name, chosen))

    def _columns(self) -> list[tuple[str, str]]:
        import duckdb

        with duckdb.connect() as connection:
            try:
                rows = connection.execute(_describe_sql(self.path)).fetchall()
            except duckdb.Error:
                raise Unreadable("not a Parquet file, or a damaged one; export it again") from None
        return [(row[0], row[1]) for row in rows]


def _describe_sql(path: Path) -> str:
    return f"describe select * from read_parquet({literal(path)})"


def _create_sql(file: Parquet, name: str, chosen: Sequence[tuple[int, str, str]]) -> str:
    nulls = ", ".join(literal(marker) for marker in ("", *file.form.null_markers))
    texts = "".join(f"{_text_sql(column, kind)} as c{at}, " for at, column, kind in chosen)
    columns = "".join(
        f"case when c{at} not in ({nulls}) then c{at} end as c{at}, " for at, *_ in chosen
    )
    return f"""
        create temp table {name} as
        with texts as (
            select {texts}file_row_number + 1 as _row
            from read_parquet({literal(file.path)}, file_row_number = true)
        )
        select {columns}_row, null::varchar as _defect
        from texts"""


def _text_sql(column: str, kind: str) -> str:
    """A number that only became a fraction because others are missing is a whole one again."""
    name = '"' + column.replace('"', '""') + '"'
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{name} = trunc({name}) and abs({name}) < 9007199254740992"
        return f"case when {whole} then {name}::bigint::varchar else {name}::varchar end"
    return f"{name}::varchar"
