"""The words of a header, and what each is in ``consent_words.yaml``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import yaml

from pipelines.sources.headers import parted


def _joined(words: Sequence[str]) -> list[str]:
    """``opt out``, ``opted in``, ``e mail`` and ``double opt in`` as one word each."""
    text = f" {' '.join(words)} "
    for pattern, word in _TOGETHER:
        text = pattern.sub(f" {word} ", text)
    return text.split()


_TOGETHER = [
    (re.compile(pattern), word)
    for pattern, word in (
        (r" (?:opt|opts|opted|opting) out ", "optout"),
        (r" (?:opt|opts|opted|opting) in ", "optin"),
        (r" (?:e mail|e mails|e post) ", "email"),
        (r" (?:non|un) (?=subscri)", "not"),
        (r" (?:mailing list|mailing lists) ", "mailinglist"),
        (r" (?:black list|block list) ", "blacklist"),
        (r" do not (?:modify|edit|change|delete|remove|touch|print) ", ""),
        (r" whats app ", "whatsapp"),
        (r" active subscriptions? ", "plan"),
        (r" dnc ", "dont call"),
        (r" dne ", "dont email"),
        (r" (?:bulk|mass) (?=e?mail)", "bulk"),
        (r" (?:direct mail|direct mails|direct mailing) ", "directmail"),
    )
]


def header_words(header: str) -> list[str]:
    """A header's words without case and accents; glued ones are cut where all parts are known.

    ``opt out``, ``e mail`` and such stand as one word.
    """
    text = unicodedata.normalize("NFKD", parted(header).replace("ß", "ss"))
    plain = "".join(sign for sign in text if not unicodedata.combining(sign)).casefold()
    plain = re.sub(r"\b([dl])['’`](?=\w)", r"\1 ", plain)  # d'inscription, l'email
    plain = re.sub(r"['’`]", "", plain).translate(_LETTERS)
    # "No." counts something: a phone no. is no phone that must not be called. In "no.email" the dot
    # stands for a space.
    plain = re.sub(r"\bno\.(?!\w)", " ", plain)
    found = re.findall(r"[^\W_]+", plain)
    return _joined([part for word in found for part in _cut(word)])


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})


@cache
def _cut(word: str) -> tuple[str, ...]:
    """A word's parts, where it consists of nothing but known words; else the word."""
    if word in _whole_words():
        return (word,)
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(word) + 1):
        ways = [
            (*best[start], word[start:end])
            for start in range(max(0, end - _LONGEST), end)
            if start in best and word[start:end] in _whole_words()
        ]
        if ways:
            best[end] = min(ways, key=len)
    return best.get(len(word), (word,))


_LONGEST = 16


@cache
def _lists() -> dict[str, tuple[frozenset[str], tuple[str, ...]]]:
    """Role → its whole words and the beginnings of others."""
    text = files("pipelines.sources").joinpath("consent_words.yaml").read_text(encoding="utf-8")
    roles = {}
    for role, lines in yaml.safe_load(text).items():
        words = [word.strip() for line in lines for word in line.split(",")]
        starts = tuple(word.removesuffix("*") for word in words if word.endswith("*"))
        roles[role] = (frozenset(words) | frozenset(starts), starts)
    return roles


@cache
def _whole_words() -> frozenset[str]:
    """The words that may be glued together."""
    return _lists()["glue"][0]


@cache
def word_roles(word: str) -> frozenset[str]:
    """What a word is in ``consent_words.yaml``."""
    return frozenset(
        role
        for role, (whole, starts) in _lists().items()
        if role != "glue" and (word in whole or (bool(starts) and word.startswith(starts)))
    )
