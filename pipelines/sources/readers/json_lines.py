"""JSON lines: one object a line; the header is every key that occurs, in order of appearance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.sources.headers import is_secret
from pipelines.sources.model import Format
from pipelines.sources.readers.reader import Unreadable
from pipelines.sources.readers.records import Record, load_records
from pipelines.sources.readers.text import encoding_of, open_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class JsonLines:
    """One JSON lines file, or the same as ``.gz``."""

    path: Path
    form: Format

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        names: dict[str, None] = {}
        for _, value, _ in self._objects():
            names.update(dict.fromkeys(value or ()))
        if not names:
            message = "no line of the file is a JSON object; write one object a line"
            raise Unreadable(message, 1)
        return list(names)

    def load(self, connection: DuckDBPyConnection, name: str, places: Sequence[int]) -> None:
        """See ``Reader.load``."""
        header = self.header()
        keys = [header[place] for place in places]
        records = (
            Record(line, () if value is None else [_text(value.get(key)) for key in keys], defect)
            for line, value, defect in self._objects()
        )
        load_records(connection, name, places, records, self.form.null_markers)

    def _objects(self) -> Iterator[tuple[int, dict[str, Any] | None, str | None]]:
        """(line, object without secrets, defect) of each line that is not blank."""
        codec, mark = encoding_of(self.path, self.form.encoding)
        with open_lines(self.path, codec, mark) as lines:
            while True:
                lines.begin()
                text = next(lines, None)
                if text is None:
                    return
                if text.strip():
                    value, reason = _object(text, lines.broken() is not None)
                    yield lines.line, value, reason and f"{reason} ({lines.span()})"


def _object(text: str, broken: bool) -> tuple[dict[str, Any] | None, str | None]:
    if broken:
        return None, "bytes that are no text in the file's encoding"
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None, "not valid JSON"
    if not isinstance(value, _Pairs):
        return None, "not a JSON object"
    if len(value) != len(dict(value)):
        return None, "a key that stands twice"
    return {key: _bare(entry) for key, entry in value if not is_secret(key)}, None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as read, so that a key written twice is seen and a list is told from it."""


def _bare(value: Any) -> Any:
    """A value without the secrets that objects inside it carry."""
    if isinstance(value, _Pairs):
        return {key: _bare(entry) for key, entry in value if not is_secret(key)}
    return [_bare(entry) for entry in value] if isinstance(value, list) else value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
