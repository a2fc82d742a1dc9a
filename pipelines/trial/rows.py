"""The first rows of a file as the records they would become, and how many there are of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sync.mapping.golden import PEOPLE
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.persons import consent_of
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.opt_outs import unanswered_keys_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch
    from pipelines.sync.mapping.model import ObjectMapping


@dataclass(frozen=True)
class Record:
    """A record as a mapping sends it when it is created.

    Attributes:
        object: what it is of.
        key: by which we know it.
        values: field → value in wire form; what is blank is not sent. Another record that is
            created as well stands by its name.
        waits: why it is not written as things are; none if it is.
    """

    object: str
    key: str
    values: Mapping[str, str]
    waits: str | None


@dataclass(frozen=True)
class Row:
    """One row of the file.

    Attributes:
        line: on which it begins.
        why: why its records are what they are, such as the list that asks for leads.
        records: what it becomes, the person before the account; none where it was rejected.
        rejected: every reason.
    """

    line: int
    why: str | None
    records: tuple[Record, ...]
    rejected: tuple[str, ...]


def rows(
    batch: Batch, connection: DuckDBPyConnection, entity: str, most: int
) -> tuple[tuple[Row, ...], dict[str, int]]:
    """The first rows, and object → how many records all rows would become."""
    for stage in ("stg", "valid", "rejected"):
        batch.bind_table(connection, f"{stage}_{entity}")
    for name in ("person_links", "account_links", "routes"):
        batch.bind_table(connection, name)
    found = connection.execute(_rows_sql(entity), [most]).fetchall()
    keys = {key for *_, person, account in found for key in (person, account) if key}
    records, counts = _records(batch, connection, keys)
    names = {key: one.values["Name"] for key, one in records.items() if "Name" in one.values}
    shown = tuple(
        Row(
            line=line,
            why=why if person and not reasons else None,
            records=tuple(
                _by_name(records[key], names)
                for key in (person, account)
                if key in records and not reasons
            ),
            rejected=tuple(reasons or ()),
        )
        for line, reasons, why, person, account in found
    )
    return shown, counts


def _records(
    batch: Batch, connection: DuckDBPyConnection, keys: Iterable[str]
) -> tuple[dict[str, Record], dict[str, int]]:
    """Key → record, of those keys; and how many records there are of each object."""
    found: dict[str, Record] = {}
    counts: dict[str, int] = {}
    for stem, mapping in batch.mappings.items():
        name = relation("sf", stem)
        batch.bind_table(connection, name)
        [(number,)] = connection.execute(f"select count(*) from {name}").fetchall()
        counts[mapping.object] = counts.get(mapping.object, 0) + number
        unanswered = _unanswered(batch, connection, mapping)
        query = _records_sql(name, mapping.enabled())
        table = connection.sql(query, params=[sorted(keys)]).to_arrow_table()
        for row in table.to_pylist():
            waits = row.pop("waits") or None
            key = str(row.pop("key"))
            values = {field: value for field, value in row.items() if value is not None}
            if key in unanswered:
                values[consent_of(mapping.object).opt_out] = "true"
            found[key] = Record(mapping.object, key, values, waits)
    return found, {name: number for name, number in counts.items() if number}


def _unanswered(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> set[str]:
    """The keys of those who have not answered clearly; who is made, is opted out by the plan."""
    opt_out = consent_of(mapping.object).opt_out
    if mapping.from_ != PEOPLE or opt_out not in mapping.enabled():
        return set()
    batch.bind_table(connection, PEOPLE)
    return {key for [key] in connection.execute(unanswered_keys_sql(mapping)).fetchall()}


def _by_name(record: Record, names: Mapping[str, str]) -> Record:
    """The record with other records called by their names, not by our keys."""
    values = {field: _named(value, names) for field, value in record.values.items()}
    return Record(record.object, record.key, values, record.waits)


def _named(value: str, names: Mapping[str, str]) -> str:
    return names.get(value.rpartition(":")[2], value) if value.startswith("@") else value


def _rows_sql(entity: str) -> str:
    # Of rows with one id each has an id of its own from validation on.
    return f"""\
with first_rows as (
    select staged.source, valid.source_id, staged._file, staged._row
    from stg_{entity} as staged
    left join valid_{entity} as valid on valid._file = staged._file and valid._row = staged._row
    order by staged._file, staged._row
    limit $1
),

reasons as (
    select
        _file,
        _row,
        list_transform(
            reasons, lambda one: concat_ws(': ', nullif(one.field, ''), one.message)
        ) as reasons
    from rejected_{entity}
)

select
    first_rows._row,
    reasons.reasons,
    routes.reason,
    links.person_key,
    accounts.account_key
from first_rows
left join reasons on reasons._file = first_rows._file and reasons._row = first_rows._row
left join person_links as links
    on links.source = first_rows.source and links.source_id = first_rows.source_id
left join routes on routes.entity_key = links.person_key
left join account_links as accounts on accounts.person_key = links.person_key
order by first_rows._file, first_rows._row"""


def _records_sql(name: str, fields: Iterable[str]) -> str:
    listed = "".join(f", {quoted(field)}" for field in fields)
    waits = "concat_ws('; ', _held, _held_new, _excluded) as waits"
    return f"select key{listed}, {waits} from {name} where list_contains($1, key)"
