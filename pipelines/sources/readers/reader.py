"""What every reader does: it tells the header of its file, and leaves its rows in DuckDB.

The rows become a view: ``c0, c1, …`` for the columns that are kept (all ``varchar``, blank = null),
``w2, …`` for those that are withheld (``boolean``: true where a cell is filled, else null),
``_row`` and ``_defect`` as in the raw relations. What the header means is not a reader's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from pipelines.sources.format import Format

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Unreadable(Exception):
    """A file that cannot be read at all; the text says why and what to do."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


class Remark(NamedTuple):
    """What was done with a file that people should know, though nothing is wrong with it."""

    line: int | None
    message: str


class Places(NamedTuple):
    """The columns of a file by their positions: those to keep, and those of which only to count."""

    kept: Sequence[int]
    withheld: Sequence[int] = ()

    @property
    def names(self) -> list[str]:
        """What the columns of the view are called."""
        return [*(f"c{at}" for at in self.kept), *(f"w{at}" for at in self.withheld)]


class Reader(Protocol):
    """One file.

    Attributes:
        remarks: what is to be known of it once it is loaded.
    """

    @property
    def remarks(self) -> list[Remark]:
        """See above."""

    def header(self) -> list[str]:
        """The names of its columns, in order, as written.

        Raises:
            Unreadable: the file is empty, no file of its kind, or its header cannot be read.
        """

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """Make the view ``name`` of the file's rows, with the columns at these ``places``.

        Raises:
            Unreadable: the file turns out to be something else further down.
        """


@runtime_checkable
class Tabular(Reader, Protocol):
    """A file of lines and cells, whose header may stand further down, or be cut otherwise."""

    @property
    def form(self) -> Format:
        """How it is written."""

    def first_line(self) -> int:
        """The line in which the header is looked for where nobody says another."""

    def elsewhere(self) -> Iterator[tuple[Tabular, list[str]]]:
        """The same file with its header in each other place that is not ruled out, and the header.

        ``form`` of each says what one would declare for it.
        """


HEAD_LINES = 20
"""Lines at the start of a file among which the header is looked for."""


def footer_remarks(lines: Sequence[int]) -> list[Remark]:
    """What to say of the lines that a footer stood in."""
    if not lines:
        return []
    number = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    return [Remark(lines[0], f"{number} below the last row left out: a footer, nobody's data")]


def named_by_place(width: int) -> list[str]:
    """The names of columns in a file without a header."""
    return [f"column {place}" for place in range(1, width + 1)]


@contextmanager
def plainly_named(path: Path) -> Iterator[Path]:
    """A file under a name that DuckDB takes for that file alone: its own, or a link's.

    Of a name that looks like a pattern DuckDB searches the whole folder, and no pattern can say a
    backslash, or bytes that are no text.
    """
    if not _ODD.search(str(path)):
        yield path
        return
    with TemporaryDirectory() as folder:
        link = Path(folder) / "file"
        link.symlink_to(path.absolute())
        yield link


_ODD = re.compile(r"[*?[\\\ud800-\udfff]")


def trimmed_sql(column: str) -> str:
    """A cell without blanks around it; nothing where it holds nothing else."""
    return f"trim({column}, e' \\t\\r\\n')"
