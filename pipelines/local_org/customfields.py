"""Custom fields made through the API: kept in the store, invisible until somebody grants them.

Fields that the set-up file declares are visible to everybody. One made through the Metadata or the
Tooling API is seen by a user only once a permission set of theirs has a FieldPermissions record
for it, as in a real org.
"""

import json
import re
import zlib
from dataclasses import replace
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.catalog.features import person_copy
from pipelines.local_org.catalog.fieldmetadata import FieldMetadataError, field_setup
from pipelines.local_org.catalog.load import custom_field
from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal
from pipelines.local_org.catalog.setup import FieldSetup
from pipelines.local_org.dml.lookups import match_sql
from pipelines.local_org.store.store import Store, drop_column

GRANTS = """
select f."Field", bool_or(f."PermissionsEdit")
from records."FieldPermissions" f
join records."PermissionSetAssignment" a on a."PermissionSetId" = f."ParentId"
where a."AssigneeId" = $1 and f."PermissionsRead" and not f."IsDeleted" and not a."IsDeleted"
group by f."Field"
"""


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
        self._fields: dict[tuple[str, str], Field] = {}
        with store.read() as connection:
            definitions = connection.execute(
                "select object, name, spec from org.custom_field"
            ).fetchall()
        for name, field, spec in definitions:
            settings = json.loads(spec)
            settings.pop("relationship", None)  # older orgs kept one, and never used it
            self._fields[name, field] = custom_field(field, FieldSetup.model_validate(settings))
        self._views: dict[frozenset[tuple[str, bool]], Catalog] = {}
        store.create_tables(self.complete())

    def complete(self) -> Catalog:
        """Every object with every field, whoever may see it."""
        return self._with(self._fields)

    def visible_to(self, user: str) -> Catalog:
        """The catalog as a user sees it."""
        if not self._fields:
            return self._declared
        grants = frozenset(self._store.run_kept(GRANTS, f"{literal(user)}::varchar"))
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
        self._keep(sobject.name, name, _setup(metadata))
        return f"{sobject.name}.{name}"

    def change(self, full_name: str, metadata: dict[str, Any]) -> None:
        """Give a field that was made through the API another definition, which must be whole.

        Raises:
            CustomFieldError: there is no such field, a setting is wrong, or records forbid it.
        """
        sobject, old = self._own(full_name)
        setup = _setup(metadata)
        new = custom_field(old.name, setup)
        if new.column_type != old.column_type or new.references != old.references:
            raise CustomFieldError(
                "FIELD_INTEGRITY_EXCEPTION",
                f"Cannot change type of {sobject.name}.{old.name} from {old.type} to {new.type}",
            )
        with self._store.read() as connection:
            for test, code, message in _obstacles(sobject, old, new):
                if connection.execute(test).fetchall():
                    raise CustomFieldError(code, message)
        self._keep(sobject.name, old.name, setup)

    def remove(self, full_name: str) -> None:
        """Remove a field that was made through the API, with its values and its grants.

        Raises:
            CustomFieldError: there is no such field.
        """
        sobject, field = self._own(full_name)
        with self._store.write() as connection:
            connection.execute(
                "delete from org.custom_field where object = ? and name = ?",
                [sobject.name, field.name],
            )
            connection.execute(
                'update records."FieldPermissions" set "IsDeleted" = true where lower("Field") = ?',
                [f"{sobject.name}.{field.name}".lower()],
            )
            drop_column(connection, sobject, field)
            del self._fields[sobject.name, field.name]
            self._views.clear()

    def id_of(self, full_name: str) -> str:
        """The id that the Tooling API knows a custom field by."""
        return ids.record_id("00N", self._store.pod, zlib.crc32(full_name.lower().encode()))

    def _own(self, full_name: str) -> tuple[SObject, Field]:
        object_name, _, name = full_name.partition(".")
        sobject = self.complete().get(object_name)
        field = sobject.get(name) if sobject is not None else None
        if sobject is None or field is None or not field.custom:
            raise CustomFieldError(
                "INVALID_CROSS_REFERENCE_KEY", f"no CustomField named {full_name} found"
            )
        if (sobject.name, field.name) not in self._fields:
            raise CustomFieldError(
                "INSUFFICIENT_ACCESS_OR_READONLY",
                f"{full_name} is declared in the set-up file of this org; change it there",
            )
        return sobject, field

    def _keep(self, object_name: str, name: str, setup: FieldSetup) -> None:
        place = [object_name, name]
        with self._store.write() as connection:
            connection.execute("delete from org.custom_field where object = ? and name = ?", place)
            connection.execute(
                "insert into org.custom_field values (?, ?, ?)", [*place, setup.model_dump_json()]
            )
            self._fields[object_name, name] = custom_field(name, setup)
            self._views.clear()
            self._store.create_tables(self.complete())

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
        granted = {}
        for (name, field_name), field in self._fields.items():
            edit = lowered.get(f"{name}.{field_name}".lower())
            if edit is not None:
                granted[name, field_name] = replace(field, createable=edit, updateable=edit)
        return granted

    def _with(self, fields: dict[tuple[str, str], Field]) -> Catalog:
        objects = []
        for sobject in self._declared:
            own = tuple(field for (name, _), field in fields.items() if name == sobject.name)
            if sobject.name == "Account" and sobject.get("IsPersonAccount") is not None:
                own += tuple(person_copy(f) for (name, _), f in fields.items() if name == "Contact")
            objects.append(sobject.with_fields((*sobject.fields, *own)) if own else sobject)
        return Catalog(tuple(objects))


def _setup(metadata: dict[str, Any]) -> FieldSetup:
    try:
        return field_setup(metadata)
    except FieldMetadataError as error:
        raise CustomFieldError("FIELD_INTEGRITY_EXCEPTION", str(error)) from error


def _obstacles(sobject: SObject, old: Field, new: Field) -> list[tuple[str, str, str]]:
    """What records forbid a new definition: a query that finds one, the code and the message."""
    place, live = f"{sobject.name}.{old.name}", f'{sobject.table} where not "IsDeleted"'
    obstacles = []
    if new.length < old.length and new.column_type == "varchar":
        obstacles.append(
            (
                f"select 1 from {live} and length({old.column}) > {new.length} limit 1",
                "FIELD_INTEGRITY_EXCEPTION",
                f"{place}: records hold more than {new.length} characters",
            )
        )
    if new.unique and not (old.unique and old.case_sensitive == new.case_sensitive):
        same = match_sql(new, old.column)
        obstacles.append(
            (
                f"select 1 from {live} and {old.column} is not null "
                f"group by {same} having count(*) > 1 limit 1",
                "DUPLICATE_VALUE",
                f"{place}: records hold the same value twice",
            )
        )
    return obstacles
