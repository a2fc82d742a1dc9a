"""Which kind of file a header belongs to, and which of its columns is which raw column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.sources.columns import Places, assign
from pipelines.sources.consent import ConsentKind
from pipelines.sources.headers import distance, distinct, plain, squeeze
from pipelines.sources.model import Kind, Source
from pipelines.sources.presets import ADDRESSES, Shape
from pipelines.sources.relations import RAW
from pipelines.sources.repaired import is_reasons
from pipelines.sources.repeated import joined, labels, offered, repeated
from pipelines.sources.statements import read_and_unread, reserved, statements
from pipelines.sources.words import PARTS

MOST = 4096
"""Columns of a file: each costs a part of a query."""


class Unfit(Exception):
    """A header that fits no shape of its source; the text says why and what to do."""


@dataclass(frozen=True)
class Fit:
    """A header read through a shape; columns are positions in the file.

    Attributes:
        kind: the preset, and the kind of file of it.
        columns: raw column of the shape's relation → positions, the preferred one first.
        addresses: column of raw_customer_addresses → positions, where a row carries both.
        blocks: where a row has several addresses, each of them, the preferred one first: part →
            positions. Those of the first that is filled are the row's address.
        labels: position of a phone → position of its label, which says what kind of phone it is.
        repeated: positions of further e-mail addresses and phones → what ``_extra`` calls them.
        ids: positions whose values together make the id, where the source names several.
        extra: positions no raw column takes; they land in ``_extra``.
        ignored: those of ``extra`` that the source says to ignore.
        consent: those of ``extra`` that say something of consent, with the kind; they land in
            ``_consent`` as well.
        unread: those of ``extra`` that look like consent, and of which nobody knows what they say.
        places: every position but those of secrets and of the reasons of rejected rows.
        withheld: the positions of secrets.
    """

    kind: Kind
    columns: Mapping[str, Places]
    addresses: Mapping[str, Places]
    blocks: tuple[Mapping[str, Places], ...]
    labels: Mapping[int, int]
    repeated: Mapping[int, str]
    ids: tuple[int, ...]
    extra: tuple[int, ...]
    ignored: tuple[int, ...]
    consent: tuple[tuple[int, ConsentKind], ...]
    unread: tuple[int, ...]
    places: tuple[int, ...]
    withheld: tuple[int, ...]

    @property
    def shape(self) -> Shape:
        """The kind of file it is."""
        return self.kind.shape

    @property
    def used(self) -> frozenset[int]:
        """The positions that some raw column takes."""
        groups = (self.columns, self.addresses, *self.blocks)
        return frozenset(at for group in groups for places in group.values() for at in places)

    @property
    def ends(self) -> dict[int, list[str]]:
        """Position → the raw columns that take its cells, ``raw_x.column``."""
        taken: dict[int, list[str]] = defaultdict(list)
        relation = self.shape.relation
        of_blocks = relation if self.shape.addresses is None else ADDRESSES
        groups = [(relation, self.columns), (ADDRESSES, self.addresses)]
        groups += [(of_blocks, block) for block in self.blocks]
        for name, group in groups:
            for column, places in group.items():
                for place in places:
                    if (end := f"{name}.{column}") not in taken[place]:
                        taken[place].append(end)
        for place in self.ids:
            taken[place].append(f"{relation}.{self.shape.id}")
        for phone, label in self.labels.items():
            taken[label] += taken[phone]
        return taken

    @property
    def unknown(self) -> tuple[int, ...]:
        """The positions that nothing reads, and of which the source does not say so."""
        known = {*self.ends, *self.ignored, *(place for place, _ in self.consent)}
        return tuple(place for place in self.extra if place not in known)

    @property
    def raw_columns(self) -> list[str]:
        """The raw columns that the file has, ``raw_x.column``, those of a second address too."""
        ends = {end for listed in self.ends.values() for end in listed}
        second = {f"other_{part}" for block in self.blocks[1:] for part in block}
        relation = self.shape.relation
        ends |= {f"{relation}.{column}" for column in second.intersection(RAW[relation])}
        return sorted(ends)

    @property
    def unshared(self) -> tuple[int, ...]:
        """The positions that only the row's own relation takes, not its address."""
        groups = (self.addresses, *self.blocks)
        shared = {at for group in groups for places in group.values() for at in places}
        return tuple(sorted(self.used - shared))

    @property
    def has_addresses(self) -> bool:
        """Whether a row carries an address that is a row of its own, whatever blocks it is in."""
        return self.shape.addresses is not None and bool(self.addresses or self.blocks)

    @property
    def address_places(self) -> tuple[int, ...]:
        """The positions by which a row has an address.

        A company, phone or fax that stands with the customer as well makes none.
        """
        shared = {"company", "phone", "fax"} & {*self.columns}
        groups = (self.addresses, *self.blocks)
        return tuple(
            at
            for group in groups
            for column, places in group.items()
            if column not in shared
            for at in places
        )


def fit(header: Sequence[str], source: Source) -> Fit:
    """Read a header through the best of the source's shapes: the one that knows most columns.

    For the generic preset a shape of any preset counts whose signature the header bears; of several
    the one that knows most columns, and of these the first by name.

    Raises:
        Unfit: no shape has all its mandatory columns.
    """
    if len(header) > MOST:
        raise Unfit(
            f"the header has {len(header):,} columns; keep those you need, at most {MOST:,}"
        )
    if any("\0" in name for name in header):
        raise Unfit("the header has a zero byte, which is in no text; export the file again")
    _refuse_blank(header)
    names = frozenset(map(plain, header))
    known = [_through(header, kind, source) for kind in source.signed() if _signed(kind, names)]
    fits = [candidate for candidate in known if not _missing(candidate, source)]
    if not fits:
        candidates = [_through(header, kind, source) for kind in source.kinds()]
        fits = [candidate for candidate in candidates if not _missing(candidate, source)]
        if not fits:
            raise Unfit(_unfit(max(candidates, key=_known), source))
    return max(fits, key=_known)


def column_names(header: Sequence[str]) -> list[str]:
    """The header's names as ``_extra`` shows them; a column without one is called by its place."""
    by_place = (name.strip() or f"column {place}" for place, name in enumerate(header, 1))
    return distinct(list(by_place))


def _refuse_blank(header: Sequence[str]) -> None:
    if not any(map(plain, header)):
        raise Unfit("the header is blank; it must name the columns")


def _known(candidate: Fit) -> int:
    return len(candidate.used)


def _signed(kind: Kind, names: Collection[str]) -> bool:
    return all(plain(header) in names for header in kind.shape.signature)


def _through(header: Sequence[str], kind: Kind, source: Source) -> Fit:
    shape = kind.shape
    withheld = tuple(place for place, name in enumerate(header) if source.withholds(name))
    left_out = {*withheld, *(place for place, name in enumerate(header) if is_reasons(name))}
    places = tuple(place for place in range(len(header)) if place not in left_out)
    listed = _listed(header, places, shape.columns)
    alone = {*source.named.values(), *source.constants}
    columns = {
        column: ones[:1] if column in alone or column.endswith("_id") else ones
        for column, ones in listed.items()
        if column not in source.constants
    }
    addresses = _listed(header, places, shape.addresses or {})
    blocks: list[Mapping[str, Places]] = []
    known = {at for ones in (*listed.values(), *addresses.values()) for at in ones}
    spoken = statements(header, (at for at in places if at not in known), source)
    if shape.words:
        left = (at for at in places if at not in known | reserved(spoken))
        free = {at: header[at] for at in left if _is_free(header[at], shape)}
        taken = {*alone, *(column for column in columns if column.endswith("_id"))}
        own = assign(free, shape.relation, taken)
        columns = joined(columns, own.columns)
        columns, blocks = _with_blocks(columns, own.blocks)
        if shape.addresses is not None:
            further = assign(free, ADDRESSES, taken & {*PARTS, "region"})
            addresses, blocks = _with_blocks(joined(addresses, further.columns), further.blocks)
    phone_labels = labels(header, columns)
    columns = offered(columns, phone_labels, shape.relation)
    ids = _ids(header, places, columns, shape, source)
    if ids and not {*columns.get(shape.id, ())} <= {*ids}:
        columns.pop(shape.id)  # what the file calls its id is no part of ours
    fitted = Fit(
        kind,
        columns,
        addresses,
        tuple(blocks),
        phone_labels,
        repeated(columns),
        ids,
        (),
        (),
        (),
        (),
        places,
        withheld,
    )
    extra = tuple(place for place in places if place not in fitted.used)
    consent, unread = read_and_unread(spoken, extra, shape)
    ignored = tuple(at for at in extra if at in spoken and spoken[at].kind == "ignore")
    return replace(fitted, extra=extra, ignored=ignored, consent=consent, unread=unread)


def _listed(
    header: Sequence[str], places: Sequence[int], spellings: Mapping[str, str]
) -> dict[str, Places]:
    """Raw column → the positions of its spellings, in their order; of one spelling the nearest."""
    squeezed: dict[str, list[int]] = defaultdict(list)
    for place in places:
        squeezed[squeeze(header[place])].append(place)
    matched: dict[str, list[int]] = defaultdict(list)
    for spelling, column in spellings.items():
        near = [(distance(header[at], spelling) or 0, at) for at in squeezed[squeeze(spelling)]]
        matched[column] += [at for _, at in sorted(near) if at not in matched[column]]
    return {column: tuple(found) for column, found in matched.items() if found}


def _ids(
    header: Sequence[str],
    places: Sequence[int],
    columns: Mapping[str, Places],
    shape: Shape,
    source: Source,
) -> tuple[int, ...]:
    """The positions whose values together make the id, if the source names several."""
    names = source.ids_of(shape)
    if len(names) < 2 and not (names and names[0] in RAW[shape.relation]):
        return ()
    matched = {**_listed(header, places, {name: name for name in names}), **columns}
    if absent := [name for name in names if name not in matched]:
        raise Unfit(f"the header misses {_spelled(absent)}, which 'ids' names for this source")
    return tuple(matched[name][0] for name in names)


def _is_free(name: str, shape: Shape) -> bool:
    return all(squeeze(name) != squeeze(unread) for unread in shape.unread)


def _with_blocks(
    columns: Mapping[str, Places], blocks: Iterable[Mapping[str, Places]]
) -> tuple[dict[str, Places], list[Mapping[str, Places]]]:
    """The columns with the only address of a row; or without any, and the addresses beside them."""
    parts = {*PARTS, "region", "building"}
    listed = {column: places for column, places in columns.items() if column in parts}
    found: list[dict[str, Places]] = [listed] if listed else []
    for block in blocks:
        if found and found[0].keys().isdisjoint(block):
            found[0] |= block
        else:
            found.append(dict(block))
    rest = {column: places for column, places in columns.items() if column not in parts}
    return (rest | found[0], []) if len(found) == 1 else (rest, [*found])


def _missing(candidate: Fit, source: Source) -> list[tuple[str, ...]]:
    """The mandatory columns that nothing gives: neither the header nor a constant."""
    filled = {*candidate.columns, *source.constants}
    if candidate.shape.relation != "raw_customers":
        filled.update(*candidate.blocks)
    if candidate.ids:
        filled.add(candidate.shape.id)
    mandatory = ((one,) if isinstance(one, str) else one for one in candidate.shape.mandatory)
    return [choices for choices in mandatory if filled.isdisjoint(choices)]


def _unfit(best: Fit, source: Source) -> str:
    absent = [
        " or ".join(repr(best.shape.header_of(one) or one) for one in choices)
        for choices in _missing(best, source)
    ]
    presets = ", ".join(source.preset)
    return (
        f"the header misses {', '.join(absent)} (preset {presets}); "
        "if a column has another name, say so under 'columns' of this source in sources.yaml"
    )


def _spelled(names: Sequence[str]) -> str:
    return ", ".join(repr(name.strip()) for name in names)
