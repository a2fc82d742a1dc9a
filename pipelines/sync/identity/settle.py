"""Who is who where names disagree: a component of linked records falls into people.

Most components hold one name and are one person; SQL finds those. The others come here. Records are
first joined by what nobody shares (a customer id, a parent, a decision), then by what people share,
as far as names agree: a record never joins a person of whom it contradicts a name. The fullest
names come first, and a record without a full name joins only where it fits one person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import NamedTuple

from pipelines.sync.identity.names import Likeness, Name, folded, is_full, likeness
from pipelines.sync.identity.rules import RULES

Spelled = tuple[str | None, str | None]
"""First and last name, as a source writes them."""


class Record(NamedTuple):
    """A source record, as far as identity asks: its number and its name."""

    record: int
    first: str | None
    last: str | None


class Link(NamedTuple):
    """Two records that a rule connects, by the value that both have."""

    record: int
    other: int
    rule: str


class Apart(NamedTuple):
    """Two records that share something and stay two people's.

    ``likeness`` is ``thin``, ``several`` where a record would fit more than one person, or
    ``one_id`` where two names have one id.
    """

    record: int
    other: int
    rule: str
    likeness: str


class Key(NamedTuple):
    """A value that a record has for a rule, as a number."""

    record: int
    rule: str
    key: int


@dataclass
class Settled:
    """The people of a component.

    Attributes:
        people: record → the smallest record of its person.
        links: what joined each record to its person.
        apart: what did not join, though it may be one person.
    """

    people: dict[int, int] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)


_RULE = {rule.name: rule for rule in RULES}


def settle(
    records: Iterable[Record],
    keys: Iterable[Key],
    links: Iterable[Link],
    different: Iterable[tuple[int, int]] = (),
) -> Settled:
    """Split one component into people; the order of what is given makes no difference.

    Args:
        records: of the component.
        keys: their values for the rules.
        links: pairs that are linked without a value (parents, decisions).
        different: pairs of records that somebody said are two people.
    """
    groups = _Groups(sorted(records), different)
    shared: dict[tuple[str, int], list[int]] = defaultdict(list)
    for key in sorted(keys):
        shared[key.rule, key.key].append(key.record)
    by_strength = sorted(shared.items(), key=lambda item: (-_RULE[item[0][0]].weight, item[0]))
    for link in sorted(links, key=lambda link: (-_RULE[link.rule].weight, link)):
        groups.join(link)
    for (rule, _), members in by_strength:
        if not _RULE[rule].shared:
            for other in members[1:]:
                groups.join(Link(other, members[0], rule))
    _join_by_name(groups, [item for item in by_strength if _RULE[item[0][0]].shared])
    return groups.settled()


def _join_by_name(groups: _Groups, buckets: Sequence[tuple[tuple[str, int], list[int]]]) -> None:
    """Join what shares a value where names agree: equal names, then full ones, then the rest."""
    for (rule, _), members in buckets:
        first_of: dict[tuple[Name, ...], int] = {}
        for record in members:
            other = first_of.setdefault(groups.names(record), record)
            groups.join(Link(record, other, rule))
    neighbours: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for (rule, _), members in buckets:
        atoms = {groups.root(record) for record in members}
        for atom in atoms:
            neighbours[atom] |= {(rule, other) for other in atoms if other != atom}
    placed: set[int] = set()
    for atom in sorted(neighbours, key=groups.turn):
        _place(
            groups,
            atom,
            sorted(neighbour for neighbour in neighbours[atom] if neighbour[1] in placed),
        )
        placed.add(atom)


def _place(groups: _Groups, atom: int, neighbours: Sequence[tuple[str, int]]) -> None:
    """Join an atom to the person it fits among those that were there before it."""
    fitting: dict[int, Link] = {}
    unclear: dict[int, Apart] = {}
    for rule, other in neighbours:
        root, how = groups.root(other), groups.likeness(atom, other)
        alone = not _RULE[rule].partial and not (groups.is_full(atom) and groups.is_full(other))
        if how == "agree" and not alone:
            fitting.setdefault(root, Link(atom, other, rule))
        elif how == "thin" or rule == "same_record":
            why = "one_id" if how == "differ" else how
            unclear.setdefault(root, Apart(atom, other, rule, why))
    groups.apart += [apart for root, apart in unclear.items() if root not in fitting]
    if all(groups.likeness(a, b) == "agree" for a, b in combinations(fitting, 2)):
        for link in fitting.values():
            groups.join(link)
    else:
        groups.apart += [Apart(*link, "several") for link in fitting.values()]


class _Groups:
    """Records that are one person so far, and what may not come together."""

    def __init__(self, records: Sequence[Record], different: Iterable[tuple[int, int]]) -> None:
        self._parent = {record.record: record.record for record in records}
        # Per group the names of its atoms: what no value was needed for is one atom, called in
        # several ways perhaps, of which one that agrees is enough.
        self._atoms = {one.record: {frozenset({(one.first, one.last)})} for one in records}
        self._members = {record.record: [record.record] for record in records}
        self._different = [pair for pair in different if set(pair) <= self._parent.keys()]
        self._links: list[Link] = []
        self.apart: list[Apart] = []

    def root(self, record: int) -> int:
        while self._parent[record] != record:
            record = self._parent[record]
        return record

    def names(self, record: int) -> tuple[Name, ...]:
        """Every name of a record's group, made comparable."""
        return tuple(sorted({folded(*name) for name in self._named(record)}, key=repr))

    def is_full(self, record: int) -> bool:
        """Whether the group has a name in full."""
        return any(is_full(*name) for name in self._named(record))

    def turn(self, record: int) -> tuple[int, str, int]:
        """Whose turn it is: the fullest name first, then by the alphabet."""
        names = self.names(record)
        fullness = max((_fullness(name) for name in names), default=0)
        return -fullness, repr(names), self.root(record)

    def likeness(self, record: int, other: int) -> Likeness:
        """The least that any two atoms of two groups have in common."""
        if self._is_different(record, other):
            return "differ"
        a, b = self._atoms[self.root(record)], self._atoms[self.root(other)]
        return max((_closest(one, two) for one in a for two in b), key=_LIKENESSES.index)

    def join(self, link: Link) -> None:
        """Make two groups one, unless somebody said that they are two."""
        a, b = self.root(link.record), self.root(link.other)
        if a == b:
            return
        if self._is_different(a, b):
            return
        root, other = min(a, b), max(a, b)
        self._parent[other] = root
        self._members[root] += self._members.pop(other)
        self._atoms[root] = _together(self._atoms[root], self._atoms.pop(other), link.rule)
        self._links.append(link)

    def settled(self) -> Settled:
        people = {record: root for root, members in self._members.items() for record in members}
        apart = [one for one in self.apart if people[one.record] != people[one.other]]
        return Settled(people, self._links, apart)

    def _named(self, record: int) -> Iterable[Spelled]:
        return chain.from_iterable(self._atoms[self.root(record)])

    def _is_different(self, a: int, b: int) -> bool:
        roots = {self.root(a), self.root(b)}
        return any({self.root(x), self.root(y)} == roots for x, y in self._different)


_LIKENESSES: tuple[Likeness, ...] = ("agree", "thin", "differ")


def _closest(one: frozenset[Spelled], other: frozenset[Spelled]) -> Likeness:
    """How the most similar names of two atoms agree."""
    return min((likeness(*a, *b) for a in one for b in other), key=_LIKENESSES.index)


def _together(
    a: set[frozenset[Spelled]], b: set[frozenset[Spelled]], rule: str
) -> set[frozenset[Spelled]]:
    """The atoms of two groups that became one; a fuller name speaks for what agrees with it."""
    if _RULE[rule].shared:
        return a | b
    names = frozenset[Spelled]().union(*a, *b)
    return {frozenset(name for name in names if not any(_is_fuller(one, name) for one in names))}


def _is_fuller(one: Spelled, name: Spelled) -> bool:
    more = _fullness(folded(*one)) > _fullness(folded(*name))
    return more and likeness(*one, *name) == "agree"


def _fullness(name: Name) -> int:
    """How much a name says: both parts in full, an initial, one part, nothing."""
    if name.first and name.last:
        return 3 if len(name.first[0]) > 1 else 2
    return 1 if name.first or name.last else 0
