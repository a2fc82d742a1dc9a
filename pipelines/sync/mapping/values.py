"""What a mapping reads of the golden relations, and the value that each rule makes of it."""

from __future__ import annotations

from pipelines.sync.layout import select_sql
from pipelines.sync.mapping.expression import checked_sql, columns_of
from pipelines.sync.mapping.golden import column_sql, joined_sql
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.wire import constant_sql, quoted, text_literal

EXCLUDED = "_excluded"
"""The column of ``sf_<mapping>`` that says why nothing but an opt-out is written of a row."""


def mapping_columns(mapping: ObjectMapping) -> dict[str, list[str]]:
    """The lineage of ``sf_<mapping>``: each of its columns → the golden columns it is made from."""
    lineage = {"key": [mapping.key_column]}
    lineage |= {name: columns_read(rule) for name, rule in mapping.enabled().items()}
    lineage["_held"] = list(dict.fromkeys(column for read in lineage.values() for column in read))
    return lineage


def _rules(mapping: ObjectMapping) -> dict[str, FieldRule]:
    """The enabled fields, and the optional ones that the org has not: what they say is told."""
    return {**mapping.enabled(), **mapping.absent}


def golden_columns(mapping: ObjectMapping) -> list[str]:
    """The golden columns that the enabled fields and the condition read, the key first."""
    read = [column for rule in _rules(mapping).values() for column in columns_read(rule)]
    chosen = [column for column in columns_of(mapping.condition) if column != "route"]
    return list(dict.fromkeys((mapping.key_column, *read, *chosen)))


def expressions_of(mapping: ObjectMapping) -> dict[tuple[str, ...], str]:
    """Every SQL expression that people wrote, by its place in the file."""
    fields: dict[tuple[str, ...], str] = {
        ("fields", name, "sql"): value_sql(rule)
        for name, rule in _rules(mapping).items()
        if rule.sql is not None
    }
    return fields if mapping.where is None else {("where",): checked_sql(mapping.where), **fields}


def golden_rows_sql(mapping: ObjectMapping) -> str:
    """The rows that a mapping reads, whatever becomes of them: ``route`` is null."""
    golden, read = mapping.from_, golden_columns(mapping)
    columns = [*(column_sql(golden, column) for column in read), "null::varchar as route"]
    return select_sql(columns, joined_sql(golden, read))


def entities_sql(mapping: ObjectMapping) -> str:
    """The rows that a mapping may take, with where each goes and why it may be left out."""
    golden, read = mapping.from_, golden_columns(mapping)
    columns = [
        *(column_sql(golden, column) for column in read),
        "routes.sobject as route",
        f"routes.excluded as {EXCLUDED}",
    ]
    route = f"join routes on routes.entity_key = {golden}.{mapping.key_column}"
    return f"{select_sql(columns, joined_sql(golden, read))}\n{route}"


def columns_read(rule: FieldRule) -> list[str]:
    """The golden columns that a field is made from, or looked up by."""
    if rule.sql is not None:
        return columns_of(rule.sql)
    column = rule.from_ or rule.by
    return [] if column is None else [column]


def value_sql(rule: FieldRule) -> str:
    """The value of a rule that is no look-up, before its wire form: a golden expression."""
    if rule.value is not None:
        return constant_sql(rule.value)
    value = before_translation(rule)
    if rule.translate is not None:
        value = _translated(value, rule)
    if rule.default is not None:
        value = f"coalesce({value}, {constant_sql(rule.default)})"
    return value


_TRANSFORMS = {
    "trim": "trim({})",
    "lower": "lower({})",
    "upper": "upper({})",
    "digits": "nullif(regexp_replace({}, '[^0-9]', '', 'g'), '')",
    "one_line": "trim(regexp_replace({}, '\\s+', ' ', 'g'))",
    "title": (
        "array_to_string(list_transform(string_split(lower({}), ' '), "
        "lambda word: upper(word[1]) || word[2:]), ' ')"
    ),
}


def before_translation(rule: FieldRule) -> str:
    """The value as ``translate`` looks it up."""
    value = checked_sql(rule.sql) if rule.sql is not None else quoted(rule.from_ or "")
    for transform in rule.transform:
        value = _TRANSFORMS[transform].format(value)
    return value


def _translated(value: str, rule: FieldRule) -> str:
    cases = " ".join(
        f"when {text_literal(source_value)} then {constant_sql(org_value)}"
        for source_value, org_value in (rule.translate or {}).items()
    )
    otherwise = value if rule.on_unknown == "keep" else "null"
    return f"case {value} {cases} else {otherwise} end"
