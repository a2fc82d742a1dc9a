"""Whether two names can be one person's: the one rule, for resolving and for the org alike.

Whatever people share (an e-mail address, a phone, a house) says that two records may be one person.
Only their names say whether they are. SQL knows the rule as ``name_likeness`` and ``names_agree``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from anyascii import anyascii
from nicknames import NickNamer

Likeness = Literal["agree", "thin", "differ"]
"""``agree``: nothing speaks against one person. ``thin``: part of the name agrees, as after a
marriage or with a slip in the last name, and a human has to say. ``differ``: two people."""

GENERATIONS = {"jr": 2, "junior": 2, "sr": 1, "senior": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
"""Suffixes that tell a father from a son of the same name; a number counts generations."""

NO_NICKNAMES = frozenset(
    frozenset(pair.split())
    for pair in (
        *("bill robert", "billy robert", "bobby roger", "bobby rodger", "patrick peter"),
        *("ian john", "ivan john", "jane jean", "jane jessie", "jane virginia", "paul polly"),
        *("ellen helen", "elaine helen", "ella helen", "hannah susan", "anna hannah"),
        *("ann nancy", "harry henrietta", "jerry geraldine", "ron veronica", "mary mitzi"),
    )
)
"""Pairs of the genealogists' list that today are the names of two people."""

PLACEHOLDERS = frozenset({"[not provided]", "not provided", "unknown", "n/a"})
"""What stands for a name that nobody knows, in records that must have one."""

_DEGREES = re.compile(
    r"(?:[\s,]+(?:ph\.?\s?d|d\.?\s?phil|m\.?\s?d|m\.?b\.?a|m\.?sc|b\.?sc|ll\.?[mb]|j\.?d|cpa|cfa|pmp|esq"
    r"|r\.?n|d\.?d\.?s|ed\.?d)\.?)+$",
    re.IGNORECASE,
)
"""What somebody has earned, behind a last name: a record without it may be the same person's."""

_SEVERAL = re.compile(r"[&+/]|\b(?:and|und|et|y|e|och)\b", re.IGNORECASE)
_VOWELS = frozenset("aeiouy")
_MARKS = re.compile(r"[^a-z0-9 ]+")
_UMLAUTS = re.compile(r"([aou])e")


class Name(NamedTuple):
    """A name made comparable: Latin letters, lower case, no punctuation.

    Attributes:
        first: its words; empty where there is none.
        last: in one word, spaces and hyphens gone.
        generation: of a suffix such as Jr.; none where it has none.
        several: whether the first name names more than one person ("Anna & Bob").
    """

    first: tuple[str, ...]
    last: str
    generation: int | None
    several: bool


def likeness(
    first_a: str | None, last_a: str | None, first_b: str | None, last_b: str | None
) -> Likeness:
    """How far two names speak for one person.

    Last names agree where they are equal after folding or one is blank, and where one is a slip of
    the pen away from the other while the first names are equal in full; first names where they are
    equal, or one is blank, an initial, a known nickname, or a slip away from the other.
    """
    a, b = folded(first_a, last_a), folded(first_b, last_b)
    if a == b:
        return "agree"
    if a.generation and b.generation and a.generation != b.generation:
        return "differ"
    firsts, lasts = _firsts_agree(a, b), _lasts_agree(a, b)
    if firsts and lasts:
        return "agree"
    if firsts and a.first and b.first and min(len(a.first[0]), len(b.first[0])) > 1:
        return "thin"
    return "thin" if _is_swapped(a, b) or _is_swapped(b, a) else "differ"


def _is_swapped(a: Name, b: Name) -> bool:
    """Whether one has as last name what the other has as first, and no first name that differs."""
    return bool(a.last) and a.last == "".join(b.first) and "".join(a.first) in ("", b.last)


def is_full(first: str | None, last: str | None) -> bool:
    """Whether a name has both parts in full: only such names can clearly be two people's."""
    name = folded(first, last)
    return bool(name.last and name.first and len(name.first[0]) > 1)


@lru_cache(maxsize=65536)
def folded(first: str | None, last: str | None) -> Name:
    """A name made comparable, see ``Name``."""
    words = _words(_DEGREES.sub("", last or ""))
    generation = GENERATIONS.get(words[-1]) if len(words) > 1 else None
    if generation is not None:
        words = words[:-1]
    several = first is not None and _SEVERAL.search(first) is not None
    return Name(_first_words(first), "".join(words), generation, several)


def _words(text: str | None) -> tuple[str, ...]:
    if text is None or text.strip().lower() in PLACEHOLDERS:
        return ()
    latin = anyascii(text).lower().replace("'", "").replace(".", " ")
    words = (_UMLAUTS.sub(r"\1", word) for word in _MARKS.sub(" ", latin).split())
    return tuple(word for word in words if word)


def _first_words(first: str | None) -> tuple[str, ...]:
    """A hyphen makes one name of two: Jean-Pierre is no Jean."""
    return _words((first or "").replace("-", ""))


def _firsts_agree(a: Name, b: Name) -> bool:
    if not a.first or not b.first or "".join(a.first) == "".join(b.first):
        return True
    if a.several or b.several:
        return False
    if not _word_agrees(a.first[0], b.first[0]):
        return False
    # A middle name or its initial counts where both have one.
    return all(_word_agrees(x, y) for x, y in zip(a.first[1:], b.first[1:], strict=False))


def _lasts_agree(a: Name, b: Name) -> bool:
    if not a.last or not b.last or a.last == b.last:
        return True
    same_first = a.first == b.first and bool(a.first) and len(a.first[0]) > 1
    return same_first and _is_slip(a.last, b.last)


@lru_cache(maxsize=65536)
def _word_agrees(a: str, b: str) -> bool:
    if a == b or (min(len(a), len(b)) == 1 and a[0] == b[0]):
        return True
    if frozenset((a, b)) in NO_NICKNAMES:
        return False
    if _is_nickname(a, b):
        return True
    a, b = a.replace("ph", "f"), b.replace("ph", "f")
    return a == b or (_is_slip(a, b) and not (_is_known(a) and _is_known(b)))


def _is_nickname(a: str, b: str) -> bool:
    names = _nicknames()
    return b in names.nicknames_of(a) or a in names.nicknames_of(b)


def _is_slip(a: str, b: str) -> bool:
    """One letter more, less or other, or two neighbours swapped, in names of four letters or more.

    No slip: another first letter; another ending where it marks women and men (Maria and Mario,
    Daniel and Daniela, Christian and Christina). Two first names that are both known are none, too.
    """
    if min(len(a), len(b)) < 4 or a[0] != b[0] or not _one_edit(a, b):
        return False
    return a[-1] == b[-1] or not (a[-1] in _VOWELS or b[-1] in _VOWELS)


def _one_edit(a: str, b: str) -> bool:
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    return (
        rest_a[1:] == rest_b[1:]
        or rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    )


def _is_known(name: str) -> bool:
    names = _nicknames()
    return bool(names.nicknames_of(name) or names.canonicals_of(name))


@lru_cache(maxsize=1)
def _nicknames() -> NickNamer:
    return NickNamer()
