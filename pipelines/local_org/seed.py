"""The records that every org has from the start: its organization, users, queues, statuses."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb

from pipelines.local_org import ids
from pipelines.local_org.catalog.model import Catalog
from pipelines.local_org.catalog.setup import OrgSetup
from pipelines.local_org.store.store import Store

Record = dict[str, Any]
KeyedRecord = tuple[str, str, Record]
"""An object, the fields that a record of it is known by, and the record."""


def seed(store: Store, catalog: Catalog, setup: OrgSetup, state: dict[str, Any]) -> None:
    """Write the set-up's records into tables that are empty, and new ones the set-up gained.

    A record is known by its object and its name; what a person changed through the API stays. The
    organization alone is what the set-up says of it, at each start.
    """
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0, tzinfo=None)
    system = {
        "IsDeleted": False,
        "CreatedDate": moment,
        "CreatedById": state["user_id"],
        "LastModifiedDate": moment,
        "LastModifiedById": state["user_id"],
        "SystemModstamp": moment,
    }
    with store.write() as connection:
        profile = _add(store, connection, catalog, "Profile", "Name", _profile() | system)
        for name, key_fields, record in _records(setup, state, profile):
            _add(store, connection, catalog, name, key_fields, system | record)
        _renew(connection, catalog, *_organization(setup, state), moment)
        _add_queue_members(store, connection, catalog, setup, system)
        _grant_everything(store, connection, catalog, profile, system)


def _profile() -> Record:
    return {"Name": "System Administrator", "UserType": "Standard"}


def _organization(setup: OrgSetup, state: dict[str, Any]) -> KeyedRecord:
    about = setup.organization
    return (
        "Organization",
        "Id",
        {
            "Id": state["organization_id"],
            "Name": about.name,
            "Country": about.country,
            "OrganizationType": about.type,
            "IsSandbox": about.sandbox,
            "InstanceName": about.instance,
            "DefaultLocaleSidKey": about.language,
            "LanguageLocaleKey": about.language,
            "TimeZoneSidKey": about.time_zone,
            "FiscalYearStartMonth": 1,
            "UsesStartDateAsFiscalYearName": False,
        },
    )


def _renew(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    name: str,
    key: str,
    record: Record,
    moment: dt.datetime,
) -> None:
    """Give a record the values of the set-up, and the moment where that changes any."""
    table = catalog[name].table
    values = {field: value for field, value in record.items() if field != key}
    changed = " or ".join(f'"{field}" is distinct from ?' for field in values)
    settings = ", ".join(f'"{field}" = ?' for field in values)
    connection.execute(
        f'update {table} set {settings}, "LastModifiedDate" = ?, "SystemModstamp" = ? '
        f'where "{key}" = ? and ({changed})',
        [*values.values(), moment, moment, record[key], *values.values()],
    )


def _records(setup: OrgSetup, state: dict[str, Any], profile: str) -> Iterator[KeyedRecord]:
    yield _organization(setup, state)
    yield from _users(setup, state, profile)
    for order, status in enumerate(setup.lead_statuses, start=1):
        yield (
            "LeadStatus",
            "MasterLabel",
            {
                "MasterLabel": status.label,
                "ApiName": status.label,
                "SortOrder": order,
                "IsDefault": status.default,
                "IsConverted": status.converted,
            },
        )
    for queue in setup.queues:
        yield (
            "Group",
            "DeveloperName",
            {
                "Name": queue.name,
                "DeveloperName": queue.developer_name,
                "Type": "Queue",
                "DoesSendEmailToMembers": False,
            },
        )
    for rule in setup.assignment_rules:
        values = {"Name": rule.name, "SobjectType": rule.object, "Active": rule.active}
        yield "AssignmentRule", "Name", values
    for money in setup.currencies if setup.switches.multi_currency else ():
        yield (
            "CurrencyType",
            "IsoCode",
            {
                "IsoCode": money.iso,
                "ConversionRate": money.rate,
                "DecimalPlaces": money.decimal_places,
                "IsActive": money.active,
                "IsCorporate": money.corporate,
            },
        )
    for kind in setup.record_types:
        yield (
            "RecordType",
            "SobjectType DeveloperName",
            {
                "Name": kind.name,
                "DeveloperName": kind.developer_name,
                "SobjectType": kind.object,
                "IsActive": kind.active,
                "IsPersonType": kind.person,
            },
        )


def _users(setup: OrgSetup, state: dict[str, Any], profile: str) -> Iterator[KeyedRecord]:
    about = setup.organization
    standard = {
        "ProfileId": profile,
        "UserType": "Standard",
        "TimeZoneSidKey": about.time_zone,
        "LocaleSidKey": about.language,
        "LanguageLocaleKey": about.language,
        "EmailEncodingKey": "UTF-8",
    }
    for user in (setup.user, *setup.users):
        own = user is setup.user
        yield (
            "User",
            "Username",
            standard
            | ({"Id": state["user_id"]} if own else {})
            | {
                "Username": state["username"] if own else user.username or user.email,
                "FirstName": user.first_name,
                "LastName": user.last_name,
                "Email": user.email.lower(),
                "Alias": (user.first_name or "")[:1].lower() + user.last_name[:4].lower(),
                "IsActive": user.active,
            },
        )


def _add_queue_members(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    setup: OrgSetup,
    system: Record,
) -> None:
    for queue in setup.queues:
        group = _add(
            store,
            connection,
            catalog,
            "Group",
            "DeveloperName",
            {"DeveloperName": queue.developer_name},
        )
        for name in queue.objects:
            record = system | {"QueueId": group, "SobjectType": name}
            _add(store, connection, catalog, "QueueSobject", "QueueId SobjectType", record)


def _grant_everything(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    profile: str,
    system: Record,
) -> None:
    """Give the profile its permission set, as real ones have, and each of its users that set."""
    granted = _add(
        store,
        connection,
        catalog,
        "PermissionSet",
        "ProfileId",
        system
        | {
            "Name": f"X{profile[:15]}",
            "Label": profile[:15],
            "IsOwnedByProfile": True,
            "ProfileId": profile,
            "PermissionsViewAllData": True,
            "PermissionsModifyAllData": True,
        },
    )
    users = connection.execute(
        f'select "Id" from {catalog["User"].table} where "ProfileId" = ? and "Id" not in'
        f' (select "AssigneeId" from {catalog["PermissionSetAssignment"].table}'
        ' where "PermissionSetId" = ?)',
        [profile, granted],
    ).fetchall()
    for [user] in users:
        new_id = {"Id": store.new_id(catalog["PermissionSetAssignment"].prefix)}
        record = system | new_id | {"PermissionSetId": granted, "AssigneeId": user}
        _add(store, connection, catalog, "PermissionSetAssignment", "Id", record)


def _add(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    name: str,
    key_fields: str,
    record: Record,
) -> str:
    """Insert a record unless one with the same values of `key_fields` exists; its id."""
    sobject = catalog[name]
    names = key_fields.split()
    test = " and ".join(f'"{name}" = ?' for name in names)
    existing_ids = connection.execute(
        f'select "Id" from {sobject.table} where {test}', [record[name] for name in names]
    ).fetchall()
    if existing_ids:
        existing: str = existing_ids[0][0]
        return existing
    record_id: str = record.get("Id") or store.new_id(sobject.prefix)
    if "Id" in record and sobject.name == "User":
        store.numbers(sobject.prefix, 1)
    values = record | {"Id": record_id, "_n": ids.record_number(record_id)}
    columns = ", ".join(f'"{column}"' for column in values)
    marks = ", ".join("?" for _ in values)
    connection.execute(
        f"insert into {sobject.table} ({columns}) values ({marks})", list(values.values())
    )
    return record_id
