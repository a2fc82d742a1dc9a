"""What rows are looked up in.

Parents by External Id, the records they change, their references, and the records that already
carry a unique value.
"""

from dataclasses import dataclass, field

from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal
from pipelines.local_org.dml import recordtypes
from pipelines.local_org.dml.addresses import PLACES, address_of, touched
from pipelines.local_org.dml.request import Column, WriteRequest
from pipelines.local_org.dml.values import is_named_sql
from pipelines.local_org.ids import to18_sql


@dataclass(frozen=True)
class Join:
    """A relation that rows are looked up in.

    `select` selects its `columns` from the record tables, for the keys that the SQL `{keys}` gives;
    `key` is the key that a row looks for, `k` or `id` the column that holds it. Where several lines
    may hold one key, `merged` tells what becomes of each of the other columns. One that is `whole`
    is small: all of it is joined. Its key may speak of the joins of earlier rounds.
    """

    name: str
    columns: dict[str, str]
    select: str
    key: str
    key_column: str = "k"
    whole: bool = False
    round: int = 0
    merged: dict[str, str] = field(default_factory=dict)

    @property
    def on(self) -> str:
        """How a row finds its line."""
        return f"{self.name}.{self.key_column} = {self.key}"

    def body(self) -> str:
        """SQL for the lines that any row looks for."""
        keys = f"select {self.key} from typed where {self.key} is not null"
        return self.lines(keys)

    def lines(self, keys: str) -> str:
        """SQL for the lines of these keys, one per key."""
        selected = self.select.replace("{keys}", keys)
        if not self.merged:
            return selected
        merged = "".join(f", {sql} as {name}" for name, sql in self.merged.items())
        return f"select {self.key_column}{merged} from ({selected}) group by {self.key_column}"


def joins_of(catalog: Catalog, request: WriteRequest) -> list[Join]:
    """Everything that rows are looked up in, round by round."""
    first = _lookups(request) + _target(request)
    checked = first + _references(catalog, request) + _rivals(request)
    joins = checked + _places(request) + _record_types(request)
    return sorted(joins, key=lambda join: join.round)


def created_sql(request: WriteRequest) -> str:
    """SQL: does the row make a new record?"""
    return {"insert": "true", "update": "false"}.get(request.operation, "target.id is null")


def value_of(request: WriteRequest, column: Column) -> str:
    """SQL for the typed value that a column gives a row."""
    if column.via is not None:
        return f"lookup{column.position}.id"
    address = address_of(request, column)
    return f"typed.{column.value}" if address is None else address.value(column)


def is_named(request: WriteRequest, column: Column) -> str:
    """SQL: does the row say anything about the field?"""
    address = address_of(request, column)
    return is_named_sql(f"typed.{column.raw}") if address is None else address.touched


def match_sql(field: Field, value: str) -> str:
    """SQL for what two values of a field must share to be the same value."""
    if field.case_sensitive or field.type in {"id", "reference"} or field.column_type != "varchar":
        return value
    return f"lower({value})"


def _lookups(request: WriteRequest) -> list[Join]:
    """Parents named by an External Id; the text must hit exactly one live record."""
    joins = []
    for column in request.columns:
        if column.via is None:
            continue
        parent, key_field = column.via
        stored = match_sql(key_field, f"p.{key_field.column}")
        joins.append(
            Join(
                f"lookup{column.position}",
                {"k": key_field.column_type, "id": "varchar", "hits": "bigint"},
                f'select {stored} as k, p."Id" as id, 1 as hits '
                f'from {parent.table} p where not p."IsDeleted" and {stored} in ({{keys}})',
                _cast_key(key_field, f"typed.{column.raw}"),
                merged={"id": "min(id)", "hits": "count(*)"},
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
    table, by_id = request.sobject.table, key.field.name == "Id"
    converted = 't."IsConverted"' if request.sobject.get("IsConverted") else "false"
    stored = match_sql(key.field, f"t.{key.field.column}")
    olds = {name: old for address in touched(request) for name, old in address.old().items()}
    if recordtypes.matters(request):
        olds[recordtypes.OLD] = "RecordTypeId"
    person = request.sobject.get("IsPersonAccount")
    flags = {} if person is None else {recordtypes.OLD_PERSON: person.name}
    alive = "" if by_id else 'not t."IsDeleted" and '
    merged = {
        "id": "min(id)",
        "n": "min(n)",
        "hits": "count(*)",
        # Listing them costs as much as all the rest; of a unique field there is one.
        "ids": "min(ids)" if key.field.unique else "string_agg(ids, ', ')",
        "deleted": "bool_or(deleted)",
        "converted": "bool_or(converted)",
        **{name: f"any_value({name})" for name in olds | flags},
    }
    return [
        Join(
            "target",
            {
                "k": key.field.column_type,
                "id": "varchar",
                "n": "bigint",
                "hits": "bigint",
                "ids": "varchar",
                "deleted": "boolean",
                "converted": "boolean",
                **dict.fromkeys(olds, "varchar"),
                **dict.fromkeys(flags, "boolean"),
            },
            f'select {stored} as k, t."Id" as id, t._n as n, 1 as hits, t."Id" as ids, '
            f't."IsDeleted" as deleted, {converted} as converted{_olds_sql(olds | flags)} '
            f"from {table} t where {alive}{stored} in ({{keys}})",
            match_sql(key.field, f"typed.{key.value}"),
            merged={} if by_id else merged,
        )
    ]


def _olds_sql(olds: dict[str, str]) -> str:
    return "".join(f', t."{old}" as {name}' for name, old in olds.items())


def _places(request: WriteRequest) -> list[Join]:
    """Countries, and states of countries, in an org that has picklists of them."""
    columns = dict.fromkeys(("k", "code", "name"), "varchar")
    first = int(request.key_column is not None)  # what a record holds already counts
    joins = []
    for address in touched(request):
        country, state = address.block.country.line, address.block.state.line
        key = address.country_key
        joins.append(Join(country, columns, PLACES, key, whole=True, round=first))
        joins.append(Join(state, columns, PLACES, address.state_key, whole=True, round=2))
    return joins


def _record_types(request: WriteRequest) -> list[Join]:
    """What kind of record each row is about, where that matters."""
    if not recordtypes.matters(request):
        return []
    columns = {"id": "varchar", "name": "varchar", "person": "boolean"}
    select, key = recordtypes.record_types_sql(request.sobject), recordtypes.key(request)
    return [Join(recordtypes.LINE, columns, select, key, key_column="id", whole=True, round=1)]


def _references(catalog: Catalog, request: WriteRequest) -> list[Join]:
    """Records that reference fields point to by id."""
    joins = []
    for column in reference_columns(request):
        parts = [
            f'select p."Id" as id, p."IsDeleted" as deleted, '
            f"{_active(request.sobject, parent)} as active "
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
                key_column="id",
            )
        )
    return joins


def _active(sobject: SObject, parent: SObject) -> str:
    """SQL: may the record be pointed to at all?"""
    if parent.name == "User":
        return 'p."IsActive"'
    if parent.name == "RecordType":
        return f'p."IsActive" and p."SobjectType" = {literal(sobject.name)}'
    if sobject.name == "Contact" and recordtypes.has_persons(parent):
        return 'not p."IsPersonAccount"'
    return "true"


def _rivals(request: WriteRequest) -> list[Join]:
    """Live records that already carry the value of a unique field."""
    joins = []
    for column in unique_columns(request):
        stored = match_sql(column.field, f"r.{column.field.column}")
        joins.append(
            Join(
                f"rival{column.position}",
                {"k": column.field.column_type, "id": "varchar"},
                f'select {stored} as k, r."Id" as id from {request.sobject.table} r '
                f'where not r."IsDeleted" and {stored} in ({{keys}})',
                match_sql(column.field, f"typed.{column.value}"),
                merged={"id": "min(id)"},
            )
        )
    return joins


def reference_columns(request: WriteRequest) -> list[Column]:
    """The columns that point to records by id."""
    return [c for c in request.data_columns if c.via is None and c.field.type == "reference"]


def unique_columns(request: WriteRequest) -> list[Column]:
    """The columns of unique fields, without the key of an upsert."""
    key = request.key_column
    return [c for c in request.data_columns if c.field.unique and c is not key]
