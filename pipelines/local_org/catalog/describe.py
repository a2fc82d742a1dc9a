"""Describe answers: what a client learns of objects and fields, with every key of the real ones."""

from typing import Any

from pipelines.local_org.catalog.model import SOAP_TYPES, Catalog, Field, PicklistValue, SObject

MASTER_RECORD_TYPE = "012000000000000AAA"


def global_describe(catalog: Catalog, version: str) -> dict[str, Any]:
    """The answer of `GET sobjects`."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [summary(o, version) for o in sorted(catalog, key=lambda o: o.name)],
    }


def summary(sobject: SObject, version: str) -> dict[str, Any]:
    """What is said of an object in a list of objects."""
    path = f"/services/data/v{version}/sobjects/{sobject.name}"
    verbs = sobject.verbs
    urls = {
        "compactLayouts": f"{path}/describe/compactLayouts",
        "rowTemplate": f"{path}/{{ID}}",
        "approvalLayouts": f"{path}/describe/approvalLayouts",
        "describe": f"{path}/describe",
        "quickActions": f"{path}/quickActions",
        "layouts": f"{path}/describe/layouts",
        "sobject": path,
    }
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": "create" in verbs,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": "delete" in verbs,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": "search" in verbs,
        "mergeable": "merge" in verbs,
        "mruEnabled": "search" in verbs,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": "search" in verbs,
        "triggerable": "create" in verbs,
        "undeletable": "undelete" in verbs,
        "updateable": "update" in verbs,
        "urls": urls,
    }


def describe(
    catalog: Catalog, sobject: SObject, version: str, record_types: list[dict[str, Any]]
) -> dict[str, Any]:
    """The answer of `GET sobjects/X/describe`.

    Args:
        catalog: all objects.
        sobject: the one to describe.
        version: the API version that asks.
        record_types: its RecordType records.
    """
    return summary(sobject, version) | {
        "actionOverrides": [],
        "childRelationships": [
            {
                "cascadeDelete": child.on_delete == "cascade",
                "childSObject": child.child,
                "deprecatedAndHidden": False,
                "field": child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.name,
                "restrictedDelete": child.on_delete == "restrict",
            }
            for child in sobject.children
        ],
        "compactLayoutable": "search" in sobject.verbs,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [describe_field(catalog, field) for field in sobject.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": record_type_infos(sobject, version, record_types),
        "searchLayoutable": "search" in sobject.verbs,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
    }


def record_type_infos(
    sobject: SObject, version: str, record_types: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """`recordTypeInfos`: the record types of an object, and the master that records without have.

    The default of an org's users is the one that the set-up calls so, else the master.
    """
    default = next((k.developer_name for k in sobject.record_types if k.default), "Master")
    path = f"/services/data/v{version}/sobjects/{sobject.name}/describe/layouts"
    entries = [(r["Name"], r["DeveloperName"], r["Id"], r["IsActive"], False) for r in record_types]
    master = ("Master", "Master", MASTER_RECORD_TYPE, True, True)
    return [
        {
            "active": active,
            "available": active,
            "defaultRecordTypeMapping": developer_name == default,
            "developerName": developer_name,
            "master": is_master,
            "name": name,
            "recordTypeId": record_type_id,
            "urls": {"layout": f"{path}/{record_type_id}"},
        }
        for name, developer_name, record_type_id, active, is_master in [*entries, master]
    ]


def describe_field(catalog: Catalog, field: Field) -> dict[str, Any]:
    """One entry of `fields`."""
    numeric = field.type in {"double", "currency", "percent"}
    default = field.default if field.type != "boolean" else (field.default or "false") == "true"
    targets = [o.name for o in catalog.targets(field)] or list(field.references)
    return {
        "aggregatable": field.type not in {"boolean", "textarea", "address"},
        "aiPredictionField": False,
        "autoNumber": field.name == "CaseNumber",
        "byteLength": field.length * 3 if field.type not in {"id", "reference"} else 18,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "controllerName": field.controller,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": default,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted,
        "dependentPicklist": field.controller is not None,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": None,
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": field.groupable,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.id_lookup,
        "inlineHelpText": field.help_text,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.references) > 1,
        "nillable": field.nillable,
        "permissionable": field.nillable and field.createable,
        "picklistValues": [_picklist_value(value) for value in field.values],
        "polymorphicForeignKey": len(field.references) > 1,
        "precision": field.precision if numeric else 0,
        "queryByDistance": field.type == "address",
        "referenceTargetField": None,
        "referenceTo": targets,
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale if numeric else 0,
        "searchPrefilterable": field.type == "reference",
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }


def _picklist_value(value: PicklistValue) -> dict[str, Any]:
    return {
        "active": value.active,
        "defaultValue": value.default,
        "label": value.label,
        "validFor": value.valid_for,
        "value": value.value,
    }
