"""What became of the cells of a day's files, by source: every filled one is somewhere, or is told.

A cell is *filled* where it holds more than blanks. Landing knows where each went: into a column of
a raw relation, into ``_extra`` where no raw column takes its header, or nowhere, as a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.shapes import Fit


@dataclass
class Unread:
    """A header that nothing reads.

    Attributes:
        cells: how many of its cells are filled.
        example: the first of them, cut.
        is_consent: whether it looks like consent, which stops a plan and is said there.
    """

    cells: int
    example: str | None
    is_consent: bool = False


@dataclass
class LeftOut:
    """Cells of one column that are not, or not all, in it.

    Attributes:
        column: of a staged relation.
        why: the reason, as in ``_blanked``.
        cells: how many.
        example: the first of them, cut.
        place: where it stands, ``file:line``.
    """

    column: str
    why: str
    cells: int
    example: str
    place: str


@dataclass
class Cells:
    """The cells of a file, or of all files of a source.

    Attributes:
        read: filled ones.
        kept: those in ``_extra``, where no raw column takes them or another cell fills it.
        withheld: those that are secrets, and did not land.
        left_out: those in columns whose value could not be used; ``_blanked`` has each.
        rejected: those of rejected rows.
        reasons: why cells are not, or not all, in their column, the most frequent first.
        blank_rows: rows in which nothing stands; they are no rows.
        unread: header → what stands below it and is read by nothing.
    """

    read: int = 0
    kept: int = 0
    withheld: int = 0
    left_out: int = 0
    rejected: int = 0
    blank_rows: int = 0
    unread: dict[str, Unread] = field(default_factory=dict)
    reasons: list[LeftOut] = field(default_factory=list)

    @property
    def in_columns(self) -> int:
        """Those that a column of a raw relation holds."""
        return self.read - self.kept - self.withheld

    def add(self, other: Cells) -> None:
        """Count another file of the same source."""
        self.read += other.read
        self.kept += other.kept
        self.withheld += other.withheld
        self.blank_rows += other.blank_rows
        for header, more in other.unread.items():
            if header in self.unread:
                self.unread[header].cells += more.cells
                self.unread[header].is_consent |= more.is_consent
            else:
                self.unread[header] = Unread(more.cells, more.example, more.is_consent)


def unread_lines(source: str, cells: Cells, most: int | None = None) -> Iterator[str]:
    """Each header that nothing reads with its cells, the most filled first, and what to say of it.

    What looks like consent is left out: it stops a plan, and is said there.

    Args:
        source: whose cells they are.
        cells: of all of its files.
        most: so many are listed, and of the others only how many there are; all by default.
    """
    unread = [(header, one) for header, one in cells.unread.items() if not one.is_consent]
    unread.sort(key=lambda one: (-one[1].cells, one[0]))
    for header, one in unread[:most]:
        number = "1 filled cell" if one.cells == 1 else f"{one.cells:,} filled cells"
        key = header.replace("\\", "\\\\").replace('"', '\\"')
        yield (
            f"{source}: nothing reads the column {header!r}, with {number}, such as"
            f" {one.example!r}; to read it, say under {source} in sources.yaml:"
            f' columns: {{"{key}": COLUMN}}, or ignore in place of COLUMN'
        )
    if most is not None and len(unread) > most:
        yield f"{source}: and {len(unread) - most:,} more columns: causeway status --json"


def counted(row: Sequence[Any], rows: int, fit: Fit, names: Sequence[str]) -> Cells:
    """A file's cells, from the row of ``landing_sql.cells_sql``.

    Args:
        row: the row, up to what is kept beside the raw columns.
        rows: how many the file has, blank ones too.
        fit: how its header was read.
        names: its headers, by position.
    """
    numbers = iter(row)
    filled = next(numbers)
    in_places = {place: next(numbers) for place in fit.places}
    withheld = sum(next(numbers) for _ in fit.withheld)
    examples = {place: next(numbers) for place in fit.extra}
    unread = {
        names[place]: Unread(in_places[place], examples[place], place in fit.unread)
        for place in fit.unknown
        if in_places[place]
    }
    return Cells(
        read=sum(in_places.values()) + withheld,
        kept=sum(in_places[place] for place in fit.extra) + next(numbers),
        withheld=withheld,
        blank_rows=rows - filled,
        unread=unread,
    )


def stored(document: Mapping[str, Any]) -> Cells:
    """Cells as a home keeps them, as JSON."""
    unread = {header: Unread(**one) for header, one in document["unread"].items()}
    names = ("read", "kept", "withheld", "blank_rows")
    return Cells(**{name: document[name] for name in names}, unread=unread)


def by_source(files: Iterable[tuple[str, Cells]]) -> dict[str, Cells]:
    """Source → the cells of all of its files, given each file's source."""
    sources: dict[str, Cells] = {}
    for source, cells in files:
        sources.setdefault(source, Cells()).add(cells)
    return sources
