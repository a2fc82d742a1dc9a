"""What a query's columns are: the answer to `columns=true`, from which the CLI lays out its tables.

The keys are those of a recorded answer (an Apex checkpoint's `queryMetadata`, api-facts 2.2).
"""

from typing import Any

from pipelines.local_org.catalog.model import NUMBER_TYPES, Field
from pipelines.local_org.soql.compiled import Compiled, Output, step_name
from pipelines.local_org.soql.tree import FunctionNode, PathNode

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
    if query.kind == "count":
        columns = [_column("count()", "expr0", aggregate=True, apex_type="Integer")]
    else:
        columns = _columns(query)
    return {
        "columnMetadata": columns,
        "entityName": query.sobject.name,
        "groupBy": query.grouped,
        "idSelected": any(o.route == () and o.name == "Id" for o in query.outputs),
        "keyPrefix": query.sobject.prefix or None,
    }


def call_text(function: FunctionNode) -> str:
    """A call as it is written, such as `COUNT(Id)`."""
    arguments = (
        ".".join(a.names) if isinstance(a, PathNode) else call_text(a) for a in function.arguments
    )
    return f"{function.name}({', '.join(arguments)})"


def _columns(query: Compiled) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    for output in query.outputs:
        _add(columns, output)
    for child in query.children:
        columns.append(_column(child.name, child.name, aggregate=True, apex_type=""))
        columns[-1]["joinColumns"] = _columns(child.query)
    return columns


def _add(columns: list[dict[str, Any]], output: Output) -> None:
    """Add a column of a record, or of one of its parents."""
    place = columns
    for step in map(step_name, output.route):
        parent = next((c for c in place if c["columnName"] == step and not c["aggregate"]), None)
        if parent is None:
            parent = _column(step, step, aggregate=False, apex_type="")
            place.append(parent)
        place = parent["joinColumns"]
    display = output.function or output.name
    is_aggregate = bool(output.function)
    column = _column(display, output.name, aggregate=is_aggregate, field=output.field)
    if column not in place:
        place.append(column)


def _column(
    display: str,
    name: str,
    *,
    aggregate: bool,
    apex_type: str | None = None,
    field: Field | None = None,
) -> dict[str, Any]:
    kind = field.type if field is not None else ""
    apex = _APEX_TYPES.get(kind, "String") if apex_type is None else apex_type
    return {
        "aggregate": aggregate,
        "apexType": apex or None,
        "booleanType": apex == "Boolean",
        "columnName": name,
        "custom": field is not None and field.custom,
        "displayName": display,
        "foreignKeyName": field.relationship if field is not None else None,
        "insertable": field is not None and field.createable,
        "joinColumns": [],
        "numberType": apex in {"Integer", "Double"},
        "textType": apex == "String",
        "updatable": field is not None and field.updateable,
    }
