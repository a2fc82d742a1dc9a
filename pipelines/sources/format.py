"""How a source's files are written."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipelines.config import Frozen, TimeZone


class Format(Frozen):
    """How a source's files are written, where that is not what one expects.

    Attributes:
        delimiter: between the columns of a text file; by default a comma, a tab in ``.tsv``.
        encoding: of a text file; by default UTF-8, or UTF-16 where the file says so.
        null_markers: texts that stand for "no value".
        dates: whether 03/04/2025 is the 3rd of April (dmy) or March 4th (mdy); without it such a
            date is refused.
        numbers: how an amount is written; without it what could be two numbers is refused.
        timezone: whose time it is where no offset stands behind it; by default as the policy says.
        sheet: which sheet of an Excel file, or list of a JSON file; needed where several fit.
        header: the line of the header, or none; by default the first, or where one fits far better.
        escape: whether a backslash stands before a quote inside quotes; by default where only so
            all lines are whole.
    """

    delimiter: str | None = None
    encoding: str | None = None
    null_markers: tuple[str, ...] = ("NULL", r"\N", "#N/A")
    sheet: str | None = None
    header: Annotated[int, Field(ge=1)] | Literal["none"] | None = None
    escape: Literal["backslash"] | None = None
    dates: Literal["dmy", "mdy"] | None = None
    numbers: Literal["1,234.50", "1.234,50"] | None = None
    timezone: TimeZone | None = None

    @property
    def day_first(self) -> bool | None:
        """Whether the day stands before the month; None where nobody says."""
        return None if self.dates is None else self.dates == "dmy"

    @property
    def decimal_comma(self) -> bool | None:
        """Whether a comma stands before the decimals; None where nobody says."""
        return None if self.numbers is None else self.numbers == "1.234,50"

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, value: str | None) -> str | None:
        value = "\t" if value in ("tab", r"\t") else value
        if value is not None and (len(value) != 1 or value in '"\r\n' or not value.isascii()):
            raise ValueError("one ASCII character between columns, or 'tab'")
        return value

    @field_validator("encoding")
    @classmethod
    def _codec(cls, value: str | None) -> str | None:
        try:
            if value is None:
                return None
            "".encode(value)  # what encodes bytes, or nothing, is looked up as well
            name = codecs.lookup(value).name.replace("_", "-")
        except (LookupError, UnicodeError):
            name = None
        if name is None or name in _NOT_OF_FILES:
            raise ValueError("no encoding of text; try utf-8, utf-16, latin-1 or cp1252")
        return name


_NOT_OF_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}
"""Encodings of Python's own: of names of hosts, and of its source."""
