"""What a write asks for, in one shape for every path that writes."""

from dataclasses import dataclass
from functools import cached_property

from pipelines.local_org.catalog.model import Catalog, Field, SObject


class ColumnError(Exception):
    """A column that names no field, or no External Id where one is needed."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


@dataclass(frozen=True)
class Column:
    """One column of the incoming rows.

    `via` is set for relationship columns (`Account.Causeway_Key__c`): the parent object and the
    field of it that the text names.
    """

    name: str
    position: int
    field: Field
    via: tuple[SObject, Field] | None = None

    @property
    def raw(self) -> str:
        """The SQL name of the text that came in."""
        return f"c{self.position}"

    @property
    def value(self) -> str:
        """The SQL name of the typed value."""
        return f"v{self.position}"


@dataclass(frozen=True)
class WriteRequest:
    """Rows of one object to insert, update or upsert."""

    sobject: SObject
    operation: str  # insert, update, upsert
    columns: tuple[Column, ...]
    key: Field | None = None
    """For upserts: the field that finds the record, Id or an External Id."""

    @cached_property
    def by_field(self) -> dict[str, Column]:
        """The column that gives each field."""
        return {c.field.name: c for c in self.columns}

    @cached_property
    def key_column(self) -> Column | None:
        """The column that finds the record to change; None for inserts."""
        if self.operation == "insert":
            return None
        name = self.key.name if self.key is not None else "Id"
        return self.by_field.get(name)

    @cached_property
    def data_columns(self) -> tuple[Column, ...]:
        """The columns that carry values to store (an upsert's own External Id included)."""
        return tuple(c for c in self.columns if c.field.name != "Id")


def columns_of(catalog: Catalog, sobject: SObject, names: list[str]) -> tuple[Column, ...]:
    """The columns that these header names stand for.

    Raises:
        ColumnError: for the first name that stands for none.
    """
    return tuple(_column(catalog, sobject, name, i) for i, name in enumerate(names))


def _column(catalog: Catalog, sobject: SObject, name: str, position: int) -> Column:
    path = name.split(".")
    if len(path) == 1:
        field = sobject.get(name)
        if field is None:
            raise ColumnError(name, "no such field")
        return Column(name, position, field)
    kind, _, relationship = path[0].rpartition(":")
    reference = sobject.parent(relationship) if len(path) == 2 else None
    if reference is None:
        raise ColumnError(name, "no such relationship")
    parents = [p for p in catalog.targets(reference) if not kind or p.name == kind]
    for parent in parents:
        key = parent.get(path[1])
        if key is not None and (key.external_id or key.id_lookup or key.name == "Id"):
            return Column(name, position, reference, (parent, key))
    raise ColumnError(name, "not an External Id or indexed field")
