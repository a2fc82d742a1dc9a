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
    return parsed_sql(field, read_sql(field, value), zone)


def read_sql(field: Field, value: str) -> str:
    """``value`` as ``parsed_sql`` takes it: clean text, also of dates and moments.

    Whoever reads it in several places does so through a column, as the macros are long.
    """
    if field.type == "date":
        return f"date_text(cast({value} as varchar))"
    if field.type == "datetime":
        return f"moment_text({value})"
    if field.type in NUMBERS | INTEGERS | IDS | _PARSED:
        return value
    return text_sql(f"cast({value} as varchar)")


def parsed_sql(field: Field, read: str, zone: str = "UTC") -> str:
    """The wire form of what ``read_sql`` gives; null where it does not fit the type."""
    if field.type in NUMBERS | INTEGERS:
        return _number_sql(field, f"any_number({read})")
    if field.type in IDS:
        return f"nullif(regexp_extract(trim({read}::varchar), {_ID}), '')"
    moment = f"parse_timestamp({read}, null, {literal(zone)})"
    forms = {
        "boolean": f"parse_boolean({read}::varchar)::varchar",
        "date": f"parse_date({read}, null)::varchar",
        "datetime": f"strftime({moment}, '%Y-%m-%dT%H:%M:%S.%gZ')",
        "multipicklist": f"multi_select({read}::varchar)",
    }
    return forms.get(field.type, read)


_PARSED = frozenset(("boolean", "multipicklist"))
"""Types whose form depends on the type of what is given, or that clean it themselves."""

_ID = "'^[0-9A-Za-z]{15}([0-9A-Za-z]{3})?$'"


def _number_sql(field: Field, number: str) -> str:
    if field.type in INTEGERS:
        return f"whole_number({number})::varchar"
    return f"try_cast({number} as {number_type(field)})::varchar"


def misfit_sql(field: Field, value: str) -> str:
    """What ``value``, as ``read_sql`` gives it, says where it has no wire form; null if blank."""
    return value if field.type in ("date", "datetime") else f"clean({value}::varchar)"


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
    "reference": "Id",
    "id": "Id",
}
