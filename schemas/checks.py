"""The words that rules about rows are said in.

A rule is a pandera check that knows what people need to hear of it: its kind (the four validations
of a contacts import, in this order), the column it blames, its message, and whether it rejects a
row or only warns. The schemas see rows as staging leaves them, on Arrow types, so that patterns are
RE2 as in DuckDB: no look-ahead, ``$`` is the very end, classes are ASCII unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow

MANDATORY = "Mandatory Values"
FORMAT = "Data Format"

ERROR = "error"
WARNING = "warning"

BLANK = "blank"
REJECT = "reject"
"""What a bad value of a column costs: the value, or, where it says who the row is, the row."""

TEXT = pd.ArrowDtype(pyarrow.string())
DATE = pd.ArrowDtype(pyarrow.date32())
TIMESTAMP = pd.ArrowDtype(pyarrow.timestamp("us"))
BOOLEAN = pd.ArrowDtype(pyarrow.bool_())
DECIMAL = pd.ArrowDtype(pyarrow.decimal128(18, 4))

# What Salesforce takes: the RFC's characters, no dot first, labels of letters, digits and hyphens,
# and a top-level domain of letters. Dots in a row or before the @ exist (Japan) and are taken.
_LOCAL = "A-Za-z0-9!#$%&'*/=?^_+`{|}~-"
EMAIL = (
    f"^[{_LOCAL}][.{_LOCAL}]*"
    "@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?[.])+(?:[A-Za-z]{2,}|[Xx][Nn]--[A-Za-z0-9-]+)$"
)
# The shortest that is a number: 1-800-FLOWERS, an extension; not all of it zeros.
_DIGIT = "[0-9][^0-9]*"
FOUR_DIGITS = "|".join(
    f"(?:{_DIGIT}){{{before}}}[1-9][^0-9]*(?:{_DIGIT}){{{3 - before}}}" for before in range(4)
)
COUNTRY = r"^[^0-9@]*\pL[^0-9@]*\pL[^0-9@]*$"

Holds = Callable[[Any], Any]
"""From a column (or a frame) to one boolean per row."""


def rule(
    name: str, kind: str, message: str, holds: Holds, *, field: str = "", severity: str = ERROR
) -> pa.Check:
    """A rule about one column's values, blank ones left out; about rows, if ``field`` is given.

    Only one failing case is kept for pandera's own report: positions are read from its output.
    """
    return pa.Check(
        holds,
        name=name,
        title=kind,
        error=message,
        ignore_na=not field,
        n_failure_cases=1,
        statistics={"field": field, "severity": severity},
    )


def text(*checks: pa.Check, on_bad: str = BLANK) -> pa.Column:
    """A column of text that may be blank."""
    return typed(TEXT, *checks, on_bad=on_bad)


def typed(dtype: pd.ArrowDtype, *checks: pa.Check, on_bad: str = BLANK) -> pa.Column:
    """A column of any type that may be blank; rules say where it may not.

    Args:
        dtype: the type staging gives it.
        checks: what is asked of a value.
        on_bad: what a value that is none costs (``BLANK``, ``REJECT``), whether a rule of the
            column finds it or one of the row that blames the column. A mandatory value that is
            missing always costs the row.
    """
    return pa.Column(dtype, list(checks), nullable=True, metadata={"on_bad": on_bad})


def matches(name: str, pattern: str, message: str) -> pa.Check:
    """The value matches an RE2 pattern."""
    return rule(name, FORMAT, message, lambda values: values.str.contains(pattern, regex=True))


def email() -> pa.Check:
    """An address that Salesforce takes: its characters, and a domain with a top level."""
    return matches("email_format", EMAIL, "not an e-mail address such as name@example.com")


def phone() -> pa.Check:
    """A number with at least four digits; any punctuation, vanity letters and extensions."""
    return matches(
        "phone_format", FOUR_DIGITS, "not a phone number: fewer than four digits, or only zeros"
    )


def country() -> pa.Check:
    """A name or a code: letters, no digit and no @, which is what shifted columns bring."""
    return matches("country_format", COUNTRY, "not a country: a name or a code is expected")


def at_most(length: int, severity: str = ERROR) -> pa.Check:
    """Salesforce's length of the field this becomes, in characters.

    An error where a shortened value would be another value (an address, a number); a warning where
    a mapping may choose to truncate.
    """
    return rule(
        f"at_most_{length}",
        FORMAT,
        f"longer than {length} characters, which is what Salesforce takes",
        lambda values: values.str.len() <= length,
        severity=severity,
    )


def mandatory(field: str, message: str = "a value is needed") -> pa.Check:
    """The column is never blank."""
    return rule(
        f"{field}_present", MANDATORY, message, lambda rows: rows[field].notna(), field=field
    )


def any_of(name: str, fields: tuple[str, ...], message: str) -> pa.Check:
    """At least one of the columns has a value; the first is blamed."""
    return rule(name, MANDATORY, message, lambda rows: _any_present(rows, fields), field=fields[0])


def any_of_when(name: str, trigger: str, fields: tuple[str, ...], message: str) -> pa.Check:
    """Where ``trigger`` has a value, at least one of the columns has one; the first is blamed."""
    return rule(
        name,
        MANDATORY,
        message,
        lambda rows: rows[trigger].isna() | _any_present(rows, fields),
        field=fields[0],
    )


def known_by(name: str, ways: tuple[tuple[str, ...], ...], message: str) -> pa.Check:
    """Of at least one of the ways all columns have a value; the first column is blamed."""

    def holds(rows: Any) -> Any:
        complete = [_all_present(rows, fields) for fields in ways]
        return reduce(lambda one, other: one | other, complete)

    return rule(name, MANDATORY, message, holds, field=ways[0][0])


def read_as(field: str, message: str) -> pa.Check:
    """What landed as ``<field>_text`` could be read as the column's type; blank is fine."""
    return rule(
        f"{field}_readable",
        FORMAT,
        message,
        lambda rows: rows[field].notna() | rows[f"{field}_text"].isna(),
        field=field,
    )


def date_read(field: str) -> pa.Check:
    """The text is a day that exists, in a format we read."""
    return read_as(
        field,
        "not a date we can read, such as 2026-11-05; where it may be day or month first, say which:"
        " format: {dates: dmy} or {dates: mdy}",
    )


def not_after_batch(field: str) -> pa.Check:
    """The day is not later than the batch's."""
    return rule(
        f"{field}_not_in_future",
        FORMAT,
        "lies in the future of the batch",
        lambda rows: rows[field].isna() | (rows[field] <= rows["_batch"]),
        field=field,
    )


def counts_as_recency(field: str) -> pa.Check:
    """The update time became the row's ``as_of``: it did not lie in the future of the landing."""
    return rule(
        f"{field}_not_in_future",
        FORMAT,
        "lies in the future; the batch's day counts instead",
        lambda rows: rows[field].isna() | (rows[field] == rows["as_of"]),
        field=field,
        severity=WARNING,
    )


def _any_present(rows: Any, fields: tuple[str, ...]) -> Any:
    present = rows[fields[0]].notna()
    for field in fields[1:]:
        present = present | rows[field].notna()
    return present


def _all_present(rows: Any, fields: tuple[str, ...]) -> Any:
    present = rows[fields[0]].notna()
    for field in fields[1:]:
        present = present & rows[field].notna()
    return present
