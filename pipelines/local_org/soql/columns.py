"""What a query's columns are: the answer to `columns=true`, from which the CLI lays out its tables.

The keys, and what stands there for parents, sub-queries and functions, are those that the CLI's own
tests hold (salesforcecli/plugin-data, `queryFields.exemplars.ts`).
"""

from typing import Any

from pipelines.local_org.catalog.model import NUMBER_TYPES, Field
from pipelines.local_org.soql.compiled import Compiled, step_name
from pipelines.local_org.soql.polymorphic import NAME

_APEX_TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "date": "Date",
    "datetime": "Datetime",
    "address": "Address",
} | dict.fromkeys(NUMBER_TYPES - {"int"}, "Double")


def column_metadata(query: Compiled) -> dict[str, Any]:
    """The columns of a query, parents and sub-queries as columns that hold columns."""
    counted = [_column("expr0", display="count()", aggregate=True, numeric=True)]
    return {
        "columnMetadata": counted if query.kind == "count" else _columns(query),
        "entityName": query.sobject.name,
        "groupBy": query.grouped,
        "idSelected": any(o.route == () and o.name == "Id" for o in query.outputs),
        "keyPrefix": query.sobject.prefix or None,
    }


def _columns(query: Compiled) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    for output in query.outputs:
        place = _place(query, columns, output.route)
        if output.function:
            numeric = output.field.type in NUMBER_TYPES
            column = _column(output.name, display=output.function, aggregate=True, numeric=numeric)
        else:
            column = _field_column(output.name, output.field)
        if column not in place:
            place.append(column)
    for child in query.children:
        inner = _columns(child.query)
        columns.append(_column(child.name, aggregate=True) | {"joinColumns": inner})
    return columns


def _place(
    query: Compiled, columns: list[dict[str, Any]], route: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Where the columns of a parent stand; its own column is added when it is the first."""
    objects = dict(zip(query.routes, query.route_objects, strict=True))
    sobject, place = query.sobject, columns
    for depth, step in enumerate(route, 1):
        name = step_name(step)
        parent = next((c for c in place if c["columnName"] == name and not c["aggregate"]), None)
        if parent is None:
            reference = sobject.parent(name)
            parent = _column(name) | {"foreignKeyName": reference.name if reference else None}
            place.append(parent)
        place = parent["joinColumns"]
        targets = objects[route[:depth]]
        sobject = targets[0] if len(targets) == 1 else NAME
    return place


def _field_column(name: str, field: Field) -> dict[str, Any]:
    kind = _APEX_TYPES.get(field.type, "String")
    return _column(name, numeric=kind in {"Integer", "Double"}) | {
        "apexType": kind,
        "booleanType": kind == "Boolean",
        "custom": field.custom,
        "insertable": field.createable,
        "textType": kind == "String",
        "updatable": field.updateable,
    }


def _column(
    name: str, *, display: str = "", aggregate: bool = False, numeric: bool = False
) -> dict[str, Any]:
    return {
        "aggregate": aggregate,
        "apexType": None,
        "booleanType": False,
        "columnName": name,
        "custom": False,
        "displayName": display or name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": numeric,
        "textType": False,
        "updatable": False,
    }
