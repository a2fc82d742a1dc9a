"""The statement that judges incoming rows: finds their records and parents, applies every rule.

`work_sql` gives one select over the relation `incoming(_row, c0, c1, …)` (texts) and the record
tables. Its result has a row per incoming row:

    _row, _id, _n       the row, and the id and number of the record it makes or changes
    _created            whether it makes a new record
    v0, v1, …  g0, …    typed values, and whether the row says anything about the field
    _error              packed errors of the earliest phase that found any, or null
"""

from dataclasses import dataclass

from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import Column, WriteRequest
from pipelines.local_org.dml.values import (
    content_error_sql,
    format_error_sql,
    given_sql,
    value_sql,
)
from pipelines.local_org.ids import record_id_sql, to18_sql


@dataclass(frozen=True)
class Join:
    """A relation that rows are looked up in.

    `found` selects its `columns` from the record tables, for the keys that the SQL `{keys}` gives;
    `key` is the key that a row looks for, `k` or `id` the column that holds it.
    """

    name: str
    columns: dict[str, str]
    found: str
    key: str
    held: str = "k"

    @property
    def on(self) -> str:
        """How a row finds its line."""
        return f"{self.name}.{self.held} = {self.key}"

    def body(self) -> str:
        """SQL for the lines that any row looks for."""
        keys = f"select {self.key} from typed where {self.key} is not null"
        return self.found.replace("{keys}", keys)


@dataclass(frozen=True)
class Numbers:
    """Where new records get their ids from: row `first_row` takes number `first`, and so on."""

    pod: str
    first: int
    first_row: int

    def offset_sql(self) -> str:
        """SQL for how far a row is from the first."""
        return f"(typed._row - {self.first_row})"


def work_sql(
    catalog: Catalog, request: WriteRequest, numbers: Numbers, *, lower_case_email: bool
) -> str:
    """SQL that judges the rows of `incoming`; see the module's docstring for its columns."""
    joins = joins_of(catalog, request)
    bodies = {join.name: join.body() for join in joins}
    typed = typed_sql(request, "incoming", lower_case_email=lower_case_email)
    created = created_sql(request)
    offset = numbers.offset_sql()
    new_id = record_id_sql(request.sobject.prefix, numbers.pod, numbers.first, offset)
    ids = {"_id": new_id, "_n": f"{numbers.first} + {offset}"}
    if request.operation != "insert" and request.key_column is not None:
        made = {"_id": f"case when {created} then {new_id} else target.id end"}
        made["_n"] = f"case when {created} then {ids['_n']} else target.n end"
        ids = made if request.operation == "upsert" else {"_id": "target.id", "_n": "target.n"}
    elif request.operation != "insert":
        ids = {"_id": "null::varchar", "_n": "null::bigint"}
    outputs = [
        "typed._row",
        *(f"{sql} as {name}" for name, sql in ids.items()),
        f"{created} as _created",
        *(f"{_value(c)} as {c.value}" for c in request.columns),
        *(f"{given_sql(f'typed.{c.raw}')} as g{c.position}" for c in request.columns),
        f"{error_of_row_sql(catalog, request)} as _error",
    ]
    return _judged(typed, bodies, outputs, joins)


def one_sql(catalog: Catalog, request: WriteRequest, *, lower_case_email: bool) -> str:
    """SQL that judges one row without reading a table, so that its plan can be kept.

    Parameters, by position: the row's texts, then the line found for each join (all null: none).
    Columns: `_created`, `_error`, the record's `id` and `n` (null: a new one), `v0`, `v1`, …
    """
    joins = joins_of(catalog, request)
    texts = [f"${c.position + 1}::varchar as {c.raw}" for c in request.columns]
    number = len(texts)
    lines = []
    for join in joins:
        members = []
        for name, kind in join.columns.items():
            number += 1
            members.append(f"'{name}': ${number}::{kind}")
        # A struct is addressed like a joined line (`target.id`), and costs no join.
        lines.append(f"{{{', '.join(members)}}} as {join.name}")
    source = f"(select {', '.join(['0 as _row', *texts])})"
    typed = typed_sql(request, source, lower_case_email=lower_case_email)
    target = request.operation != "insert" and request.key_column is not None
    outputs = [
        f"{created_sql(request)} as _created",
        f"{error_of_row_sql(catalog, request)} as _error",
        f"{'target.id' if target else 'null::varchar'} as id",
        f"{'target.n' if target else 'null::bigint'} as n",
        *(f"{_value(c)} as {c.value}" for c in request.columns),
    ]
    row = f"select {', '.join(['t.*', *lines])} from ({typed}) t"
    return f"select {', '.join(outputs)} from ({row}) typed"


def keys_sql(catalog: Catalog, request: WriteRequest, *, lower_case_email: bool) -> str:
    """SQL for the keys that one row looks for, one per join. Parameters: the row's texts."""
    texts = [f"${c.position + 1}::varchar as {c.raw}" for c in request.columns]
    source = f"(select {', '.join(['0 as _row', *texts])})"
    typed = typed_sql(request, source, lower_case_email=lower_case_email)
    keys = [join.key for join in joins_of(catalog, request)]
    return f"with typed as ({typed}) select {', '.join(keys)} from typed"


def joins_of(catalog: Catalog, request: WriteRequest) -> list[Join]:
    """Everything that rows are looked up in."""
    return _lookups(request) + _target(request) + _references(catalog, request) + _rivals(request)


def typed_sql(request: WriteRequest, source: str, *, lower_case_email: bool) -> str:
    """SQL for the rows of a relation of texts, with their typed values."""
    typed = [
        f"{value_sql(c.field, f'i.{c.raw}', lower_case_email=lower_case_email)} as {c.value}"
        for c in request.columns
        if c.via is None
    ]
    return f"select {', '.join(['i.*', *typed])} from {source} i"


def created_sql(request: WriteRequest) -> str:
    """SQL: does the row make a new record?"""
    return {"insert": "true", "update": "false"}.get(request.operation, "target.id is null")


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
    asked = [f"nullif(concat_ws(chr(30), {', '.join(phase)}), '')" for phase in phases if phase]
    return f"coalesce({', '.join(asked)}, null)"


def _judged(typed: str, bodies: dict[str, str], outputs: list[str], joins: list[Join]) -> str:
    ctes = [f"typed as ({typed})", *(f"{name} as ({body})" for name, body in bodies.items())]
    lines = [f"left join {join.name} on {join.on}" for join in joins]
    return f"with {', '.join(ctes)} select {', '.join(outputs)} from typed {' '.join(lines)}"


def _value(column: Column) -> str:
    if column.via is None:
        return f"typed.{column.value}"
    return f"lookup{column.position}.id"


def match_sql(field: Field, value: str) -> str:
    """SQL for what two values of a field must share to be the same value."""
    if field.case_sensitive or field.type in {"id", "reference"} or field.column_type != "varchar":
        return value
    return f"lower({value})"


# -- looking up ------------------------------------------------------------------------------------


def _lookups(request: WriteRequest) -> list[Join]:
    """Parents named by an External Id; the text must hit exactly one live record."""
    joins = []
    for column in request.columns:
        if column.via is None:
            continue
        parent, field = column.via
        stored = match_sql(field, f"p.{field.column}")
        joins.append(
            Join(
                f"lookup{column.position}",
                {"k": field.column_type, "id": "varchar", "hits": "bigint"},
                f'select {stored} as k, min(p."Id") as id, count(*) as hits '
                f'from {parent.table} p where not p."IsDeleted" and {stored} in ({{keys}}) '
                "group by 1",
                _cast_key(field, f"typed.{column.raw}"),
            )
        )
    return joins


def _cast_key(field: Field, raw: str) -> str:
    if field.type == "id":
        return f"case when length({raw}) = 15 then {to18_sql(raw)} else {raw} end"
    if field.column_type != "varchar":
        return f"try_cast({raw} as {field.column_type})"
    return match_sql(field, raw)


def _target(request: WriteRequest) -> list[Join]:
    """The record that a row changes."""
    key = request.key_column
    if key is None:
        return []
    table, field = request.sobject.table, key.field
    converted = 'bool_or(t."IsConverted")' if request.sobject.get("IsConverted") else "false"
    stored = match_sql(field, f"t.{field.column}")
    alive = "" if field.name == "Id" else 'not t."IsDeleted" and '
    return [
        Join(
            "target",
            {
                "k": field.column_type,
                "id": "varchar",
                "n": "bigint",
                "hits": "bigint",
                "ids": "varchar",
                "deleted": "boolean",
                "converted": "boolean",
            },
            f'select {stored} as k, min(t."Id") as id, min(t._n) as n, count(*) as hits, '
            f'string_agg(t."Id", \', \') as ids, bool_or(t."IsDeleted") as deleted, '
            f"{converted} as converted from {table} t where {alive}{stored} in ({{keys}}) "
            "group by 1",
            match_sql(field, f"typed.{key.value}"),
        )
    ]


def _references(catalog: Catalog, request: WriteRequest) -> list[Join]:
    """Records that reference fields point to by id."""
    joins = []
    for column in _reference_columns(request):
        parts = [
            f'select p."Id" as id, p."IsDeleted" as deleted, {_active(parent)} as active '
            f'from {parent.table} p where p."Id" in ({{keys}})'
            for parent in catalog.targets(column.field)
        ]
        nothing = "select null::varchar as id, false as deleted, true as active where false"
        joins.append(
            Join(
                f"parent{column.position}",
                {"id": "varchar", "deleted": "boolean", "active": "boolean"},
                " union all ".join(parts) or nothing,
                f"typed.{column.value}",
                held="id",
            )
        )
    return joins


def _active(parent: SObject) -> str:
    return 'p."IsActive"' if parent.name == "User" else "true"


def _rivals(request: WriteRequest) -> list[Join]:
    """Live records that already carry the value of a unique field."""
    joins = []
    for column in _unique_columns(request):
        stored = match_sql(column.field, f"r.{column.field.column}")
        joins.append(
            Join(
                f"rival{column.position}",
                {"k": column.field.column_type, "id": "varchar"},
                f'select {stored} as k, min(r."Id") as id from {request.sobject.table} r '
                f'where not r."IsDeleted" and {stored} in ({{keys}}) group by 1',
                match_sql(column.field, f"typed.{column.value}"),
            )
        )
    return joins


def _reference_columns(request: WriteRequest) -> list[Column]:
    return [c for c in request.data_columns if c.via is None and c.field.type == "reference"]


def _unique_columns(request: WriteRequest) -> list[Column]:
    key = request.key_column
    return [c for c in request.data_columns if c.field.unique and c is not key]


# -- judging ---------------------------------------------------------------------------------------


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
    several = error_sql(
        "DUPLICATE_EXTERNAL_ID",
        key.field.name,
        f"'{key.field.name}: more than one record found for external id field: [', target.ids, ']'",
    )
    missing = error_sql("MISSING_ARGUMENT", key.field.name, f"'{key.field.name} not specified'")
    return [
        f"case when typed.{key.value} is null then {missing} "
        f"when target.hits > 1 then {several} {_converted()} end"
    ]


def _id_errors(request: WriteRequest, key: Column | None) -> list[str]:
    missing = error_sql("MISSING_ARGUMENT", "Id", "'Id not specified in an update call'")
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
        given = f"nullif(typed.{column.raw}, chr(0)) is not null"
        name = literal(column.field.name)
        if not column.field.createable and request.operation != "update":
            refused.append(f"case when {given} and {created} then {name} end")
        if not column.field.updateable and request.operation != "insert":
            refused.append(f"case when {given} and not ({created}) then {name} end")
    errors = []
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
            empty = f"{_value(column)} is null and (typed.{column.raw} is not null or {created})"
            missing.append(f"case when {empty} then {literal(field.name)} end")
        elif not field.nillable and field.updateable and field.type != "boolean":
            empty = f"typed.{column.raw} is not null and {_value(column)} is null"
            missing.append(f"case when {empty} and not ({created}) then {literal(field.name)} end")
    errors = []
    if missing:
        names = f"concat_ws(', ', {', '.join(missing)})"
        errors.append(
            f"case when {names} <> '' then concat('REQUIRED_FIELD_MISSING', chr(31), "
            f"replace({names}, ', ', ','), chr(31), 'Required fields are missing: [', {names}, "
            "']') end"
        )
    for column in request.data_columns:
        error = content_error_sql(column.field, _value(column)) if column.via is None else None
        if error is not None:
            errors.append(error)
    return errors


def _reference_errors(catalog: Catalog, request: WriteRequest) -> list[str]:
    errors = []
    for column in _reference_columns(request):
        name, field = f"parent{column.position}", column.field
        unknown = error_sql(
            "INVALID_CROSS_REFERENCE_KEY", field.name, "'invalid cross reference id'"
        )
        deleted = error_sql("ENTITY_IS_DELETED", field.name, "'entity is deleted'")
        checks = [
            f"when typed.{column.value} is not null and {name}.id is null then {unknown}",
            f"when {name}.deleted then {deleted}",
        ]
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
    for column in _unique_columns(request):
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
