"""Which encodings a text file can be of: those that decode all of it, shown with a line of it.

Nothing here decides. Many encodings give any byte a letter, so only somebody who knows the words
can tell which one is right; they are listed in the order in which they read like a language.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from pipelines.sources.readers.text import open_bytes

CANDIDATES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac-roman", "iso-8859-2", "iso-8859-15",
    "cp932", "gb18030", "euc-kr", "big5", "euc-jp", "koi8-r", "cp850",
)  # fmt: skip
"""What spreadsheets and older systems write, by region; of those that read alike the first."""

MOST = 6
"""Encodings that are shown."""

WIDE = 60
"""Characters of a line that are shown."""

SAMPLE = 1 << 16
"""Bytes of lines beyond ASCII by which encodings are ranked."""

_CHUNK = 1 << 20


def not_in(path: Path, codec: str, at: int, *, shown: bool) -> str:
    """What to say of a file whose byte ``at`` is no text in ``codec``: which encodings fit it all.

    Reads the whole file once. A line of it is ``shown`` unless secrets may stand in it.
    """
    readings = _readings(path)
    if readings:
        listed = (f"{name} {line!r}" if shown else name for name, line in readings)
        advice = (
            f"all of it can be {' · '.join(listed)}; say 'format: {{encoding: {readings[0][0]}}}',"
            " or whichever reads right, for this source in sources.yaml"
        )
    else:
        advice = "no encoding that is known here reads all of it; export the file again as UTF-8"
    return (
        f"byte {at} is no {codec}; {advice}; if only some lines are broken, say "
        f"'format: {{encoding: {codec}}}', and they are set aside"
    )


def _readings(path: Path) -> list[tuple[str, str]]:
    """(encoding, a line with signs beyond ASCII) of those that decode the whole file."""
    sample = b"\n".join(_lines_beyond_ascii(path))
    longest = max(sample.split(b"\n"), key=lambda line: sum(byte > 127 for byte in line))
    readings: dict[str, list[str]] = {}
    for name in _whole(path):
        line = longest.decode(name, "replace").strip()
        readings.setdefault(line if len(line) <= WIDE else f"{line[:WIDE]}…", []).append(name)
    order = {name: at for at, name in reversed(list(enumerate(_ranked(sample))))}

    def rank(line: str) -> int:
        return min(order.get(codecs.lookup(name).name, len(order)) for name in readings[line])

    return [(readings[line][0], line) for line in sorted(readings, key=rank)[:MOST]]


def _whole(path: Path) -> list[str]:
    """The candidates in which every byte of a file is text."""
    decoders = {name: codecs.getincrementaldecoder(name)() for name in CANDIDATES}
    with open_bytes(path) as stream:
        while decoders and (chunk := stream.read(_CHUNK)):
            decoders = {name: one for name, one in decoders.items() if _decodes(one, chunk)}
    return [name for name, one in decoders.items() if _decodes(one, b"", final=True)]


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    # Some give the bytes 80 to 9F no letter but a control character, which no text has.
    return text.isascii() or not any("\x7f" <= character <= "\x9f" for character in text)


def _lines_beyond_ascii(path: Path) -> Iterator[bytes]:
    size = 0
    with open_bytes(path) as stream:
        for line in iter(lambda: stream.readline(SAMPLE), b""):
            if not line.isascii():
                size += len(line)
                yield line.strip()
                if size > SAMPLE:
                    return


def _ranked(sample: bytes) -> list[str]:
    """The candidates in the order in which the sample reads like a language."""
    from charset_normalizer import from_bytes

    python_names = [codecs.lookup(name).name.replace("-", "_") for name in CANDIDATES]
    matches = from_bytes(sample, cp_isolation=python_names, threshold=1.0)
    found = [name for match in matches for name in match.could_be_from_charset]
    return [codecs.lookup(name).name for name in found]
