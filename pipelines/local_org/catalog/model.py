"""What an object and a field are. Frozen values; the words are those of Salesforce's describe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import cached_property

NUMBER_TYPES = frozenset({"int", "double", "currency", "percent"})
TEXT_TYPES = frozenset(
    {"string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "encryptedstring"}
)
COLUMN_TYPES = {
    "boolean": "boolean",
    "int": "integer",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": "date",
    "datetime": "timestamp",
}
SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
}


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class PicklistValue:
    """One value of a picklist; `value` is what the API stores."""

    value: str
    label: str
    default: bool = False
    active: bool = True
    valid_for: str | None = None
    """Bit map of the controlling values it goes with, base64."""


@dataclass(frozen=True)
class Field:
    """One field of an object."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    defaulted: bool = False
    id_lookup: bool = False
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    name_field: bool = False
    compound: str | None = None
    references: tuple[str, ...] = ()
    relationship: str | None = None
    restricted: bool = False
    custom: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    default: str | None = None
    default_sql: str | None = None
    """For defaults that are looked up when a record is made: a scalar query."""
    values: tuple[PicklistValue, ...] = ()
    help_text: str | None = None
    controller: str | None = None
    """The picklist that decides which of the values are valid."""
    by_stage: tuple[tuple[str, str], ...] = ()
    """For fields that follow the stage of an opportunity: stage → value."""
    virtual_sql: str | None = None
    """For fields that are not stored: SQL over the record's own columns, `{t}` is its alias."""

    @property
    def column_type(self) -> str:
        """The DuckDB type that stores the field."""
        return COLUMN_TYPES.get(self.type, "varchar")

    @property
    def column(self) -> str:
        """The quoted column that stores the field."""
        return quoted(self.name)

    @property
    def stored(self) -> bool:
        """Whether a column holds the field; compound and derived fields have none."""
        return self.virtual_sql is None and self.type != "address"

    @property
    def required(self) -> bool:
        """Whether a record without a value is refused (checkboxes are never empty)."""
        return (
            not self.nillable
            and (self.createable or self.updateable)
            and not self.defaulted
            and self.type != "boolean"
        )

    @property
    def default_value(self) -> str | None:
        """The text a new record gets when none is given."""
        if self.default is not None:
            return self.default
        if self.type == "boolean":
            return "false"
        return next((v.value for v in self.values if v.default), None)

    def read_sql(self, alias: str) -> str:
        """SQL for the field's value in the record that `alias` names."""
        if self.virtual_sql is not None:
            return self.virtual_sql.format(t=alias)
        return f"{alias}.{self.column}"


@dataclass(frozen=True)
class ChildRelationship:
    """A reference seen from its parent."""

    child: str
    field: str
    name: str | None
    on_delete: str  # cascade, restrict, clear


@dataclass(frozen=True)
class RecordType:
    """A kind of records of one object, with picklist values of its own."""

    developer_name: str
    person: bool = False
    default: bool = False
    picklists: Mapping[str, tuple[str, ...]] = dataclass_field(default_factory=dict)
    """Field → its values in this record type; fields that are not here have all of theirs."""


@dataclass(frozen=True)
class SObject:
    """One object: its fields in describe's order and what may be done with it."""

    name: str
    label: str
    plural: str
    prefix: str
    verbs: frozenset[str]
    fields: tuple[Field, ...]
    children: tuple[ChildRelationship, ...] = ()
    custom: bool = False
    record_types: tuple[RecordType, ...] = ()
    source: str | None = None
    """What holds the records, where it is not a table of its own."""

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {f.name.lower(): f for f in self.fields}

    @cached_property
    def _by_relationship(self) -> dict[str, Field]:
        return {f.relationship.lower(): f for f in self.fields if f.relationship}

    @cached_property
    def table(self) -> str:
        """The quoted table that stores the records."""
        if self.source is not None:
            return self.source
        return f"records.{quoted(self.name)}"

    def get(self, name: str) -> Field | None:
        """The field of that name, whatever its case."""
        return self._by_name.get(name.lower())

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name.lower()]

    def parent(self, relationship: str) -> Field | None:
        """The reference field that a relationship name (`Account`, `Parent__r`) stands for."""
        return self._by_relationship.get(relationship.lower())

    @cached_property
    def stored(self) -> tuple[Field, ...]:
        """The fields that have a column."""
        return tuple(f for f in self.fields if f.stored)

    @cached_property
    def unique_fields(self) -> tuple[Field, ...]:
        """Fields of which no two live records share a value."""
        return tuple(f for f in self.fields if f.unique)

    @cached_property
    def coded_addresses(self) -> tuple[str, ...]:
        """What the fields of each address begin with, where it has code fields."""
        codes = (f.name for f in self.fields if f.compound and f.name.endswith("CountryCode"))
        return tuple(code.removesuffix("CountryCode") for code in codes)

    @property
    def name_field(self) -> Field | None:
        """The field that names a record to people."""
        candidates = [f for f in self.fields if f.name_field]
        return next(
            (f for f in candidates if f.name == "Name"), candidates[0] if candidates else None
        )

    def with_fields(self, fields: tuple[Field, ...]) -> "SObject":
        """The same object with other fields."""
        return replace(self, fields=fields)


@dataclass(frozen=True, eq=False)
class Catalog:
    """All objects of an org. A catalog equals itself alone, so that it is a cheap key of caches."""

    objects: tuple[SObject, ...]
    version: int = 0

    @cached_property
    def _by_name(self) -> dict[str, SObject]:
        return {o.name.lower(): o for o in self.objects}

    @cached_property
    def _by_prefix(self) -> dict[str, SObject]:
        return {o.prefix: o for o in self.objects}

    def get(self, name: str) -> SObject | None:
        """The object of that name, whatever its case."""
        return self._by_name.get(name.lower())

    def __getitem__(self, name: str) -> SObject:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[SObject]:
        return iter(self.objects)

    def of_id(self, record_id: str) -> SObject | None:
        """The object an id belongs to, by its first three characters."""
        return self._by_prefix.get(record_id[:3])

    def targets(self, reference: Field) -> tuple[SObject, ...]:
        """The objects a reference may point to, as far as this org has them."""
        objects = (self.get(name) for name in reference.references)
        return tuple(o for o in objects if o is not None)
