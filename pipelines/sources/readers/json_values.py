"""JSON as it is written: numbers keep their digits, and values in values get names of their own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

DEEPEST = 50
"""Levels of lists and objects inside a value."""


NO_OBJECT = "not a JSON object"


class Defect(Exception):
    """Why an object is not read."""


class _Number(str):
    """A number as it is written: DuckDB and JSON in Python would each round it their own way."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object as read, so that a key written twice is seen and a list is told from it."""


DECODER = json.JSONDecoder(
    object_pairs_hook=Pairs,
    parse_int=_Number,
    parse_float=_Number,
    parse_constant=lambda name: None if name == "NaN" else _Number(name),
)


def object_of(text: str) -> Pairs:
    """The object that a line holds; raises ``Defect``."""
    try:
        value = DECODER.decode(text.strip())
    except (ValueError, RecursionError):
        raise Defect("not valid JSON") from None
    if not isinstance(value, Pairs):
        raise Defect(NO_OBJECT)
    return value


def flat(
    value: Pairs, withholds: Callable[[str], bool], nested: Counter[str]
) -> dict[str, str | None]:
    """Name → text of each value in an object, however deep: ``address.street``.

    Of a list of objects the first has the list's own name, as in ``emails.value``, the second
    ``emails.2.value``, and so on; one of plain values is one text. Secrets inside values are left
    out, and counted in ``nested``.

    Raises:
        Defect: a name that stands twice, more than ``DEEPEST`` levels, or what is no text.
    """
    texts: dict[str, str | None] = {}
    for name, text in _named("", value, withholds, nested, DEEPEST):
        if name in texts:
            raise Defect("a key that stands twice")
        _refuse_no_text(name)
        if text is not None:
            _refuse_no_text(text)
        texts[name] = text
    return texts


def _named(
    name: str, value: Any, withholds: Callable[[str], bool], nested: Counter[str], levels: int
) -> Iterator[tuple[str, str | None]]:
    if levels < 0:
        raise Defect(f"values in values, more than {DEEPEST} deep")
    if isinstance(value, Pairs):
        if len(value) != len(dict(value)):
            raise Defect("a key that stands twice")
        for key, entry in value:
            # The landing withholds a header; inside a value nobody but this knows what is one.
            if withholds(key) and (name or isinstance(entry, list)):
                nested[key] += sum(text not in (None, "") for text in _texts(entry))
                continue
            below = f"{name}.{key}" if name else key
            yield from _named(below, entry, withholds, nested, levels - 1)
    elif isinstance(value, list) and not any(isinstance(one, list) for one in value):
        texts = [text for one in value if (text := _text(one)) not in (None, "")]
        yield name, "; ".join(texts) or None
    elif isinstance(value, list):
        # Of lists in a list each has a number, as the second of one is not the second of all.
        numbered = any(isinstance(one, list) and not isinstance(one, Pairs) for one in value)
        for number, entry in enumerate(value, 1):
            below = f"{name}.{number}" if number > 1 or numbered else name
            yield from _named(below, entry, withholds, nested, levels - 1)
    else:
        yield name, _text(value)


def _texts(value: Any) -> Iterator[str | None]:
    """Every text, number and boolean of a value."""
    if isinstance(value, Pairs):
        value = [entry for _, entry in value]
    if isinstance(value, list):
        for entry in value:
            yield from _texts(entry)
    else:
        yield _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    return "true" if value else "false"


def _refuse_no_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Defect("half of a character, a surrogate without its other") from None
    if "\0" in text:
        raise Defect("a zero byte")
