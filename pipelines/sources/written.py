"""E-mail addresses and phone numbers as people write them into one cell.

Staging calls these for the few cells that are not plainly one address or one number. Each gives
JSON: ``value``, what counts; ``further``, the others by the name they are kept under (``email_2``);
``left``, why a part of the cell is in neither.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence

from pipelines.sources import texts
from pipelines.sources.texts import INVISIBLE, placeholder, unescaped

_PLACEHOLDER = re.compile(
    placeholder(r"n\W?a\W?", "no ?e?-?mail(?: address)?", "no (?:tele)?phone(?: number)?"),
    re.IGNORECASE,
)

_MARK = re.compile(
    r"""=\s*"(.*)"|'(?=[-+=@("<]|[0-9a-z0-9._-]+@)(.*)|'(?=[0-9])([-0-9 ().,/+]*)""", re.I | re.S
)
"""What keeps a spreadsheet from reading a cell: ``="…"``, an apostrophe before a sign or number."""


def email_cell(text: str | None, column: str | None) -> str | None:
    """What an e-mail cell says: the first address counts, every other is kept.

    A text in which no address can be found, or only broken ones, is given back whole.
    """
    if text is None:
        return None
    plain = unicodedata.normalize(
        "NFKC", INVISIBLE.sub("", _unmarked(unescaped(text) or ""))
    ).strip()
    if _PLACEHOLDER.fullmatch(plain):
        return json.dumps({"value": None})
    plain = _QUERY.sub("", _SCHEME.sub(" ", plain))
    found, rest = _addresses(plain)
    if not found:
        return json.dumps({"value": " ".join(plain.split()).lower() or None})
    return _cell(column, [_in_ascii(address) for address in found], rest)


_SCHEME = re.compile(r"\b(?:mailto|e-?mail|smtp):\s*", re.IGNORECASE)
_QUERY = re.compile(r"\?(?:subject|cc|bcc|body)=\S*", re.IGNORECASE)
_ANGLED = re.compile(r"<\s*([^<>\s@]+@[^<>\s@]+)\s*>")
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_BETWEEN = re.compile(
    r"[;,|\r\n\t]+|\s+(?:or|and|und|oder|et|ou|y|o|e|/|&|-|–)\s+|\s*/\s*(?=[^/@]+@)"
)
_AROUND = " '\"`´‘’“”<>.,;:*•"


def _addresses(text: str) -> tuple[list[str], bool]:
    """The addresses of a text in their order, and whether anything else stands in it."""
    angled = _ANGLED.findall(text)
    if angled:
        left = _ANGLED.sub(";", text)
        more, rest = _addresses(left) if left.count("@") else ([], any(map(str.isalnum, left)))
        return [*angled, *more], rest
    rest = False

    def bracketed(match: re.Match[str]) -> str:
        nonlocal rest
        inside = match[1] or match[2] or ""
        if "@" in inside:
            return f";{inside};"
        rest = rest or any(map(str.isalnum, inside))
        return " "

    found = []
    text = _BRACKETS.sub(bracketed, text)
    for part in _BETWEEN.split(text) if text.count("@") > 1 else re.split(r"[;,|\r\n\t]+", text):
        words = [word.strip(_AROUND) for word in part.split()]
        words = [word for word in words if word]
        labels = [word for word in part.split() if word.endswith(":") and "@" not in word]
        addresses = [word for word in words if _is_address(word)]
        if addresses and len(addresses) + len(labels) == len(words):
            found += addresses
            rest = rest or bool(labels)
        else:
            rest = rest or bool(words)
    return found, rest


def _is_address(word: str) -> bool:
    local, at, domain = word.partition("@")
    return bool(local and at and "." in domain.strip(".") and "@" not in domain)


def _in_ascii(address: str) -> str:
    """Lower case, the domain as names of hosts are sent (RFC 5891); no domain: as it is."""
    local, _, domain = address.lower().partition("@")
    if not domain.isascii():
        import idna

        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            return address.lower()
    return f"{local}@{domain}"


def phone_cell(text: str | None, column: str | None) -> str | None:
    """What a phone cell says: the first number counts, extensions stay, other numbers are kept.

    A text in which there is no number is given back whole; what a spreadsheet made of the last
    digits (``4.15556E+11``) is no number any more.
    """
    if text is None:
        return None
    plain = unicodedata.normalize(
        "NFKC", INVISIBLE.sub("", _unmarked(unescaped(text) or ""))
    ).strip()
    plain = "".join(_in_digits(character) for character in plain)
    if _PLACEHOLDER.fullmatch(plain):
        return json.dumps({"value": None})
    if match := _SCIENTIFIC.fullmatch(plain):
        whole = _whole(match[1], match[2] or "", int(match[3]))
        left = {} if whole else {"left": "digits_lost"}
        return json.dumps({"value": whole, **left})
    plain = _DECIMALS.sub(r"\1", plain)
    numbers, rest = [], False
    for part in _numbers(plain):
        number = _REMARK.sub(" ", part)
        rest = rest or number != part
        number = " ".join(_LABEL.sub("", number.strip()).split()).strip(" ,;/")
        if _digits(number) >= 4:
            numbers.append(number)
        else:
            rest = rest or any(map(str.isalnum, number))
    if not numbers:
        return json.dumps({"value": " ".join(plain.split()) or None})
    return _cell(column, numbers, rest)


_SCIENTIFIC = re.compile(r"\+?([0-9])(?:[.,]([0-9]+))?E\+?([0-9]{1,2})", re.IGNORECASE)
_DECIMALS = re.compile(r"(\+?[0-9]{5,})[.,]0+")
_LABEL = re.compile(
    r"^[^\W\d_][^\d:+(]{0,15}[:=]\s*(?=[+(]?[0-9])|^(?:tel|phone|ph|fax|mob|cell)\b[. ]*", re.I
)
_REMARK = re.compile(r"\(([^()0-9]*[^\W\d_][^()0-9]*)\)|\[[^\[\]]*\]")
_BREAKS = re.compile(r"[;|\r\n\t]+|,\s+|\s+(?:or|and|und|oder|et|ou)\s+|\s+/\s+")
_EXTENSION = re.compile(r"\s*(?:ext|x|extension|durchwahl|dw|poste|int)\b", re.IGNORECASE)
_NUMBER = 6
"""Digits of the shortest number that stands beside another one; fewer are a part of it."""


def _numbers(text: str) -> list[str]:
    """The numbers of a text; what is no number of its own belongs to the one before it."""
    text = re.sub(r";\s*ext=", " ext. ", text, flags=re.IGNORECASE)
    starts = [0, *(match.end() for match in _BREAKS.finditer(text))]
    ends = [*(match.start() for match in _BREAKS.finditer(text)), len(text)]
    spans: list[tuple[int, int]] = []
    for start, end in zip(starts, ends, strict=True):
        part = text[start:end]
        if spans and (_EXTENSION.match(part) or 0 < _digits(part) < _NUMBER):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    numbers = [text[start:end] for start, end in spans]
    if _digits(numbers[0]) < _NUMBER:
        return [text]
    slashed = text.split("/")
    if len(numbers) == 1 and len(slashed) == 2 and min(map(_digits, slashed)) > _NUMBER:
        return slashed
    return numbers


def _whole(first: str, decimals: str, power: int) -> str | None:
    """All digits of a number written with a power of ten; None where some are lost."""
    return first + decimals if len(decimals) == power >= 4 else None


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _in_digits(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _cell(column: str | None, values: Sequence[str], rest: bool) -> str:
    first, *others = dict.fromkeys(values)
    cell: dict[str, object] = {"value": first}
    if others:
        cell["further"] = {f"{column}_{place}": other for place, other in enumerate(others, 2)}
    if rest:
        cell["left"] = "remark"
    return json.dumps(cell, ensure_ascii=False)


def _unmarked(text: str) -> str:
    match = _MARK.fullmatch(text.strip())
    if match is None:
        return text
    return (match[1] or match[2] or match[3] or "").replace('""', '"')


def with_further(extra: str | None, cells: str | None) -> str | None:
    """``_extra`` with the further values of some cells; a name that is taken gets the next number.

    Args:
        extra: a JSON object.
        cells: a JSON list of what ``email_cell`` and ``phone_cell`` gave, or null.
    """
    kept = json.loads(extra) if extra else {}
    for cell in filter(None, json.loads(cells or "[]")):
        for name, value in json.loads(cell).get("further", {}).items():
            stem, _, number = name.rpartition("_")
            place = int(number)
            while kept.get(f"{stem}_{place}") is not None:
                place += 1
            kept[f"{stem}_{place}"] = value
    return json.dumps(kept, ensure_ascii=False) if kept else None


CALLS: dict[str, tuple[Callable[..., str | None], int]] = {
    **texts.CALLS,
    "read_email": (email_cell, 2),
    "read_phone": (phone_cell, 2),
    "with_further": (with_further, 2),
}
"""What SQL calls them, and how many texts each takes."""
