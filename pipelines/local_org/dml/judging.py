"""The rules about whole rows, phase by phase; the first phase that finds errors decides.

What is no value, what is not found, what may not be set, what is missing or wrong, what is there
already.
"""

from pipelines.local_org import unconfirmed
from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal
from pipelines.local_org.dml import recordtypes
from pipelines.local_org.dml.addresses import touched
from pipelines.local_org.dml.lookups import (
    created_sql,
    reference_columns,
    unique_columns,
    value_of,
)
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import Column, WriteRequest
from pipelines.local_org.dml.values import content_error_sql, format_error_sql


def error_of_row_sql(catalog: Catalog, request: WriteRequest) -> str:
    """SQL for the errors of the earliest phase that finds any, else null."""
    created = created_sql(request)
    phases = [
        _format_errors(catalog, request),
        _lookup_errors(request) + _target_errors(request),
        _access_errors(request, created),
        _content_errors(request, created) + _reference_errors(catalog, request),
        _rival_errors(request),
    ]
    phase_errors = [
        f"nullif(concat_ws(chr(30), {', '.join(phase)}), '')" for phase in phases if phase
    ]
    return f"coalesce({', '.join([*phase_errors, 'null::varchar'])})"


def _format_errors(catalog: Catalog, request: WriteRequest) -> list[str]:
    errors = []
    for column in request.columns:
        if column.via is not None:
            continue
        prefixes = tuple(o.prefix for o in catalog.targets(column.field))
        if column.field.name == "Id":
            prefixes = (request.sobject.prefix,)
        errors.append(
            format_error_sql(column.field, f"typed.{column.raw}", f"typed.{column.value}", prefixes)
        )
    return [error for error in errors if error is not None]


def _lookup_errors(request: WriteRequest) -> list[str]:
    errors = []
    for column in request.columns:
        if column.via is None:
            continue
        parent, field = column.via
        name, raw = f"lookup{column.position}", f"typed.{column.raw}"
        missing = error_sql(
            "INVALID_FIELD",
            "",
            f"'Foreign key external ID: ', {raw}, ' not found for field {field.name}"
            f" in entity {parent.name}'",
        )
        several = error_sql(
            "INVALID_FIELD",
            "",
            f"'More than one record found for external ID field {field.name} in entity "
            f"{parent.name}: ', {raw}",
        )
        errors.append(
            f"case when nullif({raw}, chr(0)) is not null and {name}.id is null then {missing} "
            f"when {name}.hits > 1 then {several} end"
        )
    return errors


def _target_errors(request: WriteRequest) -> list[str]:
    if request.operation == "insert":
        return []
    key = request.key_column
    if key is None or key.field.name == "Id":
        return _id_errors(request, key)
    name = literal(key.field.name)
    message = unconfirmed.SEVERAL_RECORDS
    several = error_sql(message.code, key.field.name, message.sql(field=name, ids="target.ids"))
    message = unconfirmed.NO_KEY
    missing = error_sql(message.code, key.field.name, message.sql(field=name))
    return [
        f"case when typed.{key.value} is null then {missing} "
        f"when target.hits > 1 then {several} {_converted()} end"
    ]


def _id_errors(request: WriteRequest, key: Column | None) -> list[str]:
    message = unconfirmed.NO_ID
    missing = error_sql(message.code, "", message.sql(call="'an update'"))
    if key is None:
        return [missing]
    unknown = error_sql("INVALID_CROSS_REFERENCE_KEY", "", "'invalid cross reference id'")
    deleted = error_sql("ENTITY_IS_DELETED", "", "'entity is deleted'")
    # An upsert on Id without one inserts.
    empty = (
        f"when typed.{key.value} is null then {missing}" if request.operation == "update" else ""
    )
    return [
        f"case {empty} when typed.{key.value} is not null and target.id is null then {unknown} "
        f"when target.deleted then {deleted} {_converted()} end"
    ]


def _converted() -> str:
    error = error_sql("CANNOT_UPDATE_CONVERTED_LEAD", "", "'cannot reference converted lead'")
    return f"when target.converted then {error}"


def _access_errors(request: WriteRequest, created: str) -> list[str]:
    """Fields that nobody may set when a record is made, or when it is changed."""
    refused = []
    for column in request.data_columns:
        has_value = f"nullif(typed.{column.raw}, chr(0)) is not null"
        name = literal(column.field.name)
        if not column.field.createable and request.operation != "update":
            refused.append(f"case when {has_value} and {created} then {name} end")
        if not column.field.updateable and request.operation != "insert":
            refused.append(f"case when {has_value} and not ({created}) then {name} end")
    errors = recordtypes.access_errors(request, created)
    id_column = request.by_field.get("Id")
    if id_column is not None and request.operation == "insert":
        error = error_sql(
            "INVALID_FIELD_FOR_INSERT_UPDATE", "Id", "'cannot specify Id in an insert call'"
        )
        errors.append(f"case when typed.{id_column.value} is not null then {error} end")
    if refused:
        names = f"concat_ws(', ', {', '.join(refused)})"
        errors.append(
            f"case when {names} <> '' then concat('INVALID_FIELD_FOR_INSERT_UPDATE', chr(31), "
            f"replace({names}, ', ', ','), chr(31), 'Unable to create/update fields: ', {names}, "
            "'. Please check the security settings of this field and verify that it is read/write "
            "for your profile or permission set.') end"
        )
    return errors


def _content_errors(request: WriteRequest, created: str) -> list[str]:
    missing = []
    for field in request.sobject.fields:
        column = request.by_field.get(field.name)
        if column is None:
            if field.required and request.operation != "update":
                missing.append(f"case when {created} then {literal(field.name)} end")
        elif field.required:
            is_set = f"(typed.{column.raw} is not null or {created})"
            empty = f"{value_of(request, column)} is null and {is_set}"
            missing.append(f"case when {empty} then {literal(field.name)} end")
        elif not field.nillable and field.updateable and field.type != "boolean":
            empty = f"typed.{column.raw} is not null and {value_of(request, column)} is null"
            missing.append(f"case when {empty} and not ({created}) then {literal(field.name)} end")
    missing += recordtypes.missing(request, created)
    errors = []
    if missing:
        names = f"concat_ws(', ', {', '.join(missing)})"
        errors.append(
            f"case when {names} <> '' then concat('REQUIRED_FIELD_MISSING', chr(31), "
            f"replace({names}, ', ', ','), chr(31), 'Required fields are missing: [', {names}, "
            "']') end"
        )
    for column in request.data_columns:
        error = (
            content_error_sql(column.field, value_of(request, column))
            if column.via is None
            else None
        )
        if error is not None:
            errors.append(error)
    errors += [address.error for address in touched(request)]
    return errors + recordtypes.errors(request, created)


def _reference_errors(catalog: Catalog, request: WriteRequest) -> list[str]:
    errors = []
    for column in reference_columns(request):
        name, field = f"parent{column.position}", column.field
        unknown = error_sql(
            "INVALID_CROSS_REFERENCE_KEY", field.name, "'invalid cross reference id'"
        )
        deleted = error_sql("ENTITY_IS_DELETED", field.name, "'entity is deleted'")
        checks = [
            f"when typed.{column.value} is not null and {name}.id is null then {unknown}",
            f"when {name}.deleted then {deleted}",
        ]
        if field.name == "RecordTypeId":
            useless = error_sql(
                "INVALID_CROSS_REFERENCE_KEY",
                field.name,
                f"'Record Type ID: this ID value isn''t valid for the user: ', "
                f"typed.{column.value}",
            )
            lost = f"typed.{column.value} is not null and {name}.active is not true"
            checks = [f"when {lost} then {useless}"]
        if request.sobject.name == "Contact" and field.name == "AccountId":
            message = unconfirmed.BELOW_PERSON
            person = error_sql(message.code, field.name, message.sql())
            checks.append(f"when not {name}.active then {person}")
        if field.name == "OwnerId":
            inactive = error_sql(
                "INACTIVE_OWNER_OR_USER",
                field.name,
                f"'operation performed with inactive user [', typed.{column.value}, "
                f"'] as owner of {request.sobject.name.lower()}'",
            )
            checks.append(f"when not {name}.active then {inactive}")
        if _points_to_itself(catalog, request.sobject, field):
            cycle = error_sql(
                "CIRCULAR_DEPENDENCY", field.name, "'attempt to violate hierarchy constraints'"
            )
            if request.operation != "insert":
                checks.append(f"when typed.{column.value} = target.id then {cycle}")
        errors.append(f"case {' '.join(checks)} end")
    return errors


def _points_to_itself(catalog: Catalog, sobject: SObject, field: Field) -> bool:
    return any(parent.name == sobject.name for parent in catalog.targets(field))


def _rival_errors(request: WriteRequest) -> list[str]:
    errors = []
    target = request.operation != "insert" and request.key_column is not None
    for column in unique_columns(request):
        name = f"rival{column.position}"
        error = error_sql(
            "DUPLICATE_VALUE",
            "",
            f"'duplicate value found: {column.field.name} duplicates value on record with id: ', "
            f"left({name}.id, 15)",
        )
        own = f"and {name}.id is distinct from target.id" if target else ""
        errors.append(f"case when {name}.id is not null {own} then {error} end")
    return errors
