"""The columns of a batch's files that nothing reads, as a plan says them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.sources.cells import unread_lines
from pipelines.sources.land import cells

if TYPE_CHECKING:
    from pipelines.batch import Batch

MOST = 12
"""Columns of one source that are listed."""


def unread_columns(batch: Batch) -> Iterator[str]:
    """A line for each, those with most filled cells first."""
    for source, found in sorted(cells(batch.project.warehouse, batch.day).items()):
        yield from unread_lines(source, found, MOST)
