"""What an org does not take of ``optional`` fields: such a value is left out, never the person.

Either the org has no such field, or not for us to write, or the value does not fit it. ``wired``
carries what the absent fields would say; of the fields that are sent it carries the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.sync.layout import indented
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.lookups import can_miss
from pipelines.sync.mapping.model import FieldRule
from pipelines.sync.mapping.reasons import can_misfit
from pipelines.sync.mapping.values import before_translation
from pipelines.sync.mapping.wire import constant_sql, limit, quoted, type_text
from pipelines.warehouse import literal

UNSENT = "_unsent"
"""The column of ``sf_<mapping>`` that says which values the org does not take."""
UNSENT_TYPE = "struct(field varchar, value varchar, why varchar)[]"
ABSENT = "the org has no such field that we may write"


def absent_columns(absent: Mapping[str, FieldRule]) -> list[str]:
    """Columns of ``valued``: what the rows say for fields that the org has not."""
    return [
        f"cast({_said_sql(rule)} as varchar) as {_absent(name)}" for name, rule in absent.items()
    ]


def absent_names(absent: Mapping[str, FieldRule]) -> list[str]:
    """Those columns, as later steps pass them on."""
    return [_absent(name) for name in absent]


def fitting_sql(rule: FieldRule, field: Field, sent: str) -> str:
    """``sent`` as ``select`` takes it; blank where an optional field does not take the value."""
    refused = [condition for condition, _, _ in _refusals(rule, field)]
    if not refused:
        return sent
    return f"case when not coalesce({' or '.join(refused)}, false) then {sent} end"


def unsent_sql(
    rules: Mapping[str, FieldRule], schema: Mapping[str, Field], absent: Mapping[str, FieldRule]
) -> str:
    """The column ``_unsent``: null where everything is sent, as nearly everywhere."""
    refusals = [
        (condition, name, value, why)
        for name, rule in rules.items()
        for condition, value, why in _refusals(rule, schema[name])
    ]
    for name in absent:
        value = f"wired.{_absent(name)}"
        refusals.append((f"{value} is not null", name, value, ABSENT))
    if not refusals:
        return f"null::{UNSENT_TYPE} as {UNSENT}"
    anywhere = indented("\nor ".join(condition for condition, *_ in refusals), 2)
    listed = indented(
        ",\n".join(
            f"case when {condition}"
            f" then {{'field': {literal(name)}, 'value': {value}, 'why': {literal(why)}}} end"
            for condition, name, value, why in refusals
        ),
        2,
    )
    return (
        f"case\n    when\n{anywhere}\n    then list_filter([\n{listed}\n"
        f"    ], lambda value: value is not null)\nend as {UNSENT}"
    )


def _refusals(rule: FieldRule, field: Field) -> Iterator[tuple[str, str, str]]:
    """Condition, value (SQL over ``wired``) and reason of what an optional field does not take."""
    if not rule.optional or rule.lookup is not None or rule.value is not None:
        return
    column = f"wired.{quoted(field.field)}"
    if can_miss(rule):
        missed = f"wired.{quoted(f'{field.field}_missed')}"
        yield f"{missed} is not null", missed, "translate does not list it"
    elif can_misfit(rule, field):
        misfit = f"wired.{quoted(f'{field.field}_misfit')}"
        yield f"{misfit} is not null", misfit, f"no {type_text(field)}"
    most = limit(field)
    if most is not None and rule.too_long == "reject":
        yield f"length({column}) > {most}", column, f"{most:,} characters fit"
    if field.restricted_picklist and field.picklist_values:
        choices = ", ".join(literal(choice.lower()) for choice in field.picklist_values)
        why = "the org's list does not have it"
        if field.type == "multipicklist":
            chosen = f"string_split(lower({column}), ';')"
            yield f"not list_has_all([{choices}], {chosen})", column, why
        elif field.type == "picklist":
            yield f"lower({column}) not in ({choices})", column, why


def _said_sql(rule: FieldRule) -> str:
    """What the row itself says, before anything that the mapping adds."""
    if rule.lookup is not None:
        return "null" if rule.by is None else quoted(rule.by)
    return constant_sql(rule.value) if rule.value is not None else before_translation(rule)


def _absent(name: str) -> str:
    return quoted(f"{name}_absent")
