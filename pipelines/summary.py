"""What became of a batch, in numbers, read from the relations on disk and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from pipelines.sources.relations import RAW
from pipelines.sync.mapping.addresses import LEFT_OUT
from pipelines.sync.plan.build import ACTIONS
from pipelines.warehouse import Warehouse, literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

ENTITIES = tuple(name.removeprefix("raw_") for name in RAW)
OBJECTS = ("account", "contact", "lead")


@dataclass
class SourceCounts:
    """Rows of one source: landed = valid + rejected."""

    landed: int = 0
    valid: int = 0
    rejected: int = 0


@dataclass
class ObjectCounts:
    """What Salesforce answered for the records of one object."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    rejected: int = 0
    converted: int = 0
    merged: int = 0
    deleted: int = 0
    unknown: int = 0


@dataclass
class Summary:
    """One batch.

    Attributes:
        sources: source → its rows.
        people: persons in the batch's scope; ``people_total`` all who have a record.
        accounts: companies in the batch's scope; ``accounts_total`` all that have a person.
        duplicates_joined: source records in scope that turned out to be somebody known.
        objects: sObject → what Salesforce answered.
        planned: sObject → rows of the newest plan by action.
        left_out: sObject → records with a country or state that the org does not list.
        waiting: sObject → why rows of the newest plan wait, the most frequent reason first.
        undecided: how many rows of it a line in ``decisions.csv`` would let go.
    """

    batch: date
    sources: dict[str, SourceCounts] = field(default_factory=dict)
    people: int = 0
    people_total: int = 0
    accounts: int = 0
    accounts_total: int = 0
    duplicates_joined: int = 0
    objects: dict[str, ObjectCounts] = field(default_factory=dict)
    planned: dict[str, dict[str, int]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, dict[str, int]] = field(default_factory=dict)
    undecided: int = 0

    @property
    def rejected(self) -> int:
        """Rows that a person must look at: refused by the rules or by Salesforce, or held."""
        by_salesforce = sum(
            counts.rejected + counts.held + counts.unknown for counts in self.objects.values()
        )
        return by_salesforce + sum(counts.rejected for counts in self.sources.values())

    @property
    def written(self) -> int:
        """Records that this batch changed in Salesforce."""
        return sum(
            counts.created + counts.updated + counts.converted + counts.merged + counts.deleted
            for counts in self.objects.values()
        )

    def document(self) -> dict[str, Any]:
        """As plain data, under the names that scripts read."""
        facts = asdict(self)
        entities = ("people", "people_total", "accounts", "accounts_total", "duplicates_joined")
        return {
            "batch": facts["batch"].isoformat(),
            "sources": facts["sources"],
            "entities": {name: facts[name] for name in entities},
            "objects": facts["objects"],
            "planned": facts["planned"],
            "left_out": facts["left_out"],
            "waiting": facts["waiting"],
            "undecided": facts["undecided"],
        }


def summary(warehouse: Warehouse, day: date) -> Summary:
    """Count one batch; what was never made counts as nothing."""
    found = Summary(day)
    with warehouse.connect() as connection:
        for entity in ENTITIES:
            _count_rows(found, warehouse, connection, entity)
        _count_entities(found, warehouse, connection)
        for name in OBJECTS:
            _count_object(found, warehouse, connection, name)
            _count_left_out(found, warehouse, connection, name)
            _count_waiting(found, warehouse, connection, name)
    return found


def batches(warehouse: Warehouse) -> list[date]:
    """The days that have landed, in order."""
    return sorted({day for relation in RAW for day in warehouse.days(relation)})


def _count_rows(
    found: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, entity: str
) -> None:
    for what, relation in (("landed", "raw"), ("valid", "valid"), ("rejected", "rejected")):
        path = warehouse.path(f"{relation}_{entity}", found.batch)
        for source, rows in _counted(connection, path, "_source"):
            counts = found.sources.setdefault(source, SourceCounts())
            setattr(counts, what, getattr(counts, what) + rows)


def _count_entities(found: Summary, warehouse: Warehouse, connection: DuckDBPyConnection) -> None:
    [(found.people, records)] = _rows(
        connection,
        warehouse.path("people", found.batch),
        "count(*), coalesce(sum(source_records), 0)::bigint",
        nothing=(0, 0),
    )
    found.duplicates_joined = records - found.people
    accounts = warehouse.path("accounts", found.batch)
    [(found.accounts,)] = _rows(connection, accounts, "count(*)", nothing=(0,))
    state = warehouse.home / "state"
    # Keys outlive a batch that was withdrawn; only whoever still has a record is there.
    [(found.people_total,)] = _rows(
        connection, state / "member.parquet", "count(distinct person_key)", nothing=(0,)
    )
    [(found.accounts_total,)] = _rows(
        connection, state / "account_member.parquet", "count(distinct account_key)", nothing=(0,)
    )


def _count_object(
    found: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, name: str
) -> None:
    outcomes = dict(
        _counted(connection, warehouse.path(f"salesforce_{name}", found.batch), "outcome")
    )
    actions = dict(_counted(connection, warehouse.path(f"plan_{name}", found.batch), "action"))
    known = ObjectCounts.__dataclass_fields__
    found.objects[name.capitalize()] = ObjectCounts(
        **{outcome: rows for outcome, rows in outcomes.items() if outcome in known}
    )
    found.planned[name.capitalize()] = {action: actions.get(action, 0) for action in ACTIONS}


def _count_left_out(
    found: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, name: str
) -> None:
    relation = f"sf_{name}"
    if not warehouse.path(relation, found.batch).exists():
        return
    warehouse.bind(connection, relation, [found.batch])  # an older file lacks the column
    [(rows,)] = connection.execute(_left_out_sql(relation)).fetchall()
    if rows:
        found.left_out[name.capitalize()] = rows


def _count_waiting(
    found: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, name: str
) -> None:
    relation = f"plan_{name}"
    if not warehouse.path(relation, found.batch).exists():
        return
    warehouse.bind(connection, relation, [found.batch])  # an older file lacks a column
    reasons = connection.execute(_waiting_sql(relation)).fetchall()
    if reasons:
        found.waiting[name.capitalize()] = {reason: rows for reason, rows, _ in reasons}
    found.undecided += sum(undecided for *_, undecided in reasons)


def _waiting_sql(relation: str) -> str:
    return f"""\
select coalesce(reason, 'held') as reason, count(*), count(decide)
from {relation}
where action = 'hold' or decide is not null
group by coalesce(reason, 'held')
order by count(*) desc, reason"""


def _left_out_sql(relation: str) -> str:
    return f"select count({LEFT_OUT}) from {relation}"


def _counted(connection: DuckDBPyConnection, path: Path, column: str) -> list[tuple[str, int]]:
    return _rows(connection, path, f"{column}, count(*)", tail=f"group by {column} order by all")


def _rows(
    connection: DuckDBPyConnection,
    path: Path,
    columns: str,
    *,
    tail: str = "",
    nothing: Iterable[Any] = (),
) -> list[Any]:
    """Rows of one Parquet file; where it is missing, the row ``nothing``, if there is any."""
    if not path.exists():
        return [tuple(nothing)] if nothing else []
    return connection.execute(_select_sql(path, columns, tail)).fetchall()


def _select_sql(path: Path, columns: str, tail: str) -> str:
    return f"select {columns} from read_parquet({literal(path)}) {tail}"
