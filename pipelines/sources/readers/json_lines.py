"""JSON lines: one object a line; the header is every key that occurs, in order of appearance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.sources.model import Format
from pipelines.sources.readers.reader import Places, Unreadable
from pipelines.sources.readers.records import Record, load_records
from pipelines.sources.readers.text import encoding_of, open_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEEPEST = 50
"""Levels of lists and objects inside a value."""


@dataclass(frozen=True)
class JsonLines:
    """One JSON lines file, or the same as ``.gz``."""

    path: Path
    form: Format
    withholds: Callable[[str], bool]
    nested: Counter[str] = field(default_factory=Counter)
    """Secret name inside a value → how many of it were filled and are withheld, once loaded."""

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        names: dict[str, None] = {}
        for _, value, _ in self._objects():
            names.update(dict.fromkeys(value or ()))
        if not names:
            message = "no line of the file is a JSON object; write one object a line"
            raise Unreadable(message, 1)
        return list(names)

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        header = self.header()
        keys = [header[place] for place in (*places.kept, *places.withheld)]
        self.nested.clear()
        records = (
            Record(line, () if value is None else [_text(value.get(key)) for key in keys], defect)
            for line, value, defect in self._objects()
        )
        load_records(connection, name, places, records, self.form.null_markers)

    def _objects(self) -> Iterator[tuple[int, dict[str, Any] | None, str | None]]:
        """(line, object without secrets inside its values, defect) of each line not blank."""
        codec, mark = encoding_of(self.path, self.form.encoding)
        with open_lines(self.path, codec, mark) as lines:
            while True:
                lines.begin()
                text = next(lines, None)
                if text is None:
                    return
                if text.strip():
                    broken = lines.broken() is not None
                    try:
                        value = _object(text, broken=broken)
                        bare = {key: self._bare(entry, DEEPEST) for key, entry in value}
                        if "\\u" in text:  # only so can JSON spell what is no text
                            _refuse_no_text("".join(_texts(bare)))
                        yield lines.line, bare, None
                    except _Defect as defect:
                        yield lines.line, None, f"{defect} ({lines.span()})"

    def _bare(self, value: Any, levels: int) -> Any:
        """A value as Python has it, without the secrets that objects inside it carry."""
        if levels == 0:
            raise _Defect(f"values in values, more than {DEEPEST} deep")
        if isinstance(value, _Pairs):
            _refuse_twins(value)
            secrets = [key for key, entry in value if self.withholds(key) and entry]
            self.nested.update(secrets)
            kept = (pair for pair in value if not self.withholds(pair[0]))
            return {key: self._bare(entry, levels - 1) for key, entry in kept}
        if isinstance(value, list):
            return [self._bare(entry, levels - 1) for entry in value]
        return value


class _Defect(Exception):
    """Why a line is not read."""


class _Number(str):
    """A number as it is written: DuckDB and JSON in Python would each round it their own way."""


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as read, so that a key written twice is seen and a list is told from it."""


def _object(text: str, *, broken: bool) -> _Pairs:
    if broken:
        raise _Defect("bytes that are no text in the file's encoding")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_Pairs,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=lambda name: None if name == "NaN" else _Number(name),
        )
    except (ValueError, RecursionError):
        raise _Defect("not valid JSON") from None
    if not isinstance(value, _Pairs):
        raise _Defect("not a JSON object")
    _refuse_twins(value)
    return value


def _refuse_twins(pairs: _Pairs) -> None:
    if len(pairs) != len(dict(pairs)):
        raise _Defect("a key that stands twice")


def _refuse_no_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Defect("half of a character, a surrogate without its other") from None
    if "\0" in text:
        raise _Defect("a zero byte")


def _texts(value: Any) -> Iterator[str]:
    """Every text of a value, the names in it too, each with a space behind it."""
    if isinstance(value, str):
        yield f"{value} "
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(_texts, chain(value, value.values())))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_texts, value))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    return _written(value)


def _written(value: Any) -> str:
    """A value as JSON, its numbers as they were."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_written(key)}: {_written(entry)}" for key, entry in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value, ensure_ascii=False)
