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

MOST = 3
"""Records told of those in which two mappings meet."""


def check_disjoint(batch: Batch) -> None:
    """Hold the ``where:`` of mappings of one object against each other, by what they chose.

    Raises:
        ConfigError: two of them chose the same person or account, with both files and lines.
    """
    reason = "both conditions take them, and each would write over the other"
    _check(batch, ("sf", "key", "where"), reason)


def check_records(batch: Batch) -> None:
    """Hold the ``match:`` of mappings of one object against each other, by what they found.

    Raises:
        ConfigError: two of them found the same record of the org for somebody else each.
    """
    reason = "both find them in the org, for somebody else each, and only one may have them"
    _check(batch, ("plan", "sf_id", "match"), reason)


def _check(batch: Batch, compared: tuple[str, str, str], reason: str) -> None:
    stage, column, key = compared
    problems: list[Problem] = []
    for first_mapping, second_mapping in combinations(batch.mappings.values(), 2):
        if first_mapping.object != second_mapping.object:
            continue
        first, second = (
            batch.path(relation(stage, each.stem)) for each in (first_mapping, second_mapping)
        )
        with batch.project.warehouse.connect() as connection:
            rows = connection.execute(_met_sql(first, second, column)).fetchall()
        if rows:
            met = [value for [value] in rows]
            problems += _problems((first_mapping, second_mapping), key, met, reason)
    if problems:
        raise ConfigError(problems)


def _problems(
    pair: tuple[ObjectMapping, ObjectMapping], key: str, met: list[str], reason: str
) -> Iterator[Problem]:
    """The same of both files, each with the line of the other."""
    listed = ", ".join(met[:MOST])
    for mapping, rival in (pair, pair[::-1]):
        meets = f"{mapping.stem} and {rival.stem} ({rival.file.name}:{_line(rival, key)}) meet in"
        count = f"{len(met):,} {mapping.object}{'' if len(met) == 1 else 's'}, such as {listed}"
        yield Problem(
            str(mapping.file),
            _line(mapping, key),
            f"{key}: {meets} {count}: {reason}; nothing was written",
        )


def _line(mapping: ObjectMapping, key: str) -> int:
    """Where the key stands; where it does not, the object, which then decides."""
    return mapping.line(key if key in mapping.model_fields_set else "object")


def _met_sql(first: Path, second: Path, column: str) -> str:
    return (
        f"select distinct own.{column} from {parquet_sql(first)} as own"
        f" where own.{column} in (select {column} from {parquet_sql(second)})"
        f" order by own.{column}"
    )
