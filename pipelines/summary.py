"""What became of a batch, in numbers, read from the relations on disk and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from pipelines.errors import Problem
from pipelines.plan.groups import unknown_groups
from pipelines.sources.cells import Cells, LeftOut
from pipelines.sources.land import (
    cells,
    refused,
    remarks,
    unclear_consent,
    unread_consent,
    withheld,
)
from pipelines.sources.relations import RAW
from pipelines.sync.mapping.addresses import LEFT_OUT
from pipelines.sync.mapping.folder import children_of
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.childless import left_childless_sql
from pipelines.sync.plan.row import ACTIONS
from pipelines.validate.cells import PARTS, blanked_sql, rejected_sql
from pipelines.validate.reasons import by_source, reasons
from pipelines.warehouse import Warehouse, parquet_sql

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping

ENTITIES = tuple(name.removeprefix("raw_") for name in RAW)


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
    skipped: int = 0
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
        childless: accounts that were made for people whom the org refused, with their Ids and why.
        undecided: how many rows of it a line in ``decisions.csv`` would let go.
        ungrouped: sources with customers in groups that have no name there, with the first file.
        skipped: sObject → which option of the run left rows of the newest plan out → how many; they
            are in every later plan.
        unselected: persons in scope whom no source selects; of them nothing but an opt-out goes.
        refused: files that could not be read, with why and what to do.
        withheld: source → header → filled cells of it that did not land, as they are secrets.
        cells: source → where the filled cells of its files are.
        rejections: source → why rows were rejected → how many; a row counts for each reason.
        remarks: what was found out or left out of files that were read, each with its file.
        unread_consent: columns that look like consent and that nothing reads, with what to say.
        unclear_consent: texts that should say yes or no to mail, and do not, with where they stand.
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
    childless: tuple[str, ...] = ()
    undecided: int = 0
    ungrouped: tuple[Problem, ...] = ()
    skipped: dict[str, dict[str, int]] = field(default_factory=dict)
    unselected: int = 0
    refused: tuple[Problem, ...] = ()
    withheld: dict[str, dict[str, int]] = field(default_factory=dict)
    cells: dict[str, Cells] = field(default_factory=dict)
    rejections: dict[str, dict[str, int]] = field(default_factory=dict)
    remarks: tuple[Problem, ...] = ()
    unread_consent: tuple[str, ...] = ()
    unclear_consent: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """Rows that a person must look at: refused by the rules or by Salesforce, or held."""
        by_salesforce = sum(
            counts.rejected + counts.held + counts.unknown for counts in self.objects.values()
        )
        by_rules = sum(counts.rejected for counts in self.sources.values())
        return by_salesforce + by_rules

    @property
    def incomplete(self) -> bool:
        """Whether anything of the batch waits for a person, be it a row or a file."""
        return bool(self.rejected or self.refused)

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
            "childless": facts["childless"],
            "undecided": facts["undecided"],
            "ungrouped": facts["ungrouped"],
            "skipped": facts["skipped"],
            "unselected": facts["unselected"],
            "refused": facts["refused"],
            "withheld": facts["withheld"],
            "cells": facts["cells"],
            "rejections": facts["rejections"],
            "remarks": facts["remarks"],
            "unread_consent": facts["unread_consent"],
            "unclear_consent": facts["unclear_consent"],
        }


def summary(project: Project, day: date) -> Summary:
    """Count one batch; what was never made counts as nothing, and mappings of one object as one."""
    warehouse = project.warehouse
    totals = Summary(day, refused=refused(warehouse, day), withheld=withheld(warehouse, day))
    totals.cells = cells(warehouse, day)
    totals.rejections = by_source(reasons(warehouse, day))
    totals.remarks = remarks(warehouse, day)
    totals.unread_consent = tuple(map(str, unread_consent(warehouse, day)))
    totals.unclear_consent = tuple(map(str, unclear_consent(warehouse, day)))
    totals.ungrouped = tuple(unknown_groups(project, [day]))
    with warehouse.connect() as connection:
        for entity in ENTITIES:
            _count_rows(totals, warehouse, connection, entity)
            _count_cells(totals, warehouse, connection, entity)
        _count_entities(totals, warehouse, connection)
        _count_unselected(totals, warehouse, connection)
        for mapping in project.object_mappings.values():
            _count_object(totals, warehouse, connection, mapping)
            _count_left_out(totals, warehouse, connection, mapping)
            _count_waiting(totals, warehouse, connection, mapping)
            _count_childless(totals, project, connection, mapping)
    return totals


def batches(warehouse: Warehouse) -> list[date]:
    """The days that have landed, in order."""
    return sorted({day for raw in RAW for day in warehouse.days(raw)})


def _count_rows(
    totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, entity: str
) -> None:
    for outcome, stage in (("landed", "raw"), ("valid", "valid"), ("rejected", "rejected")):
        path = warehouse.path(f"{stage}_{entity}", totals.batch)
        for source, rows in _counted(connection, path, "_source"):
            counts = totals.sources.setdefault(source, SourceCounts())
            setattr(counts, outcome, getattr(counts, outcome) + rows)


def _count_cells(
    totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, entity: str
) -> None:
    valid, rejected = f"valid_{entity}", warehouse.path(f"rejected_{entity}", totals.batch)
    if not warehouse.path(valid, totals.batch).exists() or not rejected.exists():
        return
    warehouse.bind(connection, valid, [totals.batch])  # an older file lacks the column
    for source, *reason in connection.execute(blanked_sql(valid)).fetchall():
        counts = totals.cells.setdefault(source, Cells())
        counts.reasons.append(LeftOut(*reason))
        counts.left_out += 0 if reason[1] in PARTS else reason[2]
    for source, number in connection.execute(
        rejected_sql(rejected, RAW[f"raw_{entity}"])
    ).fetchall():
        totals.cells.setdefault(source, Cells()).rejected += number


def _count_entities(totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection) -> None:
    [(totals.people, records)] = _rows(
        connection,
        warehouse.path("people", totals.batch),
        "count(*), coalesce(sum(source_records), 0)::bigint",
        nothing=(0, 0),
    )
    totals.duplicates_joined = records - totals.people
    accounts = warehouse.path("accounts", totals.batch)
    [(totals.accounts,)] = _rows(connection, accounts, "count(*)", nothing=(0,))
    state = warehouse.home / "state"
    # Keys outlive a batch that was withdrawn; only whoever still has a record is there.
    [(totals.people_total,)] = _rows(
        connection, state / "member.parquet", "count(distinct person_key)", nothing=(0,)
    )
    [(totals.accounts_total,)] = _rows(
        connection, state / "account_member.parquet", "count(distinct account_key)", nothing=(0,)
    )


def _count_object(
    totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, mapping: ObjectMapping
) -> None:
    name, relations = (
        mapping.object,
        (relation(stage, mapping.stem) for stage in ("salesforce", "plan")),
    )
    answered, planned = (warehouse.path(relation_name, totals.batch) for relation_name in relations)
    counts = totals.objects.setdefault(name, ObjectCounts())
    for outcome, rows in _counted(connection, answered, "outcome"):
        if outcome in ObjectCounts.__dataclass_fields__:
            setattr(counts, outcome, getattr(counts, outcome) + rows)
    actions = totals.planned.setdefault(name, dict.fromkeys(ACTIONS, 0))
    for action, rows in _counted(connection, planned, "action"):
        if action in actions:
            actions[action] += rows


def _count_left_out(
    totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, mapping: ObjectMapping
) -> None:
    name = relation("sf", mapping.stem)
    if not warehouse.path(name, totals.batch).exists():
        return
    warehouse.bind(connection, name, [totals.batch])  # an older file lacks the column
    [(rows,)] = connection.execute(_left_out_sql(name)).fetchall()
    if rows:
        totals.left_out[mapping.object] = totals.left_out.get(mapping.object, 0) + rows


def _count_waiting(
    totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection, mapping: ObjectMapping
) -> None:
    name = relation("plan", mapping.stem)
    if not warehouse.path(name, totals.batch).exists():
        return
    warehouse.bind(connection, name, [totals.batch])  # an older file lacks a column
    for reason, rows, undecided in connection.execute(_waiting_sql(name)).fetchall():
        reasons = totals.waiting.setdefault(mapping.object, {})
        reasons[reason] = reasons.get(reason, 0) + rows
        totals.undecided += undecided
    for reason, rows in connection.execute(_skipped_sql(name)).fetchall():
        reasons = totals.skipped.setdefault(mapping.object, {})
        reasons[reason] = reasons.get(reason, 0) + rows


def _count_unselected(
    totals: Summary, warehouse: Warehouse, connection: DuckDBPyConnection
) -> None:
    if warehouse.path("people", totals.batch).exists():
        warehouse.bind(connection, "people", [totals.batch])  # an older file lacks the column
        [(totals.unselected,)] = connection.execute(_unselected_sql()).fetchall()


def _unselected_sql() -> str:
    return "select count(*) from people where not selected"


def _skipped_sql(name: str) -> str:
    return f"""\
select reason, count(*)
from {name}
where action = 'skip'
group by reason
order by count(*) desc, reason"""


def _count_childless(
    totals: Summary, project: Project, connection: DuckDBPyConnection, mapping: ObjectMapping
) -> None:
    """Of an object that others belong to, what was made for nobody; once all of it was applied."""
    children = children_of(project.object_mappings, mapping)
    stems = (mapping.stem, *children)
    names = [relation(stage, stem) for stem in stems for stage in ("plan", "salesforce")]
    warehouse, day = project.warehouse, totals.batch
    if not children or not all(warehouse.path(name, day).exists() for name in names):
        return
    for name in names:
        warehouse.bind(connection, name, [day])
    rows = connection.execute(left_childless_sql(mapping, children)).fetchall()
    totals.childless += tuple(
        f"{mapping.object} {name} ({sf_id}): {why}" for name, sf_id, why in rows
    )


def _waiting_sql(name: str) -> str:
    return f"""\
select coalesce(reason, 'held') as reason, count(*), count(decide)
from {name}
where action = 'hold' or decide is not null
group by coalesce(reason, 'held')
order by count(*) desc, reason"""


def _left_out_sql(name: str) -> str:
    return f"select count({LEFT_OUT}) from {name}"


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
    return f"select {columns} from {parquet_sql(path)} {tail}"
