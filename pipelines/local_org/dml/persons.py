"""The contact behind each person account: made with it, and the same as it ever after."""

import duckdb

from pipelines.local_org.catalog.features import contact_name, full_name_sql
from pipelines.local_org.catalog.model import Catalog, SObject, quoted
from pipelines.local_org.ids import record_id_sql
from pipelines.local_org.store.history import Update, Write, note, update
from pipelines.local_org.store.store import Store

COMMON = (
    "OwnerId",
    "Phone",
    "Fax",
    "CurrencyIsoCode",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "IsDeleted",
)
"""What account and contact have alike, where the org has it."""
IS_PERSON = (
    't."RecordTypeId" in (select "Id" from records."RecordType" where "IsPersonType") '
    "and t._n = w._n and w._error is null"
)
STAMPS = frozenset(COMMON[4:9])
"""What of them says when and by whom, not what."""


def follow(
    store: Store, connection: duckdb.DuckDBPyConnection, catalog: Catalog, user: str
) -> None:
    """Bring the contacts behind the person accounts of `work` up to date, and make new ones."""
    account, contact = catalog["Account"], catalog["Contact"]
    connection.execute(_name_sql(account))
    connection.execute(
        "create or replace temp table behind as select t._n, row_number() over (order by t._n) - 1 "
        f'as place from {account.table} t, work w where {IS_PERSON} and t."PersonContactId" is null'
    )
    [(count,)] = connection.execute("select count(*) from behind").fetchall()
    if count:
        first = store.numbers(contact.prefix, count)
        connection.execute(_link_sql(account, contact, store.pod, first))
        connection.execute(_make_sql(account, contact, first))
        note(store, Write(contact.name, "insert", user, first=first, count=count))
    update(store, _update(account, contact), "update", user)


def _name_sql(account: SObject) -> str:
    names = {field.name for field in account.fields}
    return (
        f'update {account.table} t set "IsPersonAccount" = true, '
        f'"Name" = {full_name_sql(names, "t")} '
        f"from work w where {IS_PERSON}"
    )


def _link_sql(account: SObject, contact: SObject, pod: str, first: int) -> str:
    new_id = record_id_sql(contact.prefix, pod, first, "behind.place")
    return (
        f'update {account.table} t set "PersonContactId" = {new_id} '
        "from behind where t._n = behind._n"
    )


def _make_sql(account: SObject, contact: SObject, first: int) -> str:
    columns = {
        "_n": f"{first} + behind.place",
        '"Id"': 't."PersonContactId"',
        '"AccountId"': 't."Id"',
        '"IsPersonAccount"': "true",
    }
    booleans = {f.column: "false" for f in contact.stored if f.type == "boolean"}
    shared = _shared(account, contact, "t")
    columns = booleans | columns | {quoted(name): value for name, value in shared.items()}
    return (
        f"insert into {contact.table} ({', '.join(columns)}) select {', '.join(columns.values())} "
        f"from behind join {account.table} t on t._n = behind._n"
    )


def _update(account: SObject, contact: SObject) -> Update:
    followed = _shared(account, contact, "a")
    persons = f"select t.* from {account.table} t, work w where {IS_PERSON}"
    return Update(
        contact,
        {name: value for name, value in followed.items() if name not in STAMPS},
        't."Id" = a."PersonContactId"',
        f"({persons}) a",
        {name: value for name, value in followed.items() if name in STAMPS},
    )


def _shared(account: SObject, contact: SObject, alias: str) -> dict[str, str]:
    """The contact's fields that follow the account, and the account's columns that they follow."""
    shared = {
        contact[name].name: f"{alias}.{account[name].column}"
        for name in COMMON
        if account.get(name) is not None and contact.get(name) is not None
    }
    for field in account.stored:
        target = contact.get(contact_name(field) or "")
        if target is not None and target.stored:
            shared[target.name] = f"{alias}.{field.column}"
    return shared
