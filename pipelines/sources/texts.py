"""Text as people and programs write it into one cell.

Staging calls these for the few cells in which ``is_odd`` of the macros found anything.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]")

_BLANKS = "\x00-\x1f\x7f-\x9f \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_BLANK = re.compile(f"[{_BLANKS}]+")
_BREAK = re.compile(f"[{_BLANKS}]*[\r\n][{_BLANKS}]*")
_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_APOSTROPHE = re.compile(r"'(?:[-+=@].*|[0-9][-0-9 ().,/+]*)", re.DOTALL)
_LOST = re.compile(r"[^A-Za-z]*E[+]?[0-9]+[^0-9]*")
_MOJIBAKE = re.compile("[ÂÃ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€")


def placeholder(not_applicable: str, *more: str) -> str:
    """The pattern of what says that there is nothing: signs, words of forms, errors of sheets.

    Args:
        not_applicable: the pattern of *N/A*, of which *NA* is a country.
        more: patterns of further words.
    """
    words = (
        not_applicable,
        "none|null|nil|unknown|undefined|tb[da]",
        "not (?:available|applicable|provided|specified|known|given)",
        *more,
    )
    return (
        r"[-–—_.?*/\\~ ]+"
        rf"|[(\[<-]*(?:{'|'.join(words)})[)\]>-]*"
        r"|#(?:ref|value|name|div/0|null|num|n/a|spill|calc|getting_data)[!?]?"
    )


_PLACEHOLDER = placeholder(r"n[/.\\]a[.]?")
_NOTHING = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        "text": rf"{_PLACEHOLDER}|na",
        "lines": rf"{_PLACEHOLDER}|na",
        "company": rf"{_PLACEHOLDER}|na|[(]?private?[)]?",
        "place": _PLACEHOLDER,
        "name": r"[-–— ]+|[(\[<]?(?:n[/.\\]a[.]?|not provided)[)\]>]?|#[a-z/0]+[!?]",
    }.items()
}
"""Kind of text → what says that there is nothing: signs, words of forms, errors of sheets."""


@lru_cache(1 << 16)
def plain_text(text: str | None, kind: str) -> str | None:
    """A text as ``clean`` of the macros leaves it, without marks and entities; None for nothing.

    Args:
        text: in NFC.
        kind: of ``text``, ``lines`` (of which each is cleaned), ``company``, ``place``, ``name``.
    """
    if text is None:
        return None
    plain = INVISIBLE.sub("", _unmarked(unescaped(text) or ""))
    lines = _BREAK.split(plain) if kind == "lines" else [plain]
    cleaned = (_BLANK.sub(" ", line).strip(" ") for line in lines)
    value = unicodedata.normalize("NFC", "\n".join(filter(None, cleaned)))
    return None if _NOTHING[kind].fullmatch(value) else value or None


def why_not(text: str | None, column: str) -> str | None:
    """The column, and why a cell has nothing in it."""
    if text is None:
        return None
    if not _BLANK.sub("", INVISIBLE.sub("", text)):
        return f"{column} invisible"
    return f"{column} {'digits_lost' if _LOST.fullmatch(text) else 'placeholder'}"


def why_altered(text: str | None, column: str) -> str | None:
    """The column, and what was decoded in a cell of it, or may have been decoded wrongly."""
    if text is None:
        return None
    if unescaped(text) != text:
        return f"{column} entities"
    return f"{column} mojibake" if _MOJIBAKE.search(text) else None


def _unmarked(text: str) -> str:
    """Without what keeps a spreadsheet from reading a text; 't Hooft keeps his apostrophe."""
    if match := _FORMULA.fullmatch(text):
        return match[1].replace('""', '"')
    return text[1:] if _APOSTROPHE.fullmatch(text) else text


def unescaped(text: str | None) -> str | None:
    """A text with its HTML entities decoded; an ampersand that begins none stays."""
    return None if text is None else _ENTITY.sub(lambda match: html.unescape(match[0]), text)


CALLS: dict[str, tuple[Callable[..., str | None], int]] = {
    "plain_text": (plain_text, 2),
    "why_not": (why_not, 2),
    "why_altered": (why_altered, 2),
}
"""What SQL calls them, and how many texts each takes."""
