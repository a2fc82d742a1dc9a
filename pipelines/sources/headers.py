"""Comparing column names as people write them: ``E-mail``, ``email`` and `` EMAIL`` are one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from pipelines.sources.relations import SECRET_WORDS, SECRETS


def plain(header: str) -> str:
    """A header without case and surrounding blanks."""
    return unicodedata.normalize("NFKC", header).strip().casefold()


def squeeze(header: str) -> str:
    """A header's letters and digits only, without case: what is left of any spelling of it."""
    return "".join(character for character in plain(header) if character.isalnum())


def distinct(header: Sequence[str]) -> list[str]:
    """The names of columns, each once: the second ``Email`` is ``Email (2)``; blank ones stay."""
    taken = {plain(name) for name in header}
    names: list[str] = []
    seen: set[str] = set()
    for name in header:
        unique, number = name, 1
        while plain(name) and plain(unique) in seen | (taken if number > 1 else set()):
            number += 1
            unique = f"{name.strip()} ({number})"
        seen.add(plain(unique))
        names.append(unique)
    return names


def undistinguished(header: str) -> str:
    """The name that ``distinct`` may have made another of."""
    return _NUMBERED.sub("", header)


_NUMBERED = re.compile(r" \(\d+\)$")


def is_secret(header: str) -> bool:
    """Whether a column of this name must never reach disk, however it is spelled.

    By its words: ``apiKey``, ``API-Key`` and ``customer_api_key`` are, ``secretary`` is not.
    """
    text = unicodedata.normalize("NFKC", header)
    if squeeze(header) in _SECRETS:
        return True
    return any(_has_secret(_WORD.findall(each.casefold())) for each in (text, parted(text)))


_SECRETS = frozenset(squeeze(header) for header in SECRETS)
_WORD = re.compile(r"[^\W\d_]+")
_PARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def parted(header: str) -> str:
    """``apiKey`` and ``APIKey`` as two words."""
    return _PARTS.sub(" ", header)


def _has_secret(words: Sequence[str]) -> bool:
    """Whether one of the words is a secret's, or two of them together, such as api and key."""
    single = (word.removesuffix("s") in SECRET_WORDS for word in words)
    joined = (f"{one} {two.removesuffix('s')}" in SECRET_WORDS for one, two in pairwise(words))
    return any(single) or any(joined)


def distance(header: str, spelling: str) -> int | None:
    """How far a file's header is from a known spelling: 0 the same, 1 case, 2 signs, None other."""
    if header == spelling:
        return 0
    if plain(header) == plain(spelling):
        return 1
    squeezed = squeeze(header)
    return 2 if squeezed and squeezed == squeeze(spelling) else None
