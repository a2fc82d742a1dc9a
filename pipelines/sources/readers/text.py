"""Text files: their encoding, and their lines with line number and byte range."""

from __future__ import annotations

import codecs
import gzip
import unicodedata
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from pipelines.sources.readers.reader import Unreadable

UTF8 = "utf-8"
HEAD = 4096
"""Bytes of the start of a file by which it is known."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FAMILY = {
    "utf-16": ("utf-16-le", "utf-16-be"),
    "utf-32": ("utf-32-le", "utf-32-be"),
    "utf-8-sig": (UTF8,),
}


def is_packed(path: Path) -> bool:
    """Whether a file's name says that it is a ``.gz``."""
    return path.suffix.lower() == ".gz"


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked if it is a ``.gz``.

    Raises:
        Unreadable: the file is gone, may not be read, or is a damaged archive.
    """
    try:
        with gzip.open(path) if is_packed(path) else path.open("rb") as stream:
            yield stream  # type: ignore[misc]  # a GzipFile is an IO[bytes] in all but its type
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error):
        raise Unreadable("the archive is damaged or cut short; copy the file again") from None
    except FileNotFoundError:
        raise Unreadable("the file vanished while it was read; land the day again") from None
    except PermissionError:
        raise Unreadable("this user may not read the file; change its permissions") from None
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}; copy the file again") from None


def encoding_of(path: Path, declared: str | None) -> tuple[str, int]:
    """The codec of a text file and the length of its byte order mark.

    A mark wins over silence; without one it is UTF-16 if the start can be nothing else, else what
    was declared, else UTF-8.
    """
    with open_bytes(path) as stream:
        start = stream.read(HEAD)
    if not start:
        raise Unreadable("the file is empty; remove it, or export it again")
    mark, detected = next(
        ((mark, codec) for mark, codec in _MARKS if start.startswith(mark)), (b"", None)
    )
    if detected is None:
        detected = _without_zeros(start)
    if declared and declared not in (detected, *(k for k, v in _FAMILY.items() if detected in v)):
        if detected is None:
            return _without_mark(declared), 0
        raise Unreadable(
            f"the file is {detected}, but sources.yaml declares {declared}; remove that", 1
        )
    return detected or UTF8, len(mark)


def _without_mark(declared: str) -> str:
    kinds = _FAMILY.get(declared, (declared,))
    if len(kinds) > 1:
        advice = " or ".join(f"'format: {{encoding: {kind}}}'" for kind in kinds)
        raise Unreadable(f"the file has no {declared} mark; say {advice} in sources.yaml", 1)
    return kinds[0]


def _without_zeros(start: bytes) -> str | None:
    """UTF-16 without a mark: read so, no zero byte is left, and it has signs of a table.

    Zero bytes stand at one of two places only, as the upper half of ASCII signs; in a text of
    another encoding they are few, and what comes of it is no text.
    """
    start = start[: len(start) // 2 * 2]
    for codec, upper, lower in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        zeros = len(start) // 2 - len(start[upper::2].replace(b"\0", b""))
        if zeros > 1 and b"\0" not in start[lower::2]:
            text = codecs.getincrementaldecoder(codec)("replace").decode(start)
            signs = sum(map(text.count, "\r\n,;\t|"))
            if signs and zeros >= signs and not any(map(_is_no_text, text)):
                return codec
    return None


def _is_no_text(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cn", "Co", "Cs") or (kind == "Cc" and character not in "\t\r\n\x1a")


class Lines:
    r"""The physical lines of a text file, taken one by one; some can be given back.

    A line ends with ``\n``, ``\r`` or ``\r\n``. A byte that is no text is kept as a surrogate (in
    UTF-8) or as U+FFFD (in other encodings), which ``broken`` finds.
    """

    def __init__(self, stream: TextIO, codec: str, mark: int) -> None:
        self.line = 1
        self.offset = mark
        self.record_lines: list[str] = []
        self._stream = stream
        self._again: deque[str] = deque()
        self._width = _width(codec)
        self._utf8 = codec == UTF8

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        text = self._again.popleft() if self._again else next(self._stream)
        self.record_lines.append(text)
        return text

    def begin(self) -> None:
        """What is taken from here on belongs to the next record."""
        self.line += len(self.record_lines)
        self.offset += sum(map(self._width, self.record_lines))
        self.record_lines.clear()

    def keep_first(self) -> None:
        """Give back all lines of this record but its first."""
        self._again.extendleft(reversed(self.record_lines[1:]))
        del self.record_lines[1:]

    def span(self) -> str:
        """Where the record at hand lies in the (unpacked) file, for people who look it up."""
        end = self.offset + sum(map(self._width, self.record_lines))
        return f"bytes {self.offset}-{end}"

    def broken(self) -> int | None:
        """The place in the file of the record's first byte that is no text, if there is one."""
        place = self.offset
        for text in self.record_lines:
            if not text.isascii() and (at := self._bad(text)) is not None:
                return place + self._width(text[:at])
            place += self._width(text)
        return None

    def _bad(self, text: str) -> int | None:
        try:
            text.encode(UTF8)
        except UnicodeEncodeError as error:
            return error.start
        at = -1 if self._utf8 else text.find("�")
        return None if at < 0 else at


@contextmanager
def open_lines(path: Path, codec: str, mark: int) -> Iterator[Lines]:
    """The lines of a text file; errors as ``open_bytes``."""
    import io

    with open_bytes(path) as stream:
        stream.read(mark)
        errors = "surrogateescape" if codec == UTF8 else "replace"
        with io.TextIOWrapper(stream, encoding=codec, errors=errors, newline="") as text:
            yield Lines(text, codec, mark)


def _width(codec: str) -> Callable[[str], int]:
    """How many bytes a text has in the file."""
    if codec == UTF8:
        return lambda text: (
            len(text) if text.isascii() else len(text.encode(UTF8, "surrogateescape"))
        )
    return lambda text: len(text.encode(codec, "replace"))
