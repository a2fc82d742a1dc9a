"""Builds the catalog: recorded fields, objects.yaml, and the custom fields of the set-up."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pipelines.local_org.catalog.countries import with_codes
from pipelines.local_org.catalog.features import (
    MONEYED,
    contact_name,
    currency_field,
    full_name_sql,
    person_copy,
    record_types,
    with_name_parts,
    with_persons,
    with_record_types,
)
from pipelines.local_org.catalog.model import (
    Catalog,
    ChildRelationship,
    Field,
    PicklistValue,
    SObject,
    literal,
)
from pipelines.local_org.catalog.setup import FieldSetup, OrgSetup
from pipelines.local_org.catalog.setup_file import SetupError

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "org.yaml"
_COMPACT = re.compile(r"(\w+)(?:\(([^)]*)\))?\s*(\w*)")
_CUSTOM_TYPES = {
    "Text": ("string", 255),
    "TextArea": ("textarea", 255),
    "LongTextArea": ("textarea", 32768),
    "Email": ("email", 80),
    "Phone": ("phone", 40),
    "Url": ("url", 255),
    "Checkbox": ("boolean", 0),
    "Number": ("double", 0),
    "Currency": ("currency", 0),
    "Percent": ("percent", 0),
    "Date": ("date", 0),
    "DateTime": ("datetime", 0),
    "Picklist": ("picklist", 255),
    "MultiselectPicklist": ("multipicklist", 4099),
    "Lookup": ("reference", 18),
}
LONGEST_INDEXED = 255
"""Longer texts can be neither filtered, sorted nor grouped by."""
UNGROUPED = frozenset({"datetime", "double", "currency", "percent", "multipicklist"})
"""Types whose fields cannot be grouped by, as every recorded describe says."""
Picklists = dict[tuple[str, str], tuple[PicklistValue, ...]]
"""Object and field → values."""
_SYSTEM_FIELDS = (
    Field("Id", "Record ID", "id", 18, nillable=False, defaulted=True, id_lookup=True),
    Field("IsDeleted", "Deleted", "boolean", nillable=False, defaulted=True),
    Field("CreatedDate", "Created Date", "datetime", nillable=False, defaulted=True),
    Field(
        "CreatedById",
        "Created By ID",
        "reference",
        18,
        nillable=False,
        defaulted=True,
        references=("User",),
        relationship="CreatedBy",
    ),
    Field("LastModifiedDate", "Last Modified Date", "datetime", nillable=False, defaulted=True),
    Field(
        "LastModifiedById",
        "Last Modified By ID",
        "reference",
        18,
        nillable=False,
        defaulted=True,
        references=("User",),
        relationship="LastModifiedBy",
    ),
    Field("SystemModstamp", "System Modstamp", "datetime", nillable=False, defaulted=True),
)


def load_catalog(setup: OrgSetup) -> Catalog:
    """The catalog of an org with this set-up."""
    declared: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "objects.yaml").read_text())
    relationships = _relationships()
    recorded = _recorded_fields("fields.csv")
    picklists = _picklists(setup)
    objects = []
    for name, entry in declared.items():
        if entry.get("only") == "multi_currency" and not setup.switches.multi_currency:
            continue
        fields = recorded.get(name, []) + list(_compact_fields(entry))
        fields += [custom_field(n, f) for n, f in setup.fields.get(name, {}).items()]
        fields = [
            replace(f, restricted=f.restricted or f"{name}.{f.name}" in setup.restricted_picklists)
            for f in fields
        ]
        fields = [_staged(f, setup) if name == "Opportunity" else f for f in fields]
        fields = [replace(f, values=picklists.get((name, f.name), f.values)) for f in fields]
        objects.append(
            SObject(
                name=name,
                label=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name),
                plural=entry["plural"],
                prefix=entry["prefix"],
                verbs=frozenset(entry["verbs"].split()),
                fields=tuple(_switched(setup, name, fields, picklists)),
                children=relationships.get(name, ()),
                record_types=record_types(setup, name),
            )
        )
    catalog = Catalog(tuple(objects))
    for place in setup.restricted_picklists:
        sobject = catalog.get(place.partition(".")[0])
        field = sobject.get(place.partition(".")[2]) if sobject is not None else None
        if field is None or field.type not in {"picklist", "multipicklist"}:
            raise SetupError(f"restricted_picklists: {place} names no picklist")
    return catalog


def _switched(
    setup: OrgSetup, name: str, fields: list[Field], picklists: Picklists
) -> Iterator[Field]:
    """The fields of an object as the switches of the org have them."""
    switches = setup.switches
    if switches.person_accounts:
        fields = with_persons(name, fields, _person_fields(setup, picklists))
    fields = with_name_parts(switches, fields)
    if switches.state_and_country_picklists:
        fields = list(with_codes(fields))
    if switches.multi_currency and name in MONEYED:
        fields = [*fields, currency_field(setup, name)]
    fields = list(with_record_types(fields, name, record_types(setup, name)))
    names = {field.name for field in fields}
    return (_derived(field, names) for field in fields)


def custom_field(name: str, setup: FieldSetup) -> Field:
    """The field that a custom field's set-up declares."""
    kind, length = _CUSTOM_TYPES[setup.type]
    numeric = kind in {"double", "currency", "percent"}
    return Field(
        name=name,
        label=setup.label,
        type=kind,
        length=setup.length or length,
        precision=setup.precision if numeric else 0,
        scale=setup.scale if numeric else 0,
        nillable=not setup.required and kind != "boolean",
        createable=True,
        updateable=True,
        defaulted=kind == "boolean",
        id_lookup=setup.external_id or setup.unique,
        filterable=setup.type != "LongTextArea",
        sortable=setup.type != "LongTextArea",
        groupable=setup.type != "LongTextArea" and kind not in UNGROUPED,
        references=(setup.refers_to,) if setup.refers_to else (),
        relationship=name.removesuffix("__c") + "__r" if kind == "reference" else None,
        restricted=setup.restricted,
        custom=True,
        external_id=setup.external_id,
        unique=setup.unique,
        case_sensitive=setup.case_sensitive,
        default=setup.default,
        values=tuple(
            PicklistValue(v, setup.labels.get(v, v), v == setup.default, v not in setup.inactive)
            for v in setup.values
        ),
        help_text=setup.help_text,
    )


def _person_fields(setup: OrgSetup, picklists: Picklists) -> list[Field]:
    """What accounts gain by person accounts, custom fields of contacts included."""
    custom = setup.fields.get("Contact", {})
    copied = [person_copy(custom_field(name, field)) for name, field in custom.items()]
    recorded = _recorded_fields("person_fields.csv")["Account"]
    return copied + [
        replace(
            field,
            values=picklists.get(("Contact", contact_name(field) or ""), ()),
            restricted=field.restricted
            or f"Contact.{contact_name(field)}" in setup.restricted_picklists,
        )
        for field in recorded
    ]


def _recorded_fields(file: str) -> dict[str, list[Field]]:
    fields: dict[str, list[Field]] = defaultdict(list)
    with (FOLDER / file).open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            fields[row["object"]].append(
                Field(
                    name=row["field"],
                    label=row["label"],
                    type=row["type"],
                    length=int(row["length"] or 0),
                    precision=int(row["precision"] or 0),
                    scale=int(row["scale"] or 0),
                    digits=int(row["digits"] or 0),
                    nillable=row["nillable"] == "1",
                    createable=row["createable"] == "1",
                    updateable=row["updateable"] == "1",
                    defaulted=row["defaultedOnCreate"] == "1",
                    id_lookup=row["idLookup"] == "1",
                    filterable=row["filterable"] == "1",
                    sortable=row["sortable"] == "1",
                    groupable=row["groupable"] == "1",
                    name_field=row["nameField"] == "1",
                    compound=row["compoundFieldName"] or None,
                    references=tuple(row["referenceTo"].split()),
                    relationship=row["relationshipName"] or None,
                    restricted=row["restrictedPicklist"] == "1",
                )
            )
    return fields


def _compact_fields(entry: dict[str, Any]) -> Iterator[Field]:
    if entry.get("system"):
        yield from _SYSTEM_FIELDS
    for name, text in entry.get("fields", {}).items():
        match = _COMPACT.fullmatch(text)
        if match is None:
            raise ValueError(f"objects.yaml: cannot read field {name}: {text!r}")
        kind, arguments, letters = match[1], match[2] or "", set(match[3])
        numbers = [int(n) for n in arguments.split(",")] if arguments[:1].isdigit() else []
        reference = kind == "reference"
        is_long = kind == "textarea" and numbers[0] > LONGEST_INDEXED
        yield Field(
            name=name,
            label=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name),
            type=kind,
            length=18 if reference else (numbers[0] if len(numbers) == 1 and kind != "int" else 0),
            precision=numbers[0] if len(numbers) == 2 else 0,
            scale=numbers[1] if len(numbers) == 2 else 0,
            digits=numbers[0] if kind == "int" and numbers else 0,
            nillable="N" in letters,
            createable="C" in letters,
            updateable="U" in letters,
            defaulted="D" in letters,
            id_lookup="K" in letters,
            filterable=not is_long,
            sortable=not is_long,
            groupable=not is_long and kind not in UNGROUPED,
            name_field="F" in letters,
            unique=name == "Username",
            references=tuple(arguments.split()) if reference else (),
            relationship=name.removesuffix("Id") if reference else None,
        )


def _picklists(setup: OrgSetup) -> Picklists:
    picklists: dict[tuple[str, str], list[PicklistValue]] = defaultdict(list)
    with (FOLDER / "picklists.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            picklists[row["object"], row["field"]].append(
                PicklistValue(
                    row["value"], row["label"], row["default"] == "1", row["active"] == "1"
                )
            )
    if setup.lead_statuses:
        picklists["Lead", "Status"] = [
            PicklistValue(s.label, s.label, default=s.default) for s in setup.lead_statuses
        ]
    stages = setup.opportunity_stages
    picklists["Opportunity", "StageName"] = [PicklistValue(s.label, s.label) for s in stages]
    return {place: tuple(values) for place, values in picklists.items()}


def _staged(field: Field, setup: OrgSetup) -> Field:
    """A field of opportunities as the org's stages give it its meaning."""
    stages = setup.opportunity_stages
    if field.name == "Probability":
        return replace(field, by_stage=tuple((s.label, str(s.probability)) for s in stages))
    if field.name == "ForecastCategoryName":
        return replace(field, by_stage=tuple((s.label, s.forecast) for s in stages))
    if field.name in {"IsClosed", "IsWon"}:
        labels = [s.label for s in stages if s.won or (s.closed and field.name == "IsClosed")]
        listed = ", ".join(literal(label.lower()) for label in labels) or "null"
        # Braces would be taken for a place to fill in.
        listed = listed.replace("{", "{{").replace("}", "}}")
        test = f'coalesce(lower({{t}}."StageName") in ({listed}), false)'
        return replace(field, virtual_sql=test)
    return field


def _relationships() -> dict[str, tuple[ChildRelationship, ...]]:
    declared = yaml.safe_load((FOLDER / "relationships.yaml").read_text())
    return {
        parent: tuple(
            ChildRelationship(
                child.partition(".")[0], child.partition(".")[2], entry["name"], entry["on_delete"]
            )
            for child, entry in children.items()
        )
        for parent, children in declared.items()
    }


def _derived(field: Field, siblings: set[str]) -> Field:
    """Fields that Salesforce composes instead of storing."""
    if field.name == "Name" and {"FirstName", "LastName"} <= siblings and not field.createable:
        return replace(field, virtual_sql=full_name_sql(siblings))
    if field.name == "PhotoUrl":
        return replace(field, virtual_sql="'/services/images/photo/' || {t}.\"Id\"")
    if field.name == "IsEmailBounced":
        return replace(field, virtual_sql='({t}."EmailBouncedDate" is not null)')
    return field
