"""The rules about one value, compiled to SQL: how a text becomes a typed value, or why it does not.

Every write path (single record, collections, Bulk) uses these. `raw` is always SQL for the text
that came in: null when the field was not given, `chr(0)` when it is to be emptied.
Sources: api-facts 3.3 (formats), 5.2 (picklists), 5.4 (e-mail), 5.5 (codes and messages).
"""

from pipelines.local_org.catalog.model import COLUMN_TYPES, NUMBER_TYPES, TEXT_TYPES, Field, literal
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.ids import to18_sql

TRUE = "('true', '1', 'yes', 'y', 't', 'on')"
FALSE = "('false', '0', 'no', 'n', 'f', 'off')"
# One @; the local part from RFC characters and not starting with a dot; labels of letters, digits
# and hyphens with at least one dot; the last one alphabetic. Double dots in the local part pass.
EMAIL = (
    r"^[A-Za-z0-9!#$%&''*/=?^_+\-`{|}~][A-Za-z0-9!#$%&''*/=?^_+\-`{|}~.]*"
    r"@([A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"
)
DATE = r"^\d{4}-\d{2}-\d{2}$"
DATETIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+\-]\d{2}:?\d{2})$"


def is_named_sql(raw: str) -> str:
    """SQL: was anything said about the field?"""
    return f"({raw} is not null)"


def value_sql(field: Field, raw: str, *, lower_case_email: bool) -> str:
    """SQL for the stored value; null where the text is empty, or is no such value."""
    text = f"nullif({raw}, chr(0))"
    if field.type in TEXT_TYPES:
        return _text_sql(field, text, lower_case_email=lower_case_email)
    if field.type in {"id", "reference"}:
        trimmed = f"nullif(trim({text}), '')"
        return f"case when length({trimmed}) = 15 then {to18_sql(trimmed)} else {trimmed} end"
    if field.type not in COLUMN_TYPES:
        return text  # compound fields, which nobody may write
    return _CASTS[COLUMN_TYPES[field.type]].format(text=text)


_CASTS = {
    "boolean": f"case when lower({{text}}) in {TRUE} then true"
    f" when lower({{text}}) in {FALSE} then false end",
    "integer": r"case when regexp_full_match({text}, '[+\-]?\d+') "
    "then try_cast({text} as integer) end",
    "double": "case when isfinite(try_cast({text} as double)) then try_cast({text} as double) end",
    "date": "case when regexp_matches({text}, '"
    + DATE.replace("{", "{{").replace("}", "}}")
    + "') then try_cast({text} as date) end",
    "timestamp": "case when regexp_matches({text}, '"
    + DATETIME.replace("{", "{{").replace("}", "}}")
    + "') then date_trunc('millisecond', "
    "make_timestamp(epoch_us(try_cast({text} as timestamptz)))) end",
}
"""How a text becomes a value, by the column's type; what does not fit becomes null."""


def _text_sql(field: Field, text: str, *, lower_case_email: bool) -> str:
    """Trailing white space goes; a known picklist value takes the spelling of the list."""
    # Looking at the last character first costs a quarter of trimming every text.
    trimmed = (
        rf"case when right({text}, 1) <= ' ' then nullif(rtrim({text}, e' \t\r\n'), '') "
        f"else {text} end"
    )
    if field.type == "email":
        trimmed = f"trim({trimmed})"
        return f"lower({trimmed})" if lower_case_email else trimmed
    if field.type == "picklist" and field.values and not _is_code(field):
        spellings = ", ".join(literal(v.value) for v in field.values)
        lowered = ", ".join(literal(v.value.lower()) for v in field.values)
        return f"coalesce([{spellings}][list_position([{lowered}], lower({trimmed}))], {trimmed})"
    return trimmed


def format_error_sql(field: Field, raw: str, value: str, prefixes: tuple[str, ...]) -> str | None:
    """SQL for the packed error of a text that is no value of the field's type, else null.

    Args:
        field: the field.
        raw: SQL for the text.
        value: SQL for what `value_sql` made of it.
        prefixes: for references, the key prefixes that the id may have.
    """
    text = f"nullif({raw}, chr(0))"
    label = literal(field.label)
    if field.type == "boolean":
        bad = error_sql(
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            field.name,
            f"{label}, ': value not of required type: ', {text}",
        )
        return f"case when {raw} is not null and {value} is null then {bad} end"
    wrong = f"nullif({text}, '') is not null and {value} is null"
    if field.type in NUMBER_TYPES:
        bad = error_sql(
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            field.name,
            f"{label}, ': value not of required type: ', {text}",
        )
        return f"case when {wrong} then {bad} end"
    if field.type in {"date", "datetime"}:
        kind = "xsd:date" if field.type == "date" else "xsd:dateTime"
        message = f"'Failed to deserialize field {field.name}. Due to, ''', {text}, "
        bad = error_sql(
            "INVALID_FIELD", field.name, f"{message}''' is not a valid value for the type {kind}'"
        )
        return f"case when {wrong} then {bad} end"
    if field.type in {"reference", "id"}:
        bad = error_sql(
            "MALFORMED_ID", field.name, f"{label}, ': id value of incorrect type: ', {text}"
        )
        allowed = ", ".join(literal(p) for p in prefixes) or "''"
        return (
            f"case when {value} is not null and (substr({value}, 1, 3) not in ({allowed}) "
            f"or not regexp_full_match({value}, '[A-Za-z0-9]{{18}}')) then {bad} end"
        )
    return None


def _is_code(field: Field) -> bool:
    """Codes of countries and states are judged with their address, not alone."""
    return field.compound is not None and field.name.endswith(("StateCode", "CountryCode"))


def content_error_sql(field: Field, value: str) -> str | None:
    """SQL for the packed error of a typed value that the field's rules refuse, else null."""
    label = literal(field.label)
    if field.type in TEXT_TYPES:
        checks = []
        if field.length:
            long = error_sql(
                "STRING_TOO_LONG",
                field.name,
                f"{label}, ': data value too large: ', {value}, ' (max length={field.length})'",
            )
            checks.append(f"when length({value}) > {field.length} then {long}")
        if field.type == "email":
            bad = error_sql(
                "INVALID_EMAIL_ADDRESS",
                field.name,
                f"{label}, ': invalid email address: ', {value}",
            )
            checks.append(f"when not regexp_matches({value}, '{EMAIL}') then {bad}")
        if field.type == "picklist" and field.restricted and field.values and not _is_code(field):
            bad = error_sql(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                field.name,
                f"{label}, ': bad value for restricted picklist field: ', {value}",
            )
            allowed = ", ".join(literal(v.value) for v in field.values if v.active)
            checks.append(f"when {value} not in ({allowed}) then {bad}")
        if field.type == "multipicklist" and field.restricted and field.values:
            bad = error_sql(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                field.name,
                f"{label}, ': bad value for restricted picklist field: ', {value}",
            )
            allowed = ", ".join(literal(v.value.lower()) for v in field.values if v.active)
            parts = f"list_transform(str_split(lower({value}), ';'), lambda part: trim(part))"
            checks.append(f"when not list_has_all([{allowed}], {parts}) then {bad}")
        return f"case {' '.join(checks)} end" if checks else None
    digits = field.digits if field.type == "int" else field.precision - field.scale
    if field.type in NUMBER_TYPES and digits:
        bad = error_sql(
            "NUMBER_OUTSIDE_VALID_RANGE",
            field.name,
            f"{label}, ': value outside of valid range on numeric field: ', {value}",
        )
        return f"case when abs({value}) >= 1e{digits} then {bad} end"
    if field.type in {"date", "datetime"}:
        bad = error_sql(
            "NUMBER_OUTSIDE_VALID_RANGE", field.name, f"{label}, ': invalid date: ', {value}"
        )
        return f"case when year({value}) not between 1700 and 4000 then {bad} end"
    return None
