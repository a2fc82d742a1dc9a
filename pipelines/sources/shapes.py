"""Which kind of file a header belongs to, and which of its columns is which raw column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.sources.headers import distance, plain, squeeze
from pipelines.sources.model import Source
from pipelines.sources.presets import Shape
from pipelines.sources.relations import RAW
from pipelines.sources.repaired import is_reasons

MOST = 4096
"""Columns of a file: each costs a part of a query."""


class Unfit(Exception):
    """A header that fits no shape of its source; the text says why and what to do."""


@dataclass(frozen=True)
class Fit:
    """A header read through a shape; columns are positions in the file.

    Attributes:
        shape: the kind of file it is.
        columns: raw column of the shape's relation → position.
        addresses: column of raw_customer_addresses → position, where a row carries both.
        ids: positions whose values together make the id, where the source names several.
        extra: positions no raw column takes; they land in ``_extra``.
        places: every position but those of secrets and of the reasons of rejected rows.
        withheld: the positions of secrets.
    """

    shape: Shape
    columns: Mapping[str, int]
    addresses: Mapping[str, int]
    ids: tuple[int, ...]
    extra: tuple[int, ...]
    places: tuple[int, ...]
    withheld: tuple[int, ...]

    @property
    def unshared(self) -> tuple[int, ...]:
        """The positions that only the row's own relation takes, not its address."""
        return tuple(sorted({*self.columns.values()} - {*self.addresses.values()}))


def fit(header: Sequence[str], source: Source) -> Fit:
    """Read a header through the best of the source's shapes: the one that knows most columns.

    Raises:
        Unfit: no shape has all its mandatory columns, or two columns say the same.
    """
    if len(header) > MOST:
        raise Unfit(
            f"the header has {len(header):,} columns; keep those you need, at most {MOST:,}"
        )
    if any("\0" in name for name in header):
        raise Unfit("the header has a zero byte, which is in no text; export the file again")
    _refuse_twins(header, source)
    candidates = [_through(header, shape, source) for shape in source.shapes()]
    fits = [candidate for candidate in candidates if not _missing(candidate, source)]
    best = max(fits or candidates, key=lambda one: len(one.columns) + len(one.addresses))
    if not fits:
        raise Unfit(_unfit(best, source))
    return best


def column_names(header: Sequence[str]) -> list[str]:
    """The header's names as ``_extra`` shows them; a column without one is called by its place."""
    return [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]


def _refuse_twins(header: Sequence[str], source: Source) -> None:
    names = column_names(header)
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names, 1):
        places[plain(name)].append(place)
    twins = [
        f"{names[twin_places[0] - 1]!r} (columns {', '.join(map(str, twin_places))})"
        for name, twin_places in places.items()
        if len(twin_places) > 1 and not source.withholds(name)
    ]
    if twins:
        raise Unfit(f"the header has {', '.join(twins)} more than once; rename or remove one")
    if not any(map(plain, header)):
        raise Unfit("the header is blank; the first line must name the columns")


def _through(header: Sequence[str], shape: Shape, source: Source) -> Fit:
    withheld = tuple(place for place, name in enumerate(header) if source.withholds(name))
    left_out = {*withheld, *(place for place, name in enumerate(header) if is_reasons(name))}
    places = tuple(place for place in range(len(header)) if place not in left_out)
    columns = _match(header, places, shape.columns)
    addresses = _match(header, places, shape.addresses or {})
    for constant in source.constants:
        columns.pop(constant, None)
        addresses.pop(constant, None)
    ids: list[int] = []
    if len(id_names := source.ids_of(shape)) > 1 or (
        id_names and id_names[0] in RAW[shape.relation]
    ):
        matched = _match(header, places, {name: name for name in id_names}) | columns
        if absent := [name for name in id_names if name not in matched]:
            raise Unfit(f"the header misses {_listed(absent)}, which 'ids' names for this source")
        ids = [matched[name] for name in id_names]
        if columns.get(shape.id) not in ids:  # what the file calls its id is no part of ours
            columns.pop(shape.id, None)
    used = {*columns.values(), *addresses.values()}
    extra = tuple(place for place in places if place not in used)
    return Fit(shape, columns, addresses, tuple(ids), extra, places, withheld)


def _match(
    header: Sequence[str], places: Sequence[int], spellings: Mapping[str, str]
) -> dict[str, int]:
    """Raw column → position of the first of its spellings that the header has."""
    squeezed: dict[str, list[int]] = defaultdict(list)
    for place in places:
        squeezed[squeeze(header[place])].append(place)
    matched: dict[str, int] = {}
    for spelling, column in spellings.items():
        matching = squeezed.get(squeeze(spelling), [])
        if column in matched or not matching:
            continue
        near = sorted((distance(header[place], spelling) or 0, place) for place in matching)
        if len(near) > 1 and near[0][0] == near[1][0]:
            both = _listed([header[place] for _, place in near])
            raise Unfit(f"the header has {both}, which all read as {column}; rename all but one")
        matched[column] = near[0][1]
    return matched


def _missing(candidate: Fit, source: Source) -> list[tuple[str, ...]]:
    """The mandatory columns that nothing gives: neither the header nor a constant."""
    filled = {*candidate.columns, *source.constants}
    if candidate.ids:
        filled.add(candidate.shape.id)
    mandatory = ((one,) if isinstance(one, str) else one for one in candidate.shape.mandatory)
    return [choices for choices in mandatory if filled.isdisjoint(choices)]


def _unfit(best: Fit, source: Source) -> str:
    def spelled(column: str) -> str:
        return next((h for h, raw in best.shape.columns.items() if raw == column), column)

    absent = [" or ".join(repr(spelled(one)) for one in c) for c in _missing(best, source)]
    presets = ", ".join(source.preset)
    return (
        f"the header misses {', '.join(absent)} (preset {presets}); "
        "if a column has another name, say so under 'columns' of this source in sources.yaml"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name.strip()) for name in names)
