"""Values on the wire, by describe type: how one is written, compared, and found not to fit.

Every relation from ``sf_*`` on holds text in wire form: booleans ``true`` and ``false``, dates
``2026-01-02``, instants ``2026-01-02T03:04:05.000Z``, plain decimals, everything else as it is.
All functions here take and give SQL text; null is a blank.
"""

from __future__ import annotations

from pipelines.sync.mapping.fields import IDS, INTEGERS, NUMBERS, TEXT, Field
from pipelines.warehouse import literal

PENDING = "@"
"""A look-up that waits for a create of the same plan is written ``@account:<key>``."""


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """Text that people wrote, as an SQL literal on one line: compiled SQL is indented."""
    lines = literal(value).replace("\n", "' || chr(10) || '")
    return f"({lines})" if "\n" in value else lines


def constant_sql(value: str | bool | int | float | None) -> str:
    """A constant of a mapping as an SQL literal of its own type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return text_literal(value) if isinstance(value, str) else str(value)


def text_sql(value: str) -> str:
    """Text as Salesforce keeps it: line ends as line feeds, no blanks around it, never empty.

    A carriage return inside a quoted cell makes Bulk API 2.0 refuse the whole file.
    ``clean_lines`` is one of the project's macros, ``assets/macros.sql``; it looks before it
    rewrites, which is three times faster on values that are clean already.
    """
    return f"clean_lines({value})"


def wire_sql(field: Field, value: str, zone: str = "UTC") -> str:
    """``value`` in the wire form of ``field``; null where it does not fit the type.

    Text is read as staging reads it, undeclared: what could be two values fits none.

    Args:
        field: whose form it takes.
        value: SQL of whatever type.
        zone: whose time it is where text names a moment without an offset.
    """
    if field.type == "boolean":
        return f"parse_boolean({value}::varchar)::varchar"
    if field.type == "date":
        return f"any_date({value})::varchar"
    if field.type == "datetime":
        return f"strftime(any_moment({value}, {literal(zone)}), '%Y-%m-%dT%H:%M:%S.%gZ')"
    if field.type in NUMBERS | INTEGERS:
        return _number_sql(field, f"any_number({value})")
    if field.type == "multipicklist":
        return f"multi_select({value}::varchar)"
    return text_sql(f"{value}::varchar")


def _number_sql(field: Field, number: str) -> str:
    if field.type in INTEGERS:
        return f"whole_number({number})::varchar"
    return f"try_cast({number} as {number_type(field)})::varchar"


def misfit_sql(field: Field, value: str) -> str:
    """What ``value`` says where its wire form does not; null where it is blank."""
    if field.type in ("date", "datetime"):
        return f"date_text({value}::varchar)"
    return f"clean({value}::varchar)"


def number_type(field: Field) -> str:
    """The DuckDB type that holds what a number field of the org can hold."""
    if field.type in INTEGERS:
        return "bigint"
    precision = min(max(field.precision, field.scale + 1), 38)
    return f"decimal({precision}, {min(field.scale, precision - 1)})"


def limit(field: Field) -> int | None:
    """How many characters fit, where the type has a limit of its own."""
    return field.length if field.type in TEXT and field.length else None


def normal_sql(field: Field, value: str) -> str:
    """The one form in which two wire values of ``field`` that mean the same are equal.

    One of the project's macros, ``assets/macros.sql``; ``normal_value`` there says the same of a
    type that stands in a column.
    """
    return f"{_NORMAL.get(field.type, 'trimmed')}({value})"


def differs_sql(field: Field, left: str, right: str) -> str:
    """Whether two wire values of ``field`` differ in meaning; letter by letter is asked first."""
    left_normal, right_normal = normal_sql(field, left), normal_sql(field, right)
    return f"({left} is distinct from {right} and {left_normal} is distinct from {right_normal})"


_NORMAL = {
    **dict.fromkeys(("email", "picklist", "combobox", "boolean"), "normal_word"),
    "phone": "normal_phone",
    **dict.fromkeys(NUMBERS | INTEGERS, "normal_number"),
    **dict.fromkeys(IDS, "normal_id"),
    "datetime": "normal_moment",
    "multipicklist": "normal_list",
}
"""Describe type → macro; all others are compared as text."""


def type_text(field: Field) -> str:
    """What a value of the field has to be, for people."""
    return _TYPE_TEXTS.get(field.type, field.type)


_TYPE_TEXTS = {
    "boolean": "yes or no",
    "date": "date",
    "datetime": "date and time",
    "int": "whole number",
    "long": "whole number",
    "double": "number that fits",
    "currency": "amount that fits",
    "percent": "number that fits",
}
