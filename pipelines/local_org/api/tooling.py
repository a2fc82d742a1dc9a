"""The Tooling API: custom fields as records, and queries about objects and fields.

A query sees FieldDefinition, EntityDefinition and CustomField as the user sees the org; for what
this org does not keep (Apex, packages) it finds nothing.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipelines.local_org.api.query import wants_columns
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.catalog.fieldmetadata import field_metadata
from pipelines.local_org.catalog.model import Catalog, Field, SObject
from pipelines.local_org.customfields import CustomFieldError
from pipelines.local_org.soql.columns import column_metadata
from pipelines.local_org.soql.compile import compile_query
from pipelines.local_org.soql.parser import parse
from pipelines.local_org.soql.run import Shaper
from pipelines.local_org.soql.tree import QueryError

router = Router()
_ARROW = {"string": pa.string(), "id": pa.string(), "boolean": pa.bool_(), "int": pa.int32()}
_ENTITY = {
    "Id": "string",
    "DurableId": "string",
    "QualifiedApiName": "string",
    "DeveloperName": "string",
    "Label": "string",
    "PluralLabel": "string",
    "KeyPrefix": "string",
    "NamespacePrefix": "string",
    "IsCustomizable": "boolean",
    "IsQueryable": "boolean",
}
_FIELD = {
    "Id": "string",
    "DurableId": "string",
    "QualifiedApiName": "string",
    "DeveloperName": "string",
    "EntityDefinitionId": "string",
    "Label": "string",
    "DataType": "string",
    "Length": "int",
    "Precision": "int",
    "Scale": "int",
    "RelationshipName": "string",
    "NamespacePrefix": "string",
    "IsCalculated": "boolean",
    "IsNillable": "boolean",
    "IsIndexed": "boolean",
}
_CUSTOM = {
    "Id": "id",
    "DeveloperName": "string",
    "TableEnumOrId": "string",
    "EntityDefinitionId": "string",
    "FullName": "string",
    "NamespacePrefix": "string",
    "InlineHelpText": "string",
    "Length": "int",
    "Precision": "int",
    "Scale": "int",
}


@router.route("GET", "/services/data/v{version}/tooling/query")
def query(call: Call) -> Answer:
    """Query what the org knows of its objects and fields."""
    soql = call.query.get("q")
    if soql is None:
        raise ApiError(400, "MALFORMED_QUERY", "SOQL statement not specified")
    try:
        parsed = parse(soql)
        if _TOOLING.get(parsed.source) is None:
            return _answer(0, [])
        compiled = compile_query(_TOOLING, parsed)
        if wants_columns(call):
            return Answer(content=column_metadata(compiled))
    except QueryError as error:
        raise ApiError(400, error.code, error.message) from error
    with call.org.store.read() as connection:
        for sobject in _TOOLING:
            connection.register(sobject.table, _table(call, sobject))
        lines = connection.execute(compiled.sql).fetchall()
        if compiled.kind == "count":
            return _answer(lines[0][0], [])
        records = Shaper(compiled, call.version).records(connection, lines)
    return _answer(len(records), records)


@router.route("POST", "/services/data/v{version}/tooling/sobjects/CustomField")
def create(call: Call) -> Answer:
    """Make a custom field from its Tooling record."""
    body = call.json_object()
    full_name = str(body.get("FullName", ""))
    _heeded(lambda: call.org.custom_fields.make(full_name, _described(body)))
    new_id = call.org.custom_fields.id_of(full_name)
    return Answer(201, {"id": new_id, "success": True, "errors": [], "warnings": [], "infos": []})


@router.route("GET", "/services/data/v{version}/tooling/sobjects/CustomField/{id}")
def read(call: Call) -> Answer:
    """A custom field as its Tooling record."""
    sobject, field = _of_id(call)
    full_name = f"{sobject.name}.{field.name}"
    record_id = call.org.custom_fields.id_of(full_name)
    url = f"/services/data/v{call.version}/tooling/sobjects/CustomField/{record_id}"
    return Answer(
        content={
            "attributes": {"type": "CustomField", "url": url},
            "Id": record_id,
            "DeveloperName": field.name.removesuffix("__c"),
            "TableEnumOrId": sobject.name,
            "FullName": full_name,
            "Metadata": field_metadata(field),
        }
    )


@router.route("PATCH", "/services/data/v{version}/tooling/sobjects/CustomField/{id}")
def update(call: Call) -> Answer:
    """Give a custom field another definition."""
    sobject, field = _of_id(call)
    described = _described(call.json_object())
    _heeded(lambda: call.org.custom_fields.change(f"{sobject.name}.{field.name}", described))
    return Answer(204)


@router.route("DELETE", "/services/data/v{version}/tooling/sobjects/CustomField/{id}")
def delete(call: Call) -> Answer:
    """Remove a custom field."""
    sobject, field = _of_id(call)
    _heeded(lambda: call.org.custom_fields.remove(f"{sobject.name}.{field.name}"))
    return Answer(204)


def _answer(total: int, records: list[dict[str, Any]]) -> Answer:
    page = {"size": len(records), "totalSize": total, "done": True, "queryLocator": None}
    return Answer(content=page | {"entityTypeName": None, "records": records})


def _described(body: dict[str, Any]) -> dict[str, Any]:
    described = body.get("Metadata")
    if not isinstance(described, dict):
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]")
    return described


def _heeded(write: Any) -> None:
    try:
        write()
    except CustomFieldError as error:
        raise ApiError(400, error.code, str(error), ()) from error


def _of_id(call: Call) -> tuple[SObject, Field]:
    for sobject, field in _custom_fields(call.org.custom_fields.complete()):
        if call.org.custom_fields.id_of(f"{sobject.name}.{field.name}")[:15] == call["id"][:15]:
            return sobject, field
    raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def _custom_fields(catalog: Catalog) -> Iterator[tuple[SObject, Field]]:
    for sobject in catalog:
        for field in sobject.fields:
            if field.custom and not field.name.endswith("__pc"):
                yield sobject, field


# -- what a query sees -----------------------------------------------------------------------------


def _kind(name: str, columns: dict[str, str]) -> SObject:
    entity = ("EntityDefinition",), "EntityDefinition"
    fields = tuple(
        Field(column, column, kind, *(() if kind != "string" else (255,)))
        if column != "EntityDefinitionId"
        else Field(column, column, kind, 255, references=entity[0], relationship=entity[1])
        for column, kind in columns.items()
    )
    return SObject(name, name, name, "", frozenset(), fields, source=f"tooling_{name}")


_TOOLING = Catalog(
    (
        _kind("EntityDefinition", _ENTITY),
        _kind("FieldDefinition", _FIELD),
        _kind("CustomField", _CUSTOM),
    )
)


def _table(call: Call, sobject: SObject) -> pa.Table:
    """The rows of one of the objects that can be queried."""
    makers = {"EntityDefinition": _entities, "FieldDefinition": _fields, "CustomField": _customs}
    schema = pa.schema([(field.name, _ARROW[field.type]) for field in sobject.fields])
    return pa.Table.from_pylist(list(makers[sobject.name](call)), schema=schema)


def _entities(call: Call) -> Iterator[dict[str, Any]]:
    for sobject in call.catalog:
        yield {
            "Id": sobject.name,
            "DurableId": sobject.name,
            "QualifiedApiName": sobject.name,
            "DeveloperName": sobject.name,
            "Label": sobject.label,
            "PluralLabel": sobject.plural,
            "KeyPrefix": sobject.prefix,
            "IsCustomizable": "create" in sobject.verbs,
            "IsQueryable": True,
        }


def _fields(call: Call) -> Iterator[dict[str, Any]]:
    for sobject in call.catalog:
        for field in sobject.fields:
            field_id = field.name
            if field.custom:
                field_id = call.org.custom_fields.id_of(f"{sobject.name}.{field.name}")[:15]
            yield {
                "Id": f"{sobject.name}.{field_id}",
                "DurableId": f"{sobject.name}.{field_id}",
                "QualifiedApiName": field.name,
                "DeveloperName": field.name.removesuffix("__c"),
                "EntityDefinitionId": sobject.name,
                "Label": field.label,
                "DataType": _data_type(field),
                "Length": field.length,
                "Precision": field.precision,
                "Scale": field.scale,
                "RelationshipName": field.relationship,
                "IsCalculated": False,
                "IsNillable": field.nillable,
                "IsIndexed": field.id_lookup or field.type == "reference",
            }


def _customs(call: Call) -> Iterator[dict[str, Any]]:
    for sobject, field in _custom_fields(call.org.custom_fields.complete()):
        full_name = f"{sobject.name}.{field.name}"
        yield {
            "Id": call.org.custom_fields.id_of(full_name),
            "DeveloperName": field.name.removesuffix("__c"),
            "TableEnumOrId": sobject.name,
            "EntityDefinitionId": sobject.name,
            "FullName": full_name,
            "InlineHelpText": field.help_text,
            "Length": field.length,
            "Precision": field.precision,
            "Scale": field.scale,
        }


def _data_type(field: Field) -> str:
    """The type as Setup names it, as far as names are known: `Text(80)`, `Lookup(Account)`."""
    names = {
        "string": f"Text({field.length})",
        "textarea": f"Long Text Area({field.length})",
        "boolean": "Checkbox",
        "datetime": "Date/Time",
        "double": f"Number({field.precision - field.scale}, {field.scale})",
        "currency": f"Currency({field.precision - field.scale}, {field.scale})",
        "int": f"Number({field.digits}, 0)",
        "multipicklist": "Picklist (Multi-Select)",
        "reference": f"Lookup({','.join(field.references)})",
        "url": "URL",
    }
    return names.get(field.type, field.type.capitalize())
