"""Which columns of a file say something of consent.

What a source declares of a header counts first, then what its preset lists, then the words that
speak of consent; only what is left is read by words of anything else. A status of no named thing is
the exception: it says something of consent only where it is no column of anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pipelines.sources.consent import ConsentKind, Reading, read_header
from pipelines.sources.headers import undistinguished
from pipelines.sources.model import Source
from pipelines.sources.presets import Shape
from pipelines.sources.relations import SPEAKING


def statements(header: Sequence[str], places: Iterable[int], source: Source) -> dict[int, Reading]:
    """Position → what its header says of consent, of those that say or seem to say something.

    Args:
        header: of the file.
        places: the positions that nobody gave to another column.
        source: whose file it is.
    """
    found = {}
    for place in places:
        name = undistinguished(header[place].strip())
        declared = source.consent(name)
        reading = declared or read_header(name)
        if declared or reading.unread or reading.kind is not None:
            found[place] = reading
    return found


def reserved(found: Mapping[int, Reading]) -> frozenset[int]:
    """The positions that no other word of their header makes a column of something else."""
    return frozenset(place for place, reading in found.items() if reading.kind != "any_status")


def read_and_unread(
    found: Mapping[int, Reading], extra: Collection[int], shape: Shape
) -> tuple[tuple[tuple[int, ConsentKind], ...], tuple[int, ...]]:
    """(Position, kind) of the columns that are read, and the positions of those nobody can read.

    Args:
        found: by ``statements``.
        extra: the positions that no raw column takes.
        shape: the kind of file; a row that is of no person, such as an address, says nothing.
    """
    read: list[tuple[int, ConsentKind]] = []
    unread = []
    for place in sorted(found.keys() & set(extra)):
        kind = found[place].kind
        if kind == "ignore":
            continue
        if kind is not None and shape.relation in SPEAKING:
            read.append((place, kind))
        elif kind != "any_status":
            unread.append(place)
    return tuple(read), tuple(unread)
