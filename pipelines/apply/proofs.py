"""What reading back found: each plan's values compared with the mirror, told and kept.

<home>/plans/<plan_id>/applied/contact/proof.json       counts by field
<home>/plans/<plan_id>/applied/contact/proof.parquet    every value that is not stored as sent
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.batch import Batch
from pipelines.files import read_json, reading, write
from pipelines.org import describes
from pipelines.sync import ledger
from pipelines.sync.apply.journal import Journal
from pipelines.sync.ledger import Ledger
from pipelines.sync.plan.saved import (
    HEADER,
    ObjectPlan,
    Plan,
    load_plan,
    parts_of,
    payload_name,
    read_header,
)
from pipelines.sync.prove import (
    BY_OTHERS,
    RECORD,
    FieldProof,
    Proof,
    counts_sql,
    differing_sql,
    later_too_sql,
    tally_sql,
)
from pipelines.undo.released import forget_remade
from pipelines.warehouse import literal, parquet_sql, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project


def judge(project: Project, stem: str, saved: Plan, user_id: str) -> Proof:
    """Compare what a plan wrote by one mapping with the mirror, which must be up to date."""
    home, part = project.org_home(saved.organization_id), saved.objects[stem]
    object_name = part.object
    segment = Ledger.of(home, object_name).segment(saved.plan_id, stem)
    path = proof_path(saved.folder, stem)
    if segment is None:
        return nothing(saved, stem)
    schema = describes.last_described(home / "describe", object_name)
    with Batch(project, saved.day).connect() as connection:
        project.bind_org(connection, object_name, "records")
        query = differing_sql(
            segment,
            saved.payload(stem),
            part,
            schema,
            records="records",
            user_id=user_id,
        )
        connection.execute(f"create temp table differing as {query}")
        written = dict(connection.execute(counts_sql(segment, part)).fetchall())
        tally = connection.execute(tally_sql("differing")).fetchall()
        order = [part.key_field, *part.types, RECORD]
        proof = Proof(saved.plan_id, object_name, tuple(_fields(written, tally, order)), path)
        ledger.store(connection, segment, saved.plan_id, f"({_STORED})")
        write_parquet(connection, "select * from differing order by field, key", path)
        forget_remade(connection, home, object_name, segment)
    _write_counts(proof)
    return proof


def add_later(
    project: Project, connection: DuckDBPyConnection, object_name: str, user_id: str
) -> None:
    """Let the proofs of plans name what the org has changed since they were read back.

    Args:
        project: whose plans.
        connection: has the table ``later``, as ``pipelines.sync.automation.later_sql`` makes it.
        object_name: of the records.
        user_id: Id of the user we write as, who was the last to touch them.
    """
    for [plan_id] in connection.execute("select distinct plan_id from later").fetchall():
        folder = project.home / "plans" / plan_id
        if not (folder / HEADER).exists():  # a folded ledger names none
            continue
        for part in parts_of(read_header(folder / HEADER)):
            if part.object == object_name:
                _add_later(connection, folder, part, user_id)


def _add_later(
    connection: DuckDBPyConnection, folder: Path, part: ObjectPlan, user_id: str
) -> None:
    path = proof_path(folder, part.stem)
    if not _counts(path).exists():
        return
    written = {field.field: field.written for field in _read_counts(path)}
    payload = folder / payload_name(part.stem)
    write_parquet(connection, later_too_sql(path, payload, folder.name, user_id), path)
    tally = connection.execute(tally_sql(parquet_sql(path))).fetchall()
    fields = tuple(_fields(written, tally, [*written]))
    _write_counts(Proof(folder.name, part.object, fields, path))


def nothing(saved: Plan, stem: str) -> Proof:
    """The proof of a plan that wrote nothing by a mapping."""
    path = proof_path(saved.folder, stem)
    return Proof(saved.plan_id, saved.objects[stem].object, (), path)


def catch_up(project: Project, organization_id: str, object_name: str, user_id: str) -> list[Proof]:
    """Prove what no run came to prove: its org went away, or its process died.

    The mirror must be up to date.
    """
    book = Ledger.of(project.org_home(organization_id), object_name)
    return [
        judge(project, stem, load_plan(project.home, plan_id), user_id)
        for plan_id, stem in book.unproven()
        if (project.home / "plans" / plan_id).exists()
    ]


def proof_path(plan: Path, stem: str) -> Path:
    """Where a mapping's values that are not stored as sent are kept; counts lie beside it."""
    return Journal.of(plan, stem).folder / "proof.parquet"


def recorded(saved: Plan) -> list[Proof]:
    """What reading back found of a plan, for each mapping that was proven."""
    proofs = []
    for stem, part in saved.objects.items():
        path = proof_path(saved.folder, stem)
        if _counts(path).exists():
            proofs.append(Proof(saved.plan_id, part.object, _read_counts(path), path))
    return proofs


def newest_proven(project: Project) -> Plan | None:
    """The newest plan of which something was read back."""
    return max(_proven_plans(project), key=lambda plan: plan.created_at, default=None)


def proven(project: Project) -> list[Proof]:
    """What reading back found of all plans together, one proof for each object."""
    plans = sorted(_proven_plans(project), key=lambda plan: plan.created_at)
    proofs_of: dict[str, list[Proof]] = {name: [] for name in project.objects}
    for proof in (proof for plan in plans for proof in recorded(plan)):
        proofs_of.setdefault(proof.object, []).append(proof)
    return [
        Proof(
            plan_id=proofs[-1].plan_id,
            object=name,
            fields=tuple(field for proof in proofs for field in proof.fields),
            path=proofs[-1].path,
        )
        for name, proofs in proofs_of.items()
        if proofs
    ]


def _proven_plans(project: Project) -> list[Plan]:
    proof_files = (project.home / "plans").glob("[!.]*/applied/*/proof.json")
    names = {path.parents[2].name for path in proof_files}
    plans = (load_plan(project.home, name) for name in sorted(names))
    return [plan for plan in plans if plan.organization_id == project.bound_org]


# What somebody else made of a value is not what the org stored of ours: it stays a difference.
_STORED = (
    "select key, field, stored from differing"
    f" where verdict <> {literal(BY_OTHERS)} and field <> {literal(RECORD)}"
)


def _fields(
    written: Mapping[str, int], tally: Sequence[Sequence[Any]], order: Sequence[str]
) -> Iterator[FieldProof]:
    counts_of = {field: counts for field, *counts in tally}
    for name in order:
        if name in written:
            by_automation, by_others, not_stored, example = counts_of.get(name, (0, 0, 0, None))
            yield FieldProof(
                name,
                written[name],
                by_automation,
                by_others,
                not_stored,
                (example[0], example[1]) if example else None,
            )


def _read_counts(path: Path) -> tuple[FieldProof, ...]:
    counts = _counts(path)
    with reading(counts):
        return tuple(map(_field, read_json(counts)["fields"]))


def _field(facts: Mapping[str, Any]) -> FieldProof:
    example = facts["example"]
    return FieldProof(**{**facts, "example": tuple(example) if example else None})


def _write_counts(proof: Proof) -> None:
    facts = {
        "read_back_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "fields": [asdict(field) for field in proof.fields],
    }
    write(_counts(proof.path), json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _counts(path: Path) -> Path:
    return path.with_suffix(".json")
