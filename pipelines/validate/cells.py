"""The law of cells: what stands in a landed row is in its staged row, or that row says why not.

Counted by column, from what the files say of themselves where they do: a column whose sums differ
means that a rule of staging or validation drops values, and nothing built on them can be trusted.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from pipelines.errors import InternalError
from pipelines.sources.relations import ORIGIN as MARKS
from pipelines.sources.relations import RAW
from pipelines.validate.judge_sql import ORIGIN
from pipelines.warehouse import Warehouse, filled_sql, literal, parquet_sql

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

PARTS = ("remark", "entities", "mojibake")
"""Reasons in ``_blanked`` of a cell that has its value in its column all the same."""

MOVED = frozenset(
    {"prefix", "first_name", "middle_name", "last_name", "suffix", "street", "customer_id"}
    | {"other_street", "website", "linkedin"}
)
"""Columns that staging fills from several, or reads as something else than text."""

_ORIGIN = ", ".join(ORIGIN)


def check_staged(
    warehouse: Warehouse, connection: DuckDBPyConnection, entity: str, day: date
) -> None:
    """Every filled cell of ``raw_<entity>`` is in its column of ``stg_<entity>``, or ``_blanked``.

    Raises:
        InternalError: the sums of a column differ.
    """
    raw, stg = (warehouse.path(f"{stage}_{entity}", day) for stage in ("raw", "stg"))
    landed, staged = (_filled(connection, path) for path in (raw, stg))
    blanked = dict(connection.execute(left_out_sql(f"stg_{entity}")).fetchall())
    for column in RAW[f"raw_{entity}"]:
        name = f"{column}_text" if f"{column}_text" in staged else column
        if name not in staged or column in MOVED:
            continue
        if landed[column] != staged[name] + blanked.get(column, 0):
            raise InternalError(
                f"cells of {entity}.{column} went astray: {landed[column]:,} landed, but"
                f" {staged[name]:,} are staged and {blanked.get(column, 0):,} left out"
            )


def check_judged(
    warehouse: Warehouse, connection: DuckDBPyConnection, entity: str, day: date
) -> None:
    """Every filled cell of ``stg_<entity>`` is in ``valid_<entity>``, a blank, or a failed row's.

    Only columns with blanks are counted in failed rows; of the others, which are copied row by row,
    no more can be missing than there are such rows.

    Raises:
        InternalError: the sums of a column differ.
    """
    staged, valid = (
        _filled(connection, warehouse.path(f"{stage}_{entity}", day)) for stage in ("stg", "valid")
    )
    columns = [name for name in staged if name not in (*MARKS, "_blanked")]
    blanks = sorted(dict(connection.execute(_blanks_sql()).fetchall()))
    [(failed, *in_failed)] = connection.execute(_failed_sql(entity, blanks)).fetchall()
    cells = dict(zip(blanks, in_failed, strict=True))
    for column in columns:
        if column in cells:
            blank = _filled_blanks(connection, entity, column)
            astray = staged[column] != valid[column] + cells[column] + blank
        else:
            astray = not 0 <= staged[column] - valid[column] <= failed
        if astray:
            raise InternalError(
                f"cells of {entity}.{column} went astray: {staged[column]:,} staged,"
                f" {valid[column]:,} valid, in {failed:,} rejected rows and blanks the rest"
            )


def left_out_sql(relation: str) -> str:
    """(column, cells) of ``_blanked``, of those that have nothing in their column."""
    parts = ", ".join(map(literal, PARTS))
    return f"""
        select name, count(*)
        from (
            select _blanked, unnest(json_keys(_blanked)) as name
            from {relation}
            where _blanked is not null
        )
        where _blanked ->> ('$.' || name || '.why') not in ({parts})
        group by name
        order by name
    """


def _filled(connection: DuckDBPyConnection, path: Path) -> Counter[str]:
    """Column → how many rows have a value, as the Parquet file says; one without rows has none."""
    return Counter(dict(connection.execute(filled_sql(path)).fetchall()))


def _failed_sql(entity: str, columns: list[str]) -> str:
    counts = ", ".join(["count(*)", *(f"count({column})" for column in columns)])
    return f"select {counts} from stg_{entity} semi join failures using ({_ORIGIN})"


def _blanks_sql() -> str:
    return "select field, count(*) from blanks group by field"


def _filled_blanks(connection: DuckDBPyConnection, entity: str, column: str) -> int:
    [(cells,)] = connection.execute(_filled_blanks_sql(entity, column)).fetchall()
    return int(cells)


def _filled_blanks_sql(entity: str, column: str) -> str:
    """Blanks of rows that are valid and had a value that staging could read."""
    return f"""
        select count({column})
        from stg_{entity}
        semi join (select * from blanks where field = {literal(column)}) using ({_ORIGIN})
        anti join failures using ({_ORIGIN})
    """


def blanked_sql(relation: str) -> str:
    """Per source: column, why, how many cells, the first of them, and where it stands."""
    return f"""
        select
            _source,
            name,
            _blanked ->> ('$.' || name || '.why') as why,
            count(*) as cells,
            left(arg_min(_blanked ->> ('$.' || name || '.value'), (_file, _row)), 40) as example,
            arg_min(_file || ':' || _row, (_file, _row)) as place
        from (
            select _source, _file, _row, _blanked, unnest(json_keys(_blanked)) as name
            from {relation}
            where _blanked is not null
        )
        group by _source, name, why
        order by _source, cells desc, name, why
    """


def rejected_sql(path: Path, columns: tuple[str, ...]) -> str:
    """Per source: the filled cells of its rejected rows."""
    filled = " + ".join(
        f"(raw ->> {literal(f'$.{column}')} is not null)::int" for column in columns
    )
    return f"""
        select _source, sum({filled})::bigint
        from {parquet_sql(path)}
        group by _source
    """
