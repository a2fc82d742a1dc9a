"""Custom fields made through the API: kept in the store, invisible until somebody grants them.

Fields that the set-up file declares are visible to everybody. One made through the Metadata or the
Tooling API is seen by a user only once a permission set of theirs has a FieldPermissions record
for it, as in a real org.
"""

import json
import re
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from pipelines.local_org.catalog.load import custom_field
from pipelines.local_org.catalog.model import Catalog, Field, SObject
from pipelines.local_org.catalog.setup import FieldSetup
from pipelines.local_org.store.store import Store

GRANTS = """
select f."Field", bool_or(f."PermissionsEdit")
from records."FieldPermissions" f
join records."PermissionSetAssignment" a on a."PermissionSetId" = f."ParentId"
where a."AssigneeId" = ? and f."PermissionsRead" and not f."IsDeleted" and not a."IsDeleted"
group by f."Field"
"""
_WORDS = {
    "externalId": "external_id",
    "caseSensitive": "case_sensitive",
    "defaultValue": "default",
    "referenceTo": "refers_to",
    "relationshipName": "relationship",
    "inlineHelpText": "help_text",
}
_KNOWN = {"label", "type", "length", "precision", "scale", "unique", "required", *_WORDS}


class CustomFieldError(Exception):
    """A custom field that cannot be made."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CustomFields:
    """The fields made through the API, and who may see them."""

    def __init__(self, store: Store, declared: Catalog) -> None:
        self._store = store
        self._declared = declared
        self._made: dict[tuple[str, str], Field] = {}
        with store.read() as connection:
            found = connection.execute("select object, name, spec from org.custom_field").fetchall()
        for name, field, spec in found:
            self._made[name, field] = custom_field(
                field, FieldSetup.model_validate(json.loads(spec))
            )
        self._views: dict[frozenset[tuple[str, bool]], Catalog] = {}
        store.create_tables(self.complete())

    def complete(self) -> Catalog:
        """Every object with every field, whoever may see it."""
        return self._with(self._made)

    def visible_to(self, user: str) -> Catalog:
        """The catalog as a user sees it."""
        if not self._made:
            return self._declared
        with self._store.read() as connection:
            grants = frozenset(connection.execute(GRANTS, [user]).fetchall())
        if grants not in self._views:
            self._views[grants] = self._with(self._granted(dict(grants)))
        return self._views[grants]

    def make(self, full_name: str, metadata: dict[str, Any]) -> str:
        """Make a field such as `Contact.Level__c` and return its full name.

        Args:
            full_name: object and field.
            metadata: in the Metadata API's words (`type`, `label`, `externalId` and so on).

        Raises:
            CustomFieldError: the name or a setting is wrong, or the field exists.
        """
        sobject, name = self._place(full_name)
        setup = _setup(metadata)
        field = custom_field(name, setup)
        with self._store.write() as connection:
            connection.execute(
                "insert into org.custom_field values (?, ?, ?)",
                [sobject.name, name, setup.model_dump_json()],
            )
            self._made[sobject.name, name] = field
            self._views.clear()
            self._store.create_tables(self.complete())
        return f"{sobject.name}.{name}"

    def _place(self, full_name: str) -> tuple[SObject, str]:
        object_name, _, name = full_name.partition(".")
        sobject = self.complete().get(object_name)
        if sobject is None:
            raise CustomFieldError("INVALID_TYPE", f"There is no object {object_name}")
        if not re.fullmatch(r"[A-Za-z](?!.*__.*__c$)[A-Za-z0-9_]{0,39}__c", name):
            raise CustomFieldError(
                "INVALID_FIELD", f"{name} is no custom field's name; it ends in __c"
            )
        if sobject.get(name) is not None:
            raise CustomFieldError(
                "DUPLICATE_DEVELOPER_NAME",
                f"There is already a field named {name.removesuffix('__c')} on {sobject.name}.",
            )
        return sobject, name

    def _granted(self, grants: dict[str, bool]) -> dict[tuple[str, str], Field]:
        lowered = {name.lower(): edit for name, edit in grants.items()}
        seen = {}
        for (name, field_name), field in self._made.items():
            edit = lowered.get(f"{name}.{field_name}".lower())
            if edit is not None:
                seen[name, field_name] = replace(field, createable=edit, updateable=edit)
        return seen

    def _with(self, made: dict[tuple[str, str], Field]) -> Catalog:
        objects = []
        for sobject in self._declared:
            own = tuple(field for (name, _), field in made.items() if name == sobject.name)
            objects.append(sobject.with_fields((*sobject.fields, *own)) if own else sobject)
        return Catalog(tuple(objects))


def _setup(metadata: dict[str, Any]) -> FieldSetup:
    known = {
        _WORDS.get(name, name): value
        for name, value in metadata.items()
        if name in _KNOWN and value is not None
    }
    values = _picklist_values(metadata.get("valueSet"))
    if values:
        known["values"] = values
        known["restricted"] = str(metadata["valueSet"].get("restricted", "")).lower() == "true"
    try:
        return FieldSetup.model_validate(known)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise CustomFieldError("FIELD_INTEGRITY_EXCEPTION", problems) from error


def _picklist_values(value_set: Any) -> list[str]:
    definition = value_set.get("valueSetDefinition") if isinstance(value_set, dict) else None
    values = definition.get("value", []) if isinstance(definition, dict) else []
    listed = values if isinstance(values, list) else [values]
    return [str(v.get("valueName") or v.get("fullName")) for v in listed if isinstance(v, dict)]
