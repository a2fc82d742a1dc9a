"""JSON: an object a line, a list of objects, or a document with such a list somewhere in it.

The header is every name that occurs, in order of appearance; see ``json_values.flat`` for names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.sources.format import Format
from pipelines.sources.headers import is_secret
from pipelines.sources.readers.json_values import (
    DECODER,
    NO_OBJECT,
    Defect,
    Pairs,
    flat,
    object_of,
)
from pipelines.sources.readers.reader import Places, Remark, Unreadable
from pipelines.sources.readers.records import Record, load_records
from pipelines.sources.readers.text import encoding_of, open_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DOCUMENT = 1 << 28
"""Characters of a document that is no JSON lines, and is held whole."""

DEEPEST_LIST = 3
"""How far inside a document the list of its rows may stand."""

WIDEST = 4096
"""Names that the objects of a file may have in all."""

_BLANKS = " \t\r\n"


class Found(NamedTuple):
    """An object of a file, or why there is none; and where, for people who look it up."""

    line: int
    where: str
    value: Pairs | None
    defect: str | None = None


@dataclass(frozen=True)
class JsonFile:
    """The objects of one JSON file, or of one list in it; or the same as ``.gz``.

    Attributes:
        objects: the objects with their lines; where one is broken, why.
        name: of the list, as ``format: {sheet: …}`` calls it; none where it is all of the file.
        nested: secret name inside a value → how many of it were filled and are withheld, once
            loaded.
    """

    form: Format
    objects: Callable[[], Iterator[Found]]
    withholds: Callable[[str], bool] = is_secret
    name: str = ""
    remarks: list[Remark] = field(default_factory=list, compare=False)
    nested: Counter[str] = field(default_factory=Counter, compare=False)

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        names: dict[str, None] = {}
        for _, texts, _ in self._flat():
            names.update(dict.fromkeys(texts or ()))
            if len(names) > WIDEST:
                raise Unreadable(f"its objects have more than {WIDEST:,} names; export fewer")
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
            Record(line, () if texts is None else [texts.get(key) for key in keys], defect)
            for line, texts, defect in self._flat()
        )
        load_records(connection, name, places, records, self.form.null_markers)

    def _flat(self) -> Iterator[tuple[int, dict[str, str | None] | None, str | None]]:
        for one in self.objects():
            texts, defect = None, one.defect
            if one.value is not None:
                try:
                    texts = flat(one.value, self.withholds, self.nested)
                except Defect as error:
                    defect = str(error)
            yield one.line, texts, f"{defect} ({one.where})" if defect else None


def json_parts(path: Path, form: Format, withholds: Callable[[str], bool]) -> list[JsonFile]:
    """The parts of a file that may be its rows: each list of objects in it, and all of it.

    Raises:
        Unreadable: it is a document and broken, too large, or has no list of the declared name.
    """
    if _is_lines(path, form):
        return [JsonFile(form, lambda: _lines(path, form), withholds)]
    text = _document(path, form)
    lists, whole = _lists(text)
    parts = [JsonFile(form, _elements(text, one), withholds, one.name) for one in lists]
    if form.sheet is not None and lists:
        parts = [part for part in parts if part.name == form.sheet]
        if not parts:
            names = ", ".join(repr(one.name) for one in lists)
            raise Unreadable(f"no list {form.sheet!r}; there are {names}")
    elif whole is not None:
        parts.append(JsonFile(form, lambda: iter([Found(1, "line 1", whole)]), withholds))
    return parts


def _is_lines(path: Path, form: Format) -> bool:
    """Whether each line is an object: the first one is whole, and is not all of the file.

    Its name may say so, too.
    """
    if Path(path.name.lower().removesuffix(".gz")).suffix in (".jsonl", ".ndjson"):
        return True
    codec, mark = encoding_of(path, form.encoding)
    with open_lines(path, codec, mark) as lines:
        filled = list(islice((line for line in lines if line.strip()), 2))
    if not filled or filled[0].lstrip().startswith("["):
        return False
    try:
        object_of(filled[0])
    except Defect:
        return filled[0].rstrip().endswith("}") or not filled[0].lstrip().startswith("{")
    return len(filled) > 1


def _lines(path: Path, form: Format) -> Iterator[Found]:
    codec, mark = encoding_of(path, form.encoding)
    with open_lines(path, codec, mark) as lines:
        while True:
            lines.begin()
            text = next(lines, None)
            if text is None:
                return
            if text.strip():
                value = defect = None
                try:
                    value = object_of(text)
                except Defect as error:
                    defect = str(error)
                if lines.broken() is not None:
                    value, defect = None, "bytes that are no text in the file's encoding"
                yield Found(lines.line, lines.span(), value, defect)


def _document(path: Path, form: Format) -> str:
    codec, mark = encoding_of(path, form.encoding)
    parts: list[str] = []
    size = 0
    with open_lines(path, codec, mark) as lines:
        for text in lines:
            if lines.broken() is not None:
                raise Unreadable(f"bytes that are no {codec}; export it again", lines.line)
            lines.begin()
            parts.append(text)
            size += len(text)
            if size > DOCUMENT:
                message = f"a document of more than {DOCUMENT >> 20} MB; write one object a line"
                raise Unreadable(message)
    return "".join(parts)


class _List(NamedTuple):
    """A list of objects in a document: its name, and where it begins."""

    name: str
    at: int


def _lists(text: str) -> tuple[list[_List], Pairs | None]:
    """The lists of objects in a document, and the document where it is an object itself."""
    at = _skip(text, 0)
    value, end = _decoded(text, at)
    if text[end:].strip(_BLANKS):
        raise Unreadable("more than one JSON document; write one object a line", _line(text, end))
    if not isinstance(value, Pairs):
        return [_List("", at)], None
    return list(_lists_in(text, at, value, "", DEEPEST_LIST)), value


def _lists_in(text: str, at: int, value: Pairs, name: str, levels: int) -> Iterator[_List]:
    """The lists among the values of the object that begins at ``at``."""
    at = _skip(text, at + 1)
    for key, entry in value:
        _, at = DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        below = f"{name}.{key}" if name else key
        if isinstance(entry, Pairs) and levels > 1:
            yield from _lists_in(text, at, entry, below, levels - 1)
        elif isinstance(entry, list) and entry and all(isinstance(one, Pairs) for one in entry):
            yield _List(below, at)
        _, at = DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)


def _elements(text: str, found: _List) -> Callable[[], Iterator[Found]]:
    def elements() -> Iterator[Found]:
        at, line, counted = _skip(text, found.at + 1), 1, 0
        while text[at] != "]":
            line, counted = line + text.count("\n", counted, at), at
            value, end = _decoded(text, at)
            if isinstance(value, Pairs):
                yield Found(line, f"line {line}", value)
            else:
                yield Found(line, f"line {line}", None, NO_OBJECT)
            at = _skip(text, end)
            at = _skip(text, at + 1) if text[at] == "," else at

    return elements


def _decoded(text: str, at: int) -> tuple[Any, int]:
    try:
        return DECODER.raw_decode(text, at)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise Unreadable("not valid JSON; export it again, or one object a line", line) from None
    except RecursionError:
        raise Unreadable("values in values without an end; export it again") from None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
