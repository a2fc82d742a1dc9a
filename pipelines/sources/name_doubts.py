"""Of which names nobody can say where to split them: such a name stays whole, and is told.

A rule that is wrong about somebody costs a first name; to split wrongly costs a false name that
nobody looks at again.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache
from typing import TYPE_CHECKING

from nicknames import NickNamer

from pipelines.sources import name_words

if TYPE_CHECKING:
    from nameparser import Lexicon, ParsedName

PLAIN = "not a plain name"
REMARK = "may hold more than a name"
ORDER = "may begin with its last name"
CAPITALS = "capitals may be initials, a last name or a degree"


def of_text(text: str, vocabulary: Container[str]) -> str | None:
    """What makes a name doubtful before it is parsed.

    Args:
        text: the name.
        vocabulary: all words, in lower case, of which the parser knows what they do in a name.
    """
    words = text.split()
    bare = [word.strip(".,").lower() for word in words]
    comma = "," in text
    reasons = (
        (name_words.DIVIDED.search(text), PLAIN),
        (len(words) > 1 and _has_no_person(words), "may be no person's name"),
        (name_words.EAST_ASIAN.search(text) and name_words.LATIN.search(text), "is written twice"),
        (_has_unknown(words, bare, vocabulary), REMARK),
        (comma and bare[0] not in vocabulary and _has_remark(text), REMARK),
        (bare[0] in name_words.FAMILY_FIRST and len(words) > 2 and not comma, ORDER),
        (not comma and _are_capitals_doubtful(words, vocabulary), CAPITALS),
    )
    return next((why for doubtful, why in reasons if doubtful), None)


def _has_no_person(words: list[str]) -> bool:
    spelled = {word.lower() for word in words}
    return not name_words.NO_PERSON.isdisjoint(spelled | {word.strip(".,") for word in spelled})


def _has_unknown(words: list[str], bare: list[str], vocabulary: Container[str]) -> bool:
    """Whether a small word stands among names that no language has there."""
    if sum(word[0].isupper() for word in words) < 2:
        return False
    return any(
        word.islower() and word.isalpha() and name not in vocabulary
        for word, name in zip(words, bare, strict=True)
    )


def _has_remark(text: str) -> bool:
    """Whether first and last name stand before a comma, and behind it something that is neither."""
    before, _, behind = text.partition(",")
    names = before.split()
    beside = behind.replace(",", " ").split()
    if len(names) < 2 or not beside:
        return False
    known = [_is_known(name.lower()) for name in (names[0], names[-1], beside[-1])]
    if known[1] and known[2] and len(beside) > 1:
        return True
    if known[1] or not known[0]:
        return False
    return any(len(word.strip(".")) > 3 and word.istitle() for word in beside)


def _are_capitals_doubtful(words: list[str], vocabulary: Container[str]) -> bool:
    """Capitals at one end of a name that is not written in capitals otherwise."""
    capitals = [_is_capitals(word, 2) for word in words]
    if capitals[0] == capitals[-1]:
        return False
    word = words[0] if capitals[0] else words[-1]
    if word.lower() in vocabulary or (len(word) > 3 and _has_vowel(word)):
        return False
    if capitals[0]:
        return _has_vowel(word) and not word.endswith("J")
    return len(words) > 2


def _is_capitals(word: str, least: int = 4) -> bool:
    """McDONALD and O'NEIL are."""
    letters = [letter for letter in word if letter.isalpha()]
    capitals = sum(map(str.isupper, letters))
    return len(letters) >= least and 2 * capitals > len(letters) and "." not in word


def _has_vowel(word: str) -> bool:
    return not word.isascii() or any(letter in "AEIOUY" for letter in word)


def family_behind(text: str, vocabulary: Container[str]) -> str:
    """DUPONT Jean as a parser understands it: capitals say which is the family name."""
    words = text.split()
    cut = next((at for at, word in enumerate(words) if not _is_capitals(word, 2)), len(words))
    if not 0 < cut < len(words) or "," in text or (len(words[0]) < 4 and cut == 1):
        return text
    if any(_is_capitals(word, 2) for word in words[cut:]):
        return text
    if any(word.lower().strip(".") in vocabulary for word in words):
        return text
    return f"{' '.join(words[:cut])}, {' '.join(words[cut:])}"


def with_particles(first: str, family: str, particles: Container[str]) -> tuple[str, str]:
    """First and last name, with what belongs to the last name at its head."""
    words = first.split()
    for at, word in enumerate(words):
        noble = at > 0 and word.lower() in name_words.NOBLE
        particle = word in particles or word in name_words.SHORT
        if noble or (word.islower() and particle):
            return " ".join(words[:at]), " ".join((*words[at:], family))
    return first, family


def of_parts(text: str, read: ParsedName, names: tuple[str, str], lexicon: Lexicon) -> str | None:
    """What makes a name doubtful once it is parsed into ``names``, the first and the last."""
    (first, family), kinds = names, {one.kind for one in read.ambiguities}
    comma, words = "," in text, family.lower().split()
    particle = "particle-or-given" in kinds and first[:1].isupper()
    initials = name_words.INITIALS.fullmatch(family) and family.lower() != family.upper()
    degree = read.suffix and read.suffix.isascii()
    own = [word for word in words if word not in lexicon.particles]
    title = first and family.lower().strip(".") in lexicon.titles
    reasons = (
        ("comma-structure" in kinds or (family.islower() and not own), PLAIN),
        (not _are_titles(read), REMARK),
        (read.title and not (first or family) and _is_post(read.title), "may be no person's name"),
        (not comma and first and initials, "has an initial for a last name"),
        (not comma and title, REMARK),
        (not comma and degree and not read.title and not (first and family), CAPITALS),
        (not comma and particle, "begins with what may be part of a last name"),
        (not comma and not first and len(own) > 1 and words[0] not in own, ORDER),
        (not comma and first and _are_two_names(family.split()), "has names behind a particle"),
    )
    return next((why for doubtful, why in reasons if doubtful), None)


def _is_post(title: str) -> bool:
    """Whether a cell that holds a title alone holds no salutation."""
    return any(word.strip(".").lower() not in name_words.SALUTATIONS for word in title.split())


def of_order(first: str, last: str) -> str | None:
    """What is told of a first and a last name that may be the other way round."""
    return ORDER if " " not in first and _GIVEN_BEHIND.fullmatch(last) else None


_GIVEN_BEHIND = re.compile(r"[A-Z][a-z]+-[a-z]+")
"""Park Ji-sung: the two syllables of a first name, in Latin letters."""


def _are_titles(read: ParsedName) -> bool:
    """Whether what was taken for a title, as a dot stands behind it, is no name."""
    titles = read.tokens_for("title")
    return not any(
        "vocab:title" not in token.tags and len(token.text) > 4 and token.text.istitle()
        for token in titles[:1]
    )


def _are_two_names(names: list[str]) -> bool:
    """Maria da Luz Reis, Ana da Silva Reis: of such nobody knows where the last name begins."""
    if not names or names[0].lower() not in name_words.ROMANCE:
        return False
    small = {*name_words.ROMANCE, "la", "las", "lo", "los", "le", "e", "y"}
    joined = ("-van", "-de", "-der", "-den", "-da", "-von")
    return sum(not (name.lower() in small or name.endswith(joined)) for name in names) > 1


def _is_known(name: str) -> bool:
    """Whether it is a first name that people shorten, in English."""
    names = _nicknames()
    return bool(names.nicknames_of(name) or names.canonicals_of(name))


@lru_cache(maxsize=1)
def _nicknames() -> NickNamer:
    return NickNamer()
