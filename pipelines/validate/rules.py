"""The rules of each entity: those of its schema, and those about many rows."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from pipelines.validate.judge_sql import Reference, Rule

_MODULES = {
    "contacts": "schemas.contacts",
    "customers": "schemas.customers",
    "customer_addresses": "schemas.customers",
    "subscribers": "schemas.subscribers",
    "orders": "schemas.orders",
    "order_addresses": "schemas.orders",
}

MANDATORY = "Mandatory Values"
"""The kind of rules about what a row must have, of KINDS; schemas need not be loaded."""

ENTITIES = tuple(_MODULES)
"""What can be validated, each after the entity it refers to."""

REFERENCES = {
    "contacts": Reference("parent_id", "contacts", "no valid contact has this id"),
    "customer_addresses": Reference("customer_source_id", "customers", "no valid customer is this"),
    "order_addresses": Reference("order_source_id", "orders", "no valid order has this number"),
}

DEFECT = Rule("Unreadable", "unreadable", "", "this line of the file could not be read")
DUPLICATE = Rule("Duplicates", "duplicate", "source_id", "another row of the batch has the same id")


def rules(entity: str) -> dict[str, list[str]]:
    """What is asked of each column, in words; columns without rules are absent.

    Loads pandera (about half a second), so ask when a relation is made, not when it is defined.
    """
    messages: dict[str, list[str]] = {}
    for rule in filter(lambda rule: rule.field, all_rules(entity)):
        severity = " (warning)" if rule.warns else ""
        messages.setdefault(rule.field, []).append(f"{rule.kind}{severity}: {rule.message}")
    return messages


def schema_of(entity: str) -> Any:
    """The pandera schema of an entity; loads pandera."""
    return getattr(import_module(_MODULES[entity]), entity)


@cache
def mandatory_schema_of(entity: str) -> Any:
    """Of the schema of an entity the rules about what a row must have, which need no column alone.

    A whole schema costs as much for three rows as for thousands.
    """
    schema = schema_of(entity)
    checks = [check for check in schema.checks if check.title == MANDATORY]
    return type(schema)(name=schema.name, checks=checks)


def _schema_rules(entity: str) -> list[Rule]:
    schema = schema_of(entity)
    of_columns = [
        rule_of(check, name) for name, column in schema.columns.items() for check in column.checks
    ]
    return of_columns + [rule_of(check, schema.name) for check in schema.checks]


def all_rules(entity: str) -> list[Rule]:
    """The rules of the schema and those about many rows."""
    reference = REFERENCES.get(entity)
    refers = [] if reference is None else [reference.rule]
    return [DEFECT, *_schema_rules(entity), DUPLICATE, *refers]


def rule_of(check: Any, column: str) -> Rule:
    """A check of a schema as our rule."""
    field = check.statistics["field"] or column
    warns = check.statistics["severity"] == "warning"
    return Rule(check.title, check.name, field, check.error, warns)
