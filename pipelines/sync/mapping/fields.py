"""What an org says about its fields: the relation ``org_schema``, as a value and from a describe.

The names of types and flags are describe's own
(https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pipelines.sync.mapping.named_objects import USER

if TYPE_CHECKING:
    import pyarrow as pa

TEXT = frozenset(
    {
        "string", "textarea", "email", "phone", "url",
        "picklist", "multipicklist", "combobox", "encryptedstring",
    }
)  # fmt: skip
NUMBERS = frozenset({"double", "currency", "percent"})
INTEGERS = frozenset({"int", "long"})
IDS = frozenset({"reference", "id"})
WRITABLE = TEXT | NUMBERS | INTEGERS | IDS | {"boolean", "date", "datetime"}
"""Types that have a wire form; an address, a location or a blob has none."""
OPT_OUTS = frozenset({"HasOptedOutOfEmail", "PersonHasOptedOutOfEmail", "DoNotCall"})
"""Consent: what the org says and we did not write is never turned back."""


@dataclass(frozen=True)
class Field:
    """One field of one sObject as the user we act as sees it; a row of ``org_schema``."""

    object: str
    field: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    calculated: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    restricted_picklist: bool = False
    picklist_values: Sequence[str] = ()
    reference_to: Sequence[str] = ()

    @property
    def required(self) -> bool:
        """Whether a create without a value for it is refused."""
        return (
            self.createable
            and not self.nillable
            and not self.defaulted_on_create
            and self.type != "boolean"  # a boolean is false, never missing
        )


OrgSchema = Mapping[str, Mapping[str, Field]]
"""sObject → API name → field."""

COLUMNS = tuple(field.name for field in fields(Field))
_WHOLE = ("length", "precision", "scale", "digits")
_NO_PARENTS = frozenset({USER, "Group", "RecordType"})


def org_schema(rows: Iterable[Mapping[str, Any]]) -> OrgSchema:
    """Collect the rows of the relation ``org_schema``, each a mapping of its columns."""
    objects: dict[str, dict[str, Field]] = {}
    for row in rows:
        field = Field(**{name: row[name] for name in COLUMNS})
        objects.setdefault(field.object, {})[field.field] = field
    return objects


def schema_rows(describe: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of ``org_schema`` that one sObject's describe answer makes."""
    return [_row(describe["name"], field) for field in describe["fields"]]


def schema_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of ``org_schema`` as an Arrow table with its declared types, for DuckDB to read."""
    import pyarrow as pa

    texts, flags = pa.string(), pa.bool_()
    types = dict.fromkeys(COLUMNS, flags)
    types |= dict.fromkeys(("object", "field", "label", "type"), texts)
    types |= dict.fromkeys(_WHOLE, pa.int32())
    types |= dict.fromkeys(("picklist_values", "reference_to"), pa.list_(texts))
    return pa.Table.from_pylist(list(rows), schema=pa.schema(list(types.items())))


def _row(object_name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "object": object_name,
        "field": field["name"],
        "label": field["label"],
        "type": field["type"],
        **{name: field.get(name) or 0 for name in _WHOLE},
        "nillable": field["nillable"],
        "createable": field["createable"],
        "updateable": field["updateable"],
        "defaulted_on_create": field["defaultedOnCreate"],
        "calculated": field.get("calculated", False),
        "unique": field.get("unique", False),
        "external_id": field.get("externalId", False),
        "id_lookup": field.get("idLookup", False),
        "restricted_picklist": field.get("restrictedPicklist", False),
        "picklist_values": [
            value["value"] for value in field.get("picklistValues") or () if value["active"]
        ],
        "reference_to": list(field.get("referenceTo") or ()),
    }


def parent_fields(names: Iterable[str], schema: Mapping[str, Field]) -> list[str]:
    """Of fields of one object those that say to which other record one belongs."""
    return [
        name
        for name in names
        if schema[name].type == "reference"
        and not _NO_PARENTS.issuperset(schema[name].reference_to)
    ]
