"""What an org gains when an admin switches a feature on: record types, person accounts, currencies.

Sources: api-facts 5.1 and 5.6; the fields of person accounts were recorded from a real org.
"""

from collections.abc import Container, Iterator
from dataclasses import replace

from pipelines.local_org.catalog.model import Field, PicklistValue, RecordType, literal
from pipelines.local_org.catalog.setup import OrgSetup, SwitchSetup

MONEYED = frozenset(
    {"Account", "Contact", "Lead", "Opportunity", "Campaign", "CampaignMember", "Case", "User"}
)
"""Objects whose records have a currency in an org with several."""
PERSON = "Person"
SHARED = ("LastName", "FirstName", "Salutation", "MiddleName", "Suffix")
"""Fields of a person account that its contact has under the same name."""


def record_types(setup: OrgSetup, name: str) -> tuple[RecordType, ...]:
    """The record types of an object."""
    return tuple(
        RecordType(
            kind.developer_name,
            person=kind.person,
            default=kind.default,
            picklists={field: tuple(values) for field, values in kind.picklists.items()},
        )
        for kind in setup.record_types
        if kind.object == name
    )


def with_record_types(
    fields: list[Field], name: str, kinds: tuple[RecordType, ...]
) -> Iterator[Field]:
    """The fields of an object: `RecordTypeId` is one of them where there are record types."""
    yield from (field for field in fields if field.name != "RecordTypeId")
    if not kinds:
        return
    default = next((kind.developer_name for kind in kinds if kind.default), None)
    chosen = (
        None
        if default is None
        else '(select min("Id") from records."RecordType" '
        f'where "SobjectType" = {literal(name)} and "DeveloperName" = {literal(default)})'
    )
    yield Field(
        "RecordTypeId",
        "Record Type ID",
        "reference",
        18,
        createable=True,
        updateable=True,
        references=("RecordType",),
        relationship="RecordType",
        default_sql=chosen,
    )


def contact_name(account_field: Field) -> str | None:
    """The field of the contact behind a person account that one of the account stands for."""
    name = account_field.name
    if name in SHARED:
        return name
    if name.endswith("__pc"):
        return name.removesuffix("__pc") + "__c"
    if name == "PersonContactId" or account_field.type == "address":
        return None
    return name.removeprefix(PERSON) if name.startswith(PERSON) else None


def person_copy(field: Field) -> Field:
    """A custom field of contacts as person accounts show it."""
    return replace(
        field,
        name=field.name.removesuffix("__c") + "__pc",
        nillable=True,
        relationship=field.relationship and field.relationship.removesuffix("__r") + "__pr",
        unique=False,
    )


def with_persons(name: str, fields: list[Field], person_fields: list[Field]) -> list[Field]:
    """The fields of an object in an org with person accounts.

    Args:
        name: the object.
        fields: its fields without.
        person_fields: what accounts gain.
    """
    flag = Field("IsPersonAccount", "Is Person Account", "boolean", nillable=False, defaulted=True)
    if name == "Account":
        composed = [replace(f, nillable=True) if f.name == "Name" else f for f in fields]
        return composed + person_fields
    if name == "Contact":
        return [*fields, flag]
    if name == "Lead":
        return [replace(f, nillable=True) if f.name == "Company" else f for f in fields]
    return fields


NAME_PARTS = ("FirstName", "MiddleName", "LastName", "Suffix")
"""What the name of a person is composed of, in this order."""


def full_name_sql(names: Container[str], alias: str = "{t}") -> str:
    """The name of a person, from those parts of it that the object has."""
    parts = ", ".join(f'{alias}."{name}"' for name in NAME_PARTS if name in names)
    return f"concat_ws(' ', {parts})"


def with_name_parts(switches: SwitchSetup, fields: list[Field]) -> list[Field]:
    """The fields of people in an org with middle names or suffixes; those of all else as is."""
    first = next((field for field in fields if field.name == "FirstName"), None)
    if first is None:
        return fields
    added = (
        (switches.middle_names, "MiddleName", "Middle Name"),
        (switches.name_suffixes, "Suffix", "Suffix"),
    )
    parts = [replace(first, name=name, label=label) for wanted, name, label in added if wanted]
    return fields + parts


def currency_field(setup: OrgSetup, name: str) -> Field:
    """What objects whose records have a currency of their own gain by several currencies."""
    corporate = next(one.iso for one in setup.currencies if one.corporate)
    return Field(
        "CurrencyIsoCode",
        f"{name} Currency",
        "picklist",
        3,
        createable=True,
        updateable=True,
        defaulted=True,
        restricted=True,
        default=corporate,
        values=tuple(PicklistValue(c.iso, c.name or c.iso, active=c.active)
                     for c in setup.currencies),
    )  # fmt: skip
