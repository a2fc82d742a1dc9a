"""Record types and person accounts: what a row may hold depends on what kind of record it is.

The record type of a row is the one it names, else the one its record has, else the default one.
Sources: api-facts 5.6; the texts are quoted by users of real orgs.
"""

from collections.abc import Iterator

from pipelines.local_org.catalog.features import contact_name
from pipelines.local_org.catalog.model import Field, SObject, literal
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import Column, WriteRequest

LINE = "record_type"
"""The SQL name of the line that tells a row's record type: `id`, `name`, `person`."""
OLD = "old_record_type"
"""The name under which the target's line carries the record type of the record."""
OLD_PERSON = "old_person"
"""The name under which it carries whether the record is a person account."""


def matters(request: WriteRequest) -> bool:
    """Whether the rules must know the record type of each row."""
    return has_persons(request.sobject) or any(_limited(request))


def has_persons(sobject: SObject) -> bool:
    """Whether records of the object may be person accounts."""
    return sobject.name == "Account" and sobject.get("IsPersonAccount") is not None


def record_types_sql(sobject: SObject) -> str:
    """SQL for the record types of an object."""
    return (
        'select "Id" as id, "DeveloperName" as name, "IsPersonType" as person '
        f'from records."RecordType" where "SobjectType" = {literal(sobject.name)}'
    )


def key(request: WriteRequest) -> str:
    """SQL for the id of the record type that a row's record has or shall have."""
    old = f"target.{OLD}" if request.key_column is not None else "null::varchar"
    column = request.by_field.get("RecordTypeId")
    if column is None:
        return old
    is_named = f"typed.{column.raw} is not null"
    value = f"lookup{column.position}.id" if column.via is not None else f"typed.{column.value}"
    return f"case when {is_named} then {value} else {old} end"


def errors(request: WriteRequest, created: str) -> list[str]:
    """SQL for the packed errors of rows that their record type forbids; null where it does not."""
    name = _name(request, created)
    problems = [_picklist_error(column, name, request.sobject) for column in _limited(request)]
    return problems + ([_business_error(request, created)] if has_persons(request.sobject) else [])


def access_errors(request: WriteRequest, created: str) -> list[str]:
    """SQL for the errors of fields that this kind of record does not let anybody set."""
    if request.sobject.name == "Contact" and request.sobject.get("IsPersonAccount") is not None:
        return [_behind_error(request, created)]
    column = request.by_field.get("Name") if has_persons(request.sobject) else None
    if column is None:
        return []
    message = (
        "Unable to create/update fields: Name. Please check the security settings of this field "
        "and verify that it is read/write for your profile or permission set."
    )
    error = error_sql("INVALID_FIELD_FOR_INSERT_UPDATE", "Name", literal(message))
    has_value = f"nullif(typed.{column.raw}, chr(0)) is not null"
    return [f"case when {has_value} and {_is_person(request, created)} then {error} end"]


def missing(request: WriteRequest, created: str) -> Iterator[str]:
    """SQL for the name of a field that this kind of record needs and a row leaves empty."""
    if not has_persons(request.sobject):
        return
    for name, test in (("LastName", ""), ("Name", "not ")):
        column = request.by_field.get(name)
        kind = f"{test}{_is_person(request, created)}"
        if column is None:
            if request.operation != "update":
                yield f"case when {kind} and {created} then {literal(name)} end"
            continue
        is_set = f"(typed.{column.raw} is not null or {created})"
        yield f"case when {kind} and {is_set} and typed.{column.value} is null then '{name}' end"


def _limited(request: WriteRequest) -> Iterator[Column]:
    """The columns of restricted picklists that have fewer values in some record type."""
    kinds = request.sobject.record_types
    for column in request.data_columns:
        field = column.field
        if field.restricted and any(field.name in kind.picklists for kind in kinds):
            yield column


def _picklist_error(column: Column, name: str, sobject: SObject) -> str:
    """A value that the object has and the record type has not."""
    field, value = column.field, f"typed.{column.value}"
    refused = [
        f"{name} = {literal(kind.developer_name)} and {value} not in ({_listed(allowed)})"
        for kind in sobject.record_types
        if (allowed := kind.picklists.get(field.name)) is not None
    ]
    active_values = _listed(tuple(v.value for v in field.values if v.active))
    error = error_sql(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        field.name,
        f"{literal(f'{field.label}: bad value for restricted picklist field: ')}, {value}",
    )
    return f"case when {value} in ({active_values}) and ({' or '.join(refused)}) then {error} end"


def _business_error(request: WriteRequest, created: str) -> str:
    """Fields of persons given to a business account, or a record that would change its kind."""
    names = [
        f"case when nullif(typed.{c.raw}, chr(0)) is not null "
        f"and {_has_value(c.field, f'typed.{c.value}')} then {literal(c.field.name)} end"
        for c in request.data_columns
        if contact_name(c.field) is not None
    ]
    listed = f"concat_ws(', ', {', '.join(names)})" if names else "''"
    bad = (
        f"concat('INVALID_FIELD_FOR_INSERT_UPDATE', chr(31), replace({listed}, ', ', ','), "
        f"chr(31), 'Account: bad field names on insert/update call: ', {listed})"
    )
    moved = error_sql(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "RecordTypeId",
        "'Account: bad field names on insert/update call: RecordTypeId'",
    )
    person = _is_person(request, created)
    was_person = f"target.{OLD_PERSON}" if request.key_column is not None else "null::boolean"
    return (
        f"case when not ({created}) and {was_person} <> {person} then {moved} "
        f"when not {person} and {listed} <> '' then {bad} end"
    )


def _has_value(field: Field, value: str) -> str:
    """An unticked box of a person is no value that a business account would have to refuse."""
    return value if field.type == "boolean" else "true"


def _behind_error(request: WriteRequest, created: str) -> str:
    """The contact behind a person account is changed through the account alone."""
    set_fields = [
        f"case when typed.{c.raw} is not null then {literal(c.field.name)} end"
        for c in request.data_columns
    ]
    if request.key_column is None or not set_fields:
        return "null::varchar"
    listed = f"concat_ws(', ', {', '.join(set_fields)})"
    return (
        f"case when not ({created}) and target.{OLD_PERSON} then "
        f"concat('INVALID_FIELD_FOR_INSERT_UPDATE', chr(31), replace({listed}, ', ', ','), "
        f"chr(31), 'Account: bad field names on insert/update call: ', {listed}) end"
    )


def _is_person(request: WriteRequest, created: str) -> str:
    kinds = request.sobject.record_types
    default = str(any(kind.default and kind.person for kind in kinds)).lower()
    unnamed = f"case when {created} then {default} else false end"
    return f"coalesce({LINE}.person, {unnamed})"


def _name(request: WriteRequest, created: str) -> str:
    default = next((k.developer_name for k in request.sobject.record_types if k.default), None)
    if default is None:
        return f"{LINE}.name"
    return f"coalesce({LINE}.name, case when {created} then {literal(default)} end)"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(map(literal, values)) or "''"
