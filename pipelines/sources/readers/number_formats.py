"""Numbers whose format gives them zeros or signs, as spreadsheets show them: 2134 as ``02134``.

Only formats of digits and fixed signs are applied, as those of postcodes, phones and numbers of
articles are. What shows a quantity (decimals, thousands, percent, a currency, a date) stays the
number that it is. The codes are those of ECMA-376, part 1, 18.8.31.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKENS = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|(.)', re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+)")
_QUANTITY = frozenset(".,%EeyYmMdDhHsSgG@$€£¥")
_PLACES = "0#?"
_FIXED = " -+/():'"


@lru_cache(maxsize=10_000)
def shown(number: int, code: str) -> str | None:
    """A whole number as ``code`` shows it; None where the number itself is as good."""
    section = _section(number, code) if number >= 0 else None
    tokens = _tokens(section) if section is not None else None
    if tokens is None:
        return None
    places = sum(is_place for is_place, _ in tokens)
    zeros = sum(is_place and sign == "0" for is_place, sign in tokens)
    if not places or (zeros < 2 and places == len(tokens)) or _has_unit(tokens):
        return None
    return _laid_out(str(number), tokens, places)


def is_needed(code: str) -> bool:
    """Whether a format may show a number otherwise than it is written."""
    return any(shown(number, code) not in (None, str(number)) for number in (0, 1, 10**9 + 1))


def _section(number: int, code: str) -> str | None:
    """The part of a code that is for this number."""
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    conditions = [_CONDITION.search("".join(re.findall(r"\[([^\]]*)\]", one))) for one in sections]
    if any(conditions):
        for section, condition in zip(sections, conditions, strict=True):
            if condition is None or _holds(number, condition[1], int(condition[2])):
                return section
        return None
    return sections[2] if number == 0 and len(sections) > 2 else sections[0]


def _holds(number: int, sign: str, limit: int) -> bool:
    return {
        "<=": number <= limit,
        ">=": number >= limit,
        "<>": number != limit,
        "<": number < limit,
        ">": number > limit,
        "=": number == limit,
    }[sign]


def _tokens(section: str) -> list[tuple[bool, str]] | None:
    """(is a digit's place, sign) of each sign of a format; None where it shows a quantity."""
    tokens: list[tuple[bool, str]] = []
    for quoted, escaped, bracket, plain in _TOKENS.findall(section):
        if quoted or escaped:
            tokens += [(False, sign) for sign in quoted or escaped]
        elif bracket.startswith("$") and not bracket.startswith("$-"):  # a currency, no language
            return None
        elif plain and (plain in _PLACES or plain in _FIXED):
            tokens.append((plain in _PLACES, plain))
        elif plain and (plain in _QUANTITY or plain.isalpha()):
            return None
        elif plain:
            tokens.append((False, plain))
    return tokens


def _has_unit(tokens: list[tuple[bool, str]]) -> bool:
    """Whether letters stand behind the digits."""
    last = max(at for at, (is_place, _) in enumerate(tokens) if is_place)
    return any(sign.isalpha() for _, sign in tokens[last:])


def _laid_out(digits: str, tokens: list[tuple[bool, str]], places: int) -> str:
    """Digits into their places, from the right; those left over stand before the first."""
    left_over, placed = digits[: max(len(digits) - places, 0)], digits[-places:]
    given = iter(placed.rjust(places))
    laid_out: list[str] = []
    for is_place, sign in tokens:
        if not is_place:
            laid_out.append(sign)
            continue
        digit = next(given)
        laid_out.append(left_over + (digit if digit != " " else "0" if sign == "0" else ""))
        left_over = ""
    return "".join(laid_out)
