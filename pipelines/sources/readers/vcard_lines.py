"""The lines of a vCard, 2.1 (the versit consortium), 3.0 (RFC 2426) or 4.0 (RFC 6350).

Writers of the three differ more than the three do, so what one of them allows is read in all:
quoted-printable values, types without ``TYPE=``, labels of Apple's (``item1.X-ABLabel``).
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(r'(?:([\w-]+)\.)?([\w-]+)((?:;(?:"[^"]*"|[^":;])*)*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';((?:"[^"]*"|[^";])*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_APPLE = re.compile(r"_\$!<(.*)>!\$_")
_ENCODINGS = {"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"}


class NoLine(ValueError):
    """What is no line of a vCard."""


@dataclass(frozen=True)
class Property:
    """One property of a card.

    Attributes:
        group: what ties it to others, such as its label; none where nothing does.
        name: in capitals.
        types: what kind of the thing it is, in small letters.
        parameters: all others, by names in capitals.
        value: decoded, but with its escapes.
    """

    group: str
    name: str
    types: frozenset[str]
    parameters: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as one text."""
        return unescaped(self.value).strip()

    def parts(self) -> list[str]:
        """What semicolons part: of a name, an address or an organization."""
        return [unescaped(part).strip() for part in re.split(r"(?<!\\);", self.value)]


def unescaped(text: str) -> str:
    r"""A text without its backslashes: ``\n`` is a line break, any other sign is itself."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def unfolded(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """(number of its first line, logical line): those that go on in the next line put together."""
    at, text = 0, ""
    for number, line in lines:
        bare = line.rstrip("\r\n")
        if text and _is_soft(text):
            text = text[:-1] + bare
        elif bare[:1] in (" ", "\t") and text:
            text += bare[1:]
        else:
            if text:
                yield at, text
            at, text = number, bare
    if text:
        yield at, text


def _is_soft(text: str) -> bool:
    head = text.partition(":")[0].upper()
    return text.endswith("=") and "QUOTED-PRINTABLE" in head


def property_of(text: str) -> Property:
    """A logical line; raises ``NoLine``."""
    match = _LINE.fullmatch(text.lstrip())
    if match is None:
        raise NoLine
    types: set[str] = set()
    parameters: dict[str, str] = {}
    for parameter in _PARAMETER.findall(match[3]):
        name, equals, value = parameter.strip().partition("=")
        name, value = (name.upper(), value.strip('"')) if equals else ("TYPE", name)
        if name == "TYPE" and value.upper() in _ENCODINGS:  # as 2.1 has it
            parameters["ENCODING"] = value.upper()
        elif name == "TYPE":
            types |= {one.strip().lower() for one in value.split(",")}
        else:
            parameters[name] = value
    if parameters.get("PREF"):
        types.add("pref")
    value = _decoded(match[4], parameters)
    return Property((match[1] or "").lower(), match[2].upper(), frozenset(types), parameters, value)


def _decoded(value: str, parameters: dict[str, str]) -> str:
    if parameters.get("ENCODING", "").upper() != "QUOTED-PRINTABLE":
        return value
    content = quopri.decodestring(value.encode("utf-8", "surrogateescape"))
    try:
        return content.decode(parameters.get("CHARSET", "utf-8")).replace("\r\n", "\n")
    except (LookupError, UnicodeDecodeError):
        raise NoLine from None


def label(text: str) -> str:
    """A label as Apple writes it, in small letters: ``_$!<Mobile>!$_`` is mobile."""
    match = _APPLE.fullmatch(text.strip())
    return (match[1] if match else text).strip().lower()
