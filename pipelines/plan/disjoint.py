"""Two mappings of one object must not meet in a record: each would write it over the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError, Problem
from pipelines.sync.mapping.model import relation
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.batch import Batch
    from pipelines.sync.mapping.model import ObjectMapping

SHOWN = 3
"""Records told of those in which two mappings meet."""


def check_disjoint(batch: Batch) -> None:
    """Hold the ``where:`` of mappings of one object against each other, by what they chose.

    Raises:
        ConfigError: two of them chose the same person or account, with both files and lines.
    """
    why = "both conditions take them, and each would write over the other"
    _check(batch, ("sf", "key", "where"), why)


def check_records(batch: Batch) -> None:
    """Hold the ``match:`` of mappings of one object against each other, by what they found.

    Raises:
        ConfigError: two of them found the same record of the org for somebody else each.
    """
    why = "both find them in the org, for somebody else each, and only one may have them"
    _check(batch, ("plan", "sf_id", "match"), why)


def _check(batch: Batch, what: tuple[str, str, str], why: str) -> None:
    stage, column, key = what
    problems: list[Problem] = []
    for one, other in combinations(batch.mappings.values(), 2):
        if one.object != other.object:
            continue
        first, second = (batch.path(relation(stage, each.stem)) for each in (one, other))
        with batch.project.warehouse.connect() as connection:
            rows = connection.execute(_met_sql(first, second, column)).fetchall()
        if rows:
            met = [value for [value] in rows]
            problems += _problems((one, other), key, met, why)
    if problems:
        raise ConfigError(problems)


def _problems(
    pair: tuple[ObjectMapping, ObjectMapping], key: str, met: list[str], why: str
) -> Iterator[Problem]:
    """The same of both files, each with the line of the other."""
    listed = ", ".join(met[:SHOWN])
    for one, other in (pair, pair[::-1]):
        meets = f"{one.stem} and {other.stem} ({other.file.name}:{_line(other, key)}) meet in"
        count = f"{len(met):,} {one.object}{'' if len(met) == 1 else 's'}, such as {listed}"
        yield Problem(
            str(one.file), _line(one, key), f"{key}: {meets} {count}: {why}; nothing was written"
        )


def _line(mapping: ObjectMapping, key: str) -> int:
    """Where the key stands; where it does not, the object, which then decides."""
    return mapping.line(key if key in mapping.model_fields_set else "object")


def _met_sql(one: Path, other: Path, column: str) -> str:
    return (
        f"select distinct one.{column} from {parquet_sql(one)} as one"
        f" where one.{column} in (select {column} from {parquet_sql(other)})"
        f" order by one.{column}"
    )
