"""The UI API as far as tools read picklists by it: object info, picklist values per record type.

Shapes: Salesforce, *User Interface API*, responses *Object Info* and *Picklist Values*.
"""

import base64
import hashlib
import json
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.api.discovery import record_type_rows, sobject_of
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.catalog.describe import MASTER_RECORD_TYPE, record_type_infos
from pipelines.local_org.catalog.model import Field, PicklistValue, RecordType, SObject

router = Router()
_TYPES = {
    "boolean": "Boolean",
    "currency": "Currency",
    "date": "Date",
    "datetime": "DateTime",
    "double": "Double",
    "email": "Email",
    "id": "Reference",
    "int": "Int",
    "multipicklist": "MultiPicklist",
    "percent": "Percent",
    "phone": "Phone",
    "picklist": "Picklist",
    "reference": "Reference",
    "textarea": "TextArea",
    "url": "Url",
    "address": "Address",
}


@router.route("GET", "/services/data/v{version}/ui-api/object-info/{name}")
def object_info(call: Call) -> Answer:
    """One object with its fields and record types, as the interface sees it."""
    sobject = sobject_of(call)
    infos = record_type_infos(sobject, call.version, record_type_rows(call, sobject))
    default = next(info for info in infos if info["defaultRecordTypeMapping"])
    keys = ("available", "defaultRecordTypeMapping", "master", "name", "recordTypeId")
    about: dict[str, Any] = {
        "apiName": sobject.name,
        "childRelationships": [
            {
                "childObjectApiName": child.child,
                "fieldName": child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.name,
            }
            for child in sobject.children
        ],
        "createable": "create" in sobject.verbs,
        "custom": sobject.custom,
        "defaultRecordTypeId": default["recordTypeId"],
        "deletable": "delete" in sobject.verbs,
        "dependentFields": {},
        "feedEnabled": False,
        "fields": {field.name: _field(call, field) for field in sobject.fields},
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": "search" in sobject.verbs,
        "mruEnabled": "search" in sobject.verbs,
        "nameFields": [field.name for field in sobject.fields if field.name_field],
        "queryable": True,
        "recordTypeInfos": {
            info["recordTypeId"]: {name: info[name] for name in keys} for info in infos
        },
        "searchable": "search" in sobject.verbs,
        "themeInfo": None,
        "updateable": "update" in sobject.verbs,
    }
    return Answer(content=_tagged(about))


@router.route("GET", "/services/data/v{version}/ui-api/object-info/{name}/picklist-values/{kind}")
def picklists(call: Call) -> Answer:
    """The values of every picklist of an object that records of a record type may have."""
    sobject, kind = sobject_of(call), _record_type(call)
    listed = {f.name: _values(call, sobject, f, kind) for f in sobject.fields if _is_picklist(f)}
    return Answer(content=_tagged({"picklistFieldValues": listed}))


@router.route(
    "GET", "/services/data/v{version}/ui-api/object-info/{name}/picklist-values/{kind}/{field}"
)
def picklist(call: Call) -> Answer:
    """The values of one picklist that records of a record type may have."""
    sobject, kind = sobject_of(call), _record_type(call)
    field = sobject.get(call["field"])
    if field is None or not _is_picklist(field):
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return Answer(content=_values(call, sobject, field, kind))


def _record_type(call: Call) -> RecordType | None:
    """The record type that the path names; None is the master, which has every value.

    Raises:
        ApiError: 404, the object has none of that id.
    """
    kind = call["kind"]
    record_type_id = ids.to18(kind) if ids.is_id(kind) else kind
    if record_type_id == MASTER_RECORD_TYPE:
        return None
    sobject = sobject_of(call)
    for row in record_type_rows(call, sobject):
        if row["Id"] == record_type_id:
            return next(k for k in sobject.record_types if k.developer_name == row["DeveloperName"])
    raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def _is_picklist(field: Field) -> bool:
    return field.type in {"picklist", "multipicklist"} and bool(field.values)


def _values(call: Call, sobject: SObject, field: Field, kind: RecordType | None) -> dict[str, Any]:
    controller = sobject.get(field.controller) if field.controller else None
    allowed = kind.picklists.get(field.name) if kind is not None else None
    values = [v for v in field.values if v.active and (allowed is None or v.value in allowed)]
    default = next((value for value in values if value.default), None)
    path = f"/services/data/v{call.version}/ui-api/object-info/{sobject.name}"
    return _tagged(
        {
            "controllerValues": {
                value.value: place
                for place, value in enumerate(controller.values if controller else ())
            },
            "defaultValue": None if default is None else _value(default),
            "url": f"{path}/picklist-values/{call['kind']}/{field.name}",
            "values": [_value(value) for value in values],
        }
    )


def _value(value: PicklistValue) -> dict[str, Any]:
    return {
        "attributes": None,
        "label": value.label,
        "validFor": list(_places(value.valid_for)),
        "value": value.value,
    }


def _places(valid_for: str | None) -> list[int]:
    """The controlling values that describe's bit map names, by their places."""
    bits = base64.b64decode(valid_for or "")
    return [at for at in range(len(bits) * 8) if bits[at // 8] & (0x80 >> at % 8)]


def _field(call: Call, field: Field) -> dict[str, Any]:
    targets = call.catalog.targets(field)
    return {
        "apiName": field.name,
        "calculated": False,
        "compound": field.type == "address",
        "compoundComponentName": None,
        "compoundFieldName": field.compound,
        "controllerName": field.controller,
        "controllingFields": [field.controller] if field.controller else [],
        "createable": field.createable,
        "custom": field.custom,
        "dataType": _TYPES.get(field.type, "String"),
        "extraTypeInfo": None,
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "inlineHelpText": field.help_text,
        "label": field.label,
        "length": field.length,
        "nameField": field.name_field,
        "polymorphicForeignKey": len(field.references) > 1,
        "precision": field.precision,
        "reference": field.type == "reference",
        "referenceTargetField": None,
        "referenceToInfos": [
            {"apiName": t.name, "nameFields": [t.name_field.name] if t.name_field else []}
            for t in targets
        ],
        "relationshipName": field.relationship,
        "required": field.required,
        "scale": field.scale,
        "searchPrefilterable": field.type == "reference",
        "sortable": field.sortable,
        "unique": field.unique,
        "updateable": field.updateable,
    }


def _tagged(content: dict[str, Any]) -> dict[str, Any]:
    """The answer with the tag by which a client knows whether it changed."""
    text = json.dumps(content, sort_keys=True).encode()
    return {"eTag": hashlib.md5(text, usedforsecurity=False).hexdigest()} | content
