"""What a header says, read by rule: ``Business Phone 2`` is the second phone at work.

The words, in nine languages, stand in ``words.yaml``: *heads* say what a column holds, *qualifiers*
which of several it is, and some say nothing. A header is read only where all of its words are known
and one meaning is left, in whatever order they stand: ``Address Street`` and ``Straße Privat``.
``Email Type``, ``Company Size`` and ``Assistant's Phone`` have a word too many and are not read,
because what is read as something else is a wrong value that nobody sees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FILE = Path(__file__).parent / "words.yaml"

PHONES = ("phone", "mobile_phone", "home_phone", "other_phone", "main_phone", "fax")
PARTS = ("street", "street2", "street3", "city", "state", "county", "postal_code", "country")
"""What makes one address; where a file has several addresses, each is a block of these."""

LONGEST = 200
"""Letters of a header that is read; a longer one is a sentence of a form."""


@dataclass(frozen=True)
class Reading:
    """What one header says.

    Attributes:
        concept: what the column holds; most are called as the raw columns are.
        kind: direct, work, home, other, main, mailing, billing, shipping or company; blank where
            nothing says it.
        number: which of several of one kind, from 1; of a part of an address, which address.
        english: whether all its heads are English.
    """

    concept: str
    kind: str = ""
    number: int = 1
    english: bool = True


@lru_cache(maxsize=50_000)
def read(header: str) -> Reading | None:
    """Read one header; None where a word is unknown, or where it could be two things."""
    if len(header) > LONGEST:
        return None
    tokens = _tokens(header)
    if (whole := _words().whole.get("".join(tokens))) is not None:
        return Reading(whole)
    senses = _senses(tokens)
    return _resolve(senses) if senses else None


class Sense(NamedTuple):
    """What a phrase of a header says.

    Attributes:
        role: head, kind, bound, noise, nothing, number, or or: what stands before it is another
            word for what stands behind it.
        value: the concept, the kind, the word, or the digits.
        english: whether a head is an English phrase.
    """

    role: str
    value: str = ""
    english: bool = True


class _Words(NamedTuple):
    """What ``words.yaml`` says; phrases are known by their letters alone."""

    phrases: Mapping[str, Sense]
    whole: Mapping[str, str]
    bound: Mapping[str, frozenset[str]]


@cache
def _words() -> _Words:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    senses: dict[str, Sense] = {}

    def add(phrases: Sequence[str], sense: Sense) -> None:
        for phrase in phrases:
            senses.setdefault(_letters(phrase), sense)
            senses.setdefault(_letters(phrase.replace("/", " ")), sense)

    add(document["nothing"], Sense("nothing"))
    for concept, languages in (document["heads"] | document["weak"]).items():
        for language, phrases in languages.items():
            add(phrases, Sense("head", concept, language == "en"))
    for kind, phrases in document["qualifiers"].items():
        add(phrases, Sense("kind", kind))
    for word in document["bound"]:
        add([word], Sense("bound", _letters(word)))
    add(document["noise"], Sense("noise"))
    whole = {
        _letters(phrase): concept
        for concept, phrases in document["whole"].items()
        for phrase in phrases
    }
    bound = {_letters(word): frozenset(beside) for word, beside in document["bound"].items()}
    return _Words(senses, whole, bound)


def _letters(phrase: str) -> str:
    return "".join(_tokens(phrase))


def _tokens(header: str) -> list[str]:
    """Words and numbers in lower case without accents; what sets alternatives apart is ``/``."""
    text = _HUMPS.sub(" ", unicodedata.normalize("NFKC", header))
    text = _ALTERNATIVES.sub("/", _AND.sub(" and ", text))
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_SIGNS))
    return _TOKEN.findall("".join(one for one in folded if not unicodedata.combining(one)))


_HUMPS = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")
_AND = re.compile(r"[&+]")
_ALTERNATIVES = re.compile(r"[,;|]")
_TOKEN = re.compile(r"[^\W\d_]+|\d+|/")
_SIGNS = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i"})

MOST_WORDS = 8
"""Words of the longest phrase."""


def _senses(tokens: Sequence[str]) -> list[Sense] | None:
    """The phrases of a header; None where a word is unknown."""
    found: list[Sense] = []
    at = 0
    while at < len(tokens):
        if tokens[at].isdigit():
            found.append(Sense("number", tokens[at]))
            at += 1
        elif tokens[at] == "/":
            found.append(Sense("or"))
            at += 1
        elif (phrase := _phrase(tokens, at)) is not None:
            at += phrase[0]
            found.append(phrase[1])
        elif glued := _glued(tokens[at]):
            at += 1
            found += glued
        else:
            return None
    return found


def _phrase(tokens: Sequence[str], at: int) -> tuple[int, Sense] | None:
    """The longest known phrase that begins at a token, with its number of tokens."""
    letters, found = "", None
    for length, token in enumerate(tokens[at : at + MOST_WORDS], 1):
        if token.isdigit():
            break
        letters += token
        if sense := _words().phrases.get(letters):
            found = length, sense
    return found


_SHORT = frozenset({"zip", "fax", "tel"})


@lru_cache(maxsize=50_000)
def _glued(token: str) -> tuple[Sense, ...]:
    """The phrases of words written together, as in ``MAILINGPOSTALCODE``; none if one is unknown.

    Longer pieces count before shorter ones; a piece has four letters, but for a few.
    """
    for end in range(len(token), 2, -1):
        piece = token[:end]
        sense = _words().phrases.get(piece) if end > 3 or piece in _SHORT else None
        if sense is None or sense.role not in ("head", "kind"):
            continue
        if end == len(token):
            return (sense,)
        if rest := _glued(token[end:]):
            return (sense, *rest)
    return ()


# How phrases go together.

_NAMES = frozenset({"surname_or_name", "first_or_name"})
_WEAK = frozenset({"company", "address", "title_or_prefix"}) | _NAMES
_BESIDE: Mapping[str, frozenset[str]] = {
    "company": frozenset({*PHONES, *PARTS, "website", "title", "department"}),
    "address": frozenset({*PHONES, *PARTS, "email", "website"}),
    "surname_or_name": frozenset({"city", "state", "country", "department", "title"}),
    "first_or_name": frozenset({"city", "state", "country", "department", "title"}),
}
"""Weak head → the concepts beside which it only says more of them: *Company Phone* is a phone."""

_KINDS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys((*PARTS, *PHONES, "email"), frozenset(
        {"work", "home", "other", "mailing", "billing", "shipping", "main", "direct"}
    )),
    **dict.fromkeys(
        ("first_name", "last_name", "name", *_NAMES), frozenset({"billing", "shipping"})
    ),
    "company": frozenset({"billing", "shipping", "work"}),
    "title": frozenset({"work"}),
    "title_or_prefix": frozenset({"work"}),
    "department": frozenset({"work"}),
    "website": frozenset({"work", "home", "other"}),
}  # fmt: skip
"""Concept → the kinds there are of it; a header that names another is not read."""


def _resolve(senses: Sequence[Sense]) -> Reading | None:
    """One meaning of all that a header's phrases say, or None."""
    roles = {sense.role for sense in senses}
    if "nothing" in roles:
        return None
    senses = [sense for sense in senses if sense.role != "noise"]
    heads = [sense for sense in senses if sense.role == "head"]
    concept = _concept(list(dict.fromkeys(head.value for head in heads)), "or" in roles)
    if concept is None:
        return None
    for word in (sense.value for sense in senses if sense.role == "bound"):
        beside = _words().bound[word]
        if concept not in beside and not (concept in PARTS[:3] and "address" in beside):
            return None
    kinds = {sense.value for sense in senses if sense.role == "kind"} - {"person", "primary"}
    if "direct" in kinds:
        kinds -= {"work"}
    if len(kinds) > 1 or not kinds <= _KINDS.get(concept, frozenset()):
        return None
    kind = next(iter(kinds), "")
    if concept != "company" and any(head.value == "company" for head in heads):
        kind = kind or "company"
    return _numbered(concept, kind, senses, all(head.english for head in heads))


def _concept(heads: Sequence[str], alternatives: bool) -> str | None:
    """The one thing that these heads, in their order, say together; None where they are two."""
    if alternatives:
        return heads[0] if len(heads) == 1 else _ALTERNATIVE_HEADS.get(frozenset(heads))
    strong = [head for head in heads if head not in _WEAK]
    weak = [head for head in heads if head in _WEAK]
    if "phone" in strong and len(strong) == 2 and {*strong} <= {*PHONES}:
        strong.remove("phone")
    if len(strong) == 1:
        return strong[0] if all(strong[0] in _BESIDE.get(one, ()) for one in weak) else None
    return None if strong else _TOGETHER.get(tuple(weak), weak[0] if len(weak) == 1 else None)


_ALTERNATIVE_HEADS = {
    frozenset({"phone", "mobile_phone"}): "phone",
    frozenset({"title", "title_or_prefix"}): "title",
}
"""What headers say that name two things, as *Tel / Handy* does."""

_TOGETHER = {
    ("address",): "street",
    ("company", "address"): "street",
    **{pair: "title" for pair in permutations(("company", "title_or_prefix"))},
    **{pair: "company" for name in _NAMES for pair in permutations(("company", name))},
}
"""Weak heads in their order → what they say together."""

_PHONE_KINDS = {
    "home": "home_phone",
    "other": "other_phone",
    "main": "main_phone",
    "company": "main_phone",
}


def _numbered(concept: str, kind: str, senses: Sequence[Sense], english: bool) -> Reading | None:
    """The reading with its kind and its numbers: of an address, of a line of it, or of several."""
    if concept == "phone" and kind in _PHONE_KINDS:
        concept, kind = _PHONE_KINDS[kind], ""
    places = [at for at, sense in enumerate(senses) if sense.role == "number"]
    numbers = [int(senses[at].value) for at in places]
    if not numbers:
        return Reading(concept, kind, 1, english)
    if not all(0 < number < 10 for number in numbers) or len(numbers) > 2:
        return None
    if concept in PARTS:
        return _in_address(concept, kind, numbers, places[-1] == len(senses) - 1, english)
    several = concept in PHONES or concept in ("email", "website")
    if len(numbers) > 1 or (numbers != [1] and not several):
        return None
    return Reading(concept, kind, numbers[0], english)


_LINES = ("street", "street2", "street3")


def _in_address(
    concept: str, kind: str, numbers: Sequence[int], at_end: bool, english: bool
) -> Reading | None:
    """Of a street the number at the end counts lines, any other one counts addresses."""
    if concept != "street":
        return Reading(concept, kind, numbers[0], english) if len(numbers) == 1 else None
    line = numbers[-1] if at_end else 1
    block = numbers[0] if len(numbers) == 2 or not at_end else 1
    return Reading(_LINES[line - 1], kind, block, english) if line <= len(_LINES) else None
