"""The law of cells at landing: what a file has of a raw column is what its relation has of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import InternalError
from pipelines.sources.opened import OpenedFile
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.relations import RAW
from pipelines.warehouse import filled_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def check_landed(
    connection: DuckDBPyConnection,
    files: Iterable[OpenedFile],
    written: Mapping[str, Path],
) -> None:
    """Compare what was counted in the files with what the relations on disk say of themselves.

    A file whose rows become several, or whose cells are put together, is left to the laws of the
    tests, and with it the relations that it has rows in; so is a column with a constant.

    Raises:
        InternalError: the sums of a column differ.
    """
    expected: dict[str, Counter[str]] = {}
    uncounted: set[str] = set()
    constant: set[tuple[str, str]] = set()
    for file in files:
        relation, columns = file.fit.shape.relation, file.filled_columns
        if not columns:
            uncounted |= {relation, ADDRESSES} if file.fit.has_addresses else {relation}
        expected.setdefault(relation, Counter()).update(columns)
        constant |= {(relation, column) for column in file.source.constants}
    for relation in expected.keys() - uncounted:
        filled = Counter(dict(connection.execute(filled_sql(written[relation])).fetchall()))
        for column in RAW[relation]:
            counted, landed = expected[relation][column], filled[column]
            if counted != landed and (relation, column) not in constant:
                raise InternalError(
                    f"cells of {relation}.{column} went astray: {counted:,} in the files, but"
                    f" {landed:,} landed"
                )
