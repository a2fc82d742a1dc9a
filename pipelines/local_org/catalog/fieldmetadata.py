"""Custom fields in the words of the Metadata API (type `CustomField`), read and written."""

from typing import Any

from pydantic import ValidationError

from pipelines.local_org.catalog.model import NUMBER_TYPES, Field
from pipelines.local_org.catalog.setup import FieldSetup

_WORDS = {
    "externalId": "external_id",
    "caseSensitive": "case_sensitive",
    "defaultValue": "default",
    "referenceTo": "refers_to",
    "inlineHelpText": "help_text",
}
_SETTINGS = {"label", "type", "length", "precision", "scale", "unique", "required", *_WORDS}
_TYPES = {
    "string": "Text",
    "textarea": "TextArea",
    "email": "Email",
    "phone": "Phone",
    "url": "Url",
    "boolean": "Checkbox",
    "double": "Number",
    "currency": "Currency",
    "percent": "Percent",
    "date": "Date",
    "datetime": "DateTime",
    "picklist": "Picklist",
    "multipicklist": "MultiselectPicklist",
    "reference": "Lookup",
}
_SHORT_TEXT = 255


class FieldMetadataError(Exception):
    """A definition that is none; the message names every problem."""


def field_setup(metadata: dict[str, Any]) -> FieldSetup:
    """The set-up of a field that its metadata describes.

    Raises:
        FieldMetadataError: a setting is missing or wrong.
    """
    settings = {
        _WORDS.get(name, name): value
        for name, value in metadata.items()
        if name in _SETTINGS and value is not None
    }
    if isinstance(settings.get("default"), str):
        settings["default"] = settings["default"].strip("\"'")  # it is a formula: text is quoted
    if settings.get("type") == "Text" and settings.get("length") is None:
        raise FieldMetadataError("Must specify 'length' for a CustomField of type Text")
    settings |= _picklist(metadata.get("valueSet"))
    try:
        return FieldSetup.model_validate(settings)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise FieldMetadataError(problems) from error


def field_metadata(field: Field) -> dict[str, Any]:
    """What the Metadata API tells of a custom field; lists are elements that repeat."""
    kind = _TYPES[field.type]
    if field.type == "textarea" and field.length > _SHORT_TEXT:
        kind = "LongTextArea"
    metadata: dict[str, Any] = {"externalId": field.external_id, "label": field.label, "type": kind}
    if field.help_text is not None:
        metadata["inlineHelpText"] = field.help_text
    if field.default is not None and not field.values:
        metadata["defaultValue"] = field.default
    if kind in {"Text", "LongTextArea"}:
        metadata["length"] = field.length
    if field.type in NUMBER_TYPES:
        metadata |= {"precision": field.precision, "scale": field.scale}
    if field.type != "boolean":
        metadata["required"] = not field.nillable
    if kind in {"Text", "Email", "Number"}:
        metadata["unique"] = field.unique
    if field.unique and kind == "Text":
        metadata["caseSensitive"] = field.case_sensitive
    if field.references:
        metadata["referenceTo"] = field.references[0]
        metadata["relationshipName"] = (field.relationship or "").removesuffix("__r")
    if field.values:
        metadata["valueSet"] = {
            "restricted": field.restricted,
            "valueSetDefinition": {
                "sorted": False,
                "value": [
                    {
                        "fullName": value.value,
                        "default": value.default,
                        "isActive": value.active,
                        "label": value.label,
                    }
                    for value in field.values
                ],
            },
        }
    return metadata


def _picklist(value_set: Any) -> dict[str, Any]:
    definition = value_set.get("valueSetDefinition") if isinstance(value_set, dict) else None
    values = definition.get("value", []) if isinstance(definition, dict) else []
    listed = [v for v in (values if isinstance(values, list) else [values]) if isinstance(v, dict)]
    if not listed:
        return {}
    by_name = {_value_name(value): value for value in listed}
    default = next((name for name, value in by_name.items() if _true(value.get("default"))), None)
    return {
        "values": list(by_name),
        "labels": {name: str(value.get("label") or name) for name, value in by_name.items()},
        "inactive": [n for n, value in by_name.items() if not _true(value.get("isActive", True))],
        "restricted": _true(value_set.get("restricted")),
        **({} if default is None else {"default": default}),
    }


def _value_name(value: dict[str, Any]) -> str:
    return str(value.get("valueName") or value.get("fullName"))


def _true(value: Any) -> bool:
    return value is not None and str(value).lower() == "true"
