"""A golden person or account and the source records it is made of, as they lie in the home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.sync.explain import (
    ADDRESSES,
    OF_ADDRESS,
    OF_MEMBER,
    USED_FOR,
    SourceRecord,
    SourceValue,
    origin,
    ranked,
)
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project

MEMBERS = 100
"""People of an account who are asked where one of its values comes from."""


class Golden:
    """One golden entity.

    Attributes:
        people: the person, or members of the account, the one that counts most first; each with
            the source records known of them, ranked.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection,
        account: dict[str, Any] | None,
        people: Sequence[tuple[dict[str, Any], list[SourceRecord]]],
    ) -> None:
        self._connection, self._account, self.people = connection, account, people

    def source_values(self) -> list[SourceValue]:
        """Every source record, as one line of where it stands."""
        return [
            SourceValue(
                value=_title(record),
                source=record["source"],
                source_id=record["source_id"],
                entity=record["entity"],
                file=record["_file"],
                line=record["_row"],
                as_of=record["as_of"],
            )
            for _, records in self.people
            for record in records
        ]

    def origins(self, columns: Sequence[str]) -> tuple[list[SourceValue], list[SourceValue]]:
        """Who gave the values of some golden columns, and who said something else."""
        gave: dict[SourceValue, None] = {}
        others: dict[SourceValue, None] = {}
        for column in columns:
            source_value, other_values = self._origin(column)
            if source_value is not None:
                gave[source_value] = None
            others |= dict.fromkeys(other_values)
        return list(gave), list(others)

    def _origin(self, column: str) -> tuple[SourceValue | None, list[SourceValue]]:
        if self._account is None:
            [(person, records)] = self.people or [({}, [])]
            return self._of_person(column, _value(person, column), records)
        person_column, value = OF_MEMBER.get(column), self._account.get(column)
        if person_column is None or value is None:
            return None, []
        for person, records in self.people:
            if _value(person, person_column) == value:
                return self._of_person(person_column, value, records)[0], []
        return None, []

    def _of_person(
        self, column: str, value: Any, records: Sequence[SourceRecord]
    ) -> tuple[SourceValue | None, list[SourceValue]]:
        text = None if value is None else _text(value)
        gave, others = origin(column, text, records)
        return (None if gave is None else self._at_address(gave, column)), others

    def _at_address(self, source_value: SourceValue, column: str) -> SourceValue:
        """The line of the address, where a customer's or an order's stand in rows of their own."""
        block, _, address_part = column.partition("_")
        part, use = (address_part, USED_FOR[block]) if block in USED_FOR else (column, None)
        if source_value.entity not in ADDRESSES or part not in OF_ADDRESS:
            return source_value
        relation, owner = ADDRESSES[source_value.entity]
        query = _address_sql(relation, owner, OF_ADDRESS[part], use)
        rows = self._connection.execute(
            query, [source_value.source, source_value.source_id, source_value.value]
        ).fetchall()
        return replace(source_value, file=rows[0][0], line=rows[0][1]) if rows else source_value


def read_golden(
    project: Project,
    connection: DuckDBPyConnection,
    relation: Literal["people", "accounts"],
    key: str,
) -> Golden:
    """A golden entity by its key; one that no batch knows any more has no people."""
    for name in ("people", "accounts", "account_links", "person_links", "person_records"):
        project.warehouse.bind(connection, name, project.warehouse.days(name), f"every_{name}")
    for name in ("person", "member", "account", "account_member"):
        connection.execute(_state_sql(name, project.state.published(name)))
    for name, _ in ADDRESSES.values():
        project.warehouse.bind(connection, name, project.warehouse.days(name))
    if relation == "people":
        return Golden(connection, None, list(_people(connection, _PERSON, key)))
    accounts = _rows(connection, _ACCOUNT, key)
    members = list(_people(connection, _MEMBERS, key))
    return Golden(connection, accounts[0] if accounts else {}, members)


def _people(
    connection: DuckDBPyConnection, query: str, key: str
) -> list[tuple[dict[str, Any], list[SourceRecord]]]:
    return [
        (person, ranked(_rows(connection, _RECORDS, person["person_key"])))
        for person in _rows(connection, query, key)
    ]


def _rows(connection: DuckDBPyConnection, query: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(query, params=[key]).to_arrow_table().to_pylist()
    return rows


_PERSON = """\
select people.*, links.name as belongs_to
from every_people as people
join state_person as person on person.person_key = people.person_key and person.batch = people.batch
left join every_account_links as links
    on links.person_key = people.person_key and links.batch = people.batch
where people.person_key = $1"""

_ACCOUNT = """\
select accounts.*
from every_accounts as accounts
join state_account as account
    on account.account_key = accounts.account_key and account.batch = accounts.batch
where accounts.account_key = $1"""

_MEMBERS = f"""\
select people.*, member.name as belongs_to
from state_account_member as member
join state_person as person on person.person_key = member.person_key
join every_people as people
    on people.person_key = person.person_key and people.batch = person.batch
where member.account_key = $1
order by people.is_customer desc, people.as_of desc, people.person_key
limit {MEMBERS}"""

_RECORDS = """\
with

versions as (
    select links.record, links.batch
    from every_person_links as links
    join state_member as member on member.record = links.record
    where member.person_key = $1
    qualify row_number() over (
        partition by links.record order by links.as_of desc, links.batch desc
    ) = 1
)

select records.*
from versions
join every_person_records as records
    on records.record = versions.record and records.batch = versions.batch"""


def _state_sql(name: str, path: Path) -> str:
    return f"create temp view state_{name} as select * from {parquet_sql(path)}"


def _address_sql(relation: str, owner: str, column: str, use: str | None) -> str:
    """Where a part of an address stands; of several addresses the one of that use comes first."""
    if use is None:
        first = ""
    elif relation == "valid_order_addresses":
        first = f"address_type = '{use}' desc, "
    else:
        first = f"coalesce(is_default_{use}, false) desc, "
    return (
        f"select _file, _row from {relation}"
        f" where source = $1 and {owner} = $2 and {quoted(column)} = $3"
        f" order by {first}as_of desc, _batch desc limit 1"
    )


def _value(person: dict[str, Any], column: str) -> Any:
    """What a person's column holds; of the account that they belong to, its name."""
    return person.get("belongs_to" if column in ("account_key", "account_name") else column)


def _title(record: SourceRecord) -> str:
    """How people would call a source record."""
    name = " ".join(filter(None, (record["first_name"], record["last_name"])))
    return name or record["email"] or record["company"] or record["source_id"]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
