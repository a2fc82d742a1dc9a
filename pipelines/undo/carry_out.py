"""Carrying out an undo: its plan is applied, children first, and proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.apply.objects import apply_plan
from pipelines.apply.prove import prove
from pipelines.batch import Batch
from pipelines.plan.guards import heed_guards
from pipelines.sync.plan.saved import Plan, load_plan
from pipelines.undo import released
from pipelines.undo.children import children_of_records
from pipelines.undo.released import note_undone, prune_undone
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.apply.objects import Outcomes
    from pipelines.sync.apply.send import Progress
    from pipelines.sync.prove import Proof


@dataclass(frozen=True)
class Undone:
    """An undo that was carried out, mapping by mapping, children first."""

    saved: Plan
    outcomes: Sequence[Outcomes]
    proofs: Sequence[Proof]


def carry_out(project: Project, saved: Plan, progress: Progress | None = None) -> Undone:
    """Apply the plan of an undo and prove it. To be called under the org's lock.

    Raises:
        Blocked: it deletes more than ``guards.max_delete`` allows, and nobody has released it.
        SalesforceError: the org could not be talked to; undo the same plan again to go on.
    """
    heed_guards(Batch(project, saved.day), saved)
    plan = load_plan(project.home, saved.undoes or "")
    outcomes, proofs = [], []
    with released.UNDO.noted(project, {"plan": saved.plan_id}):
        note_undone(project, plan, saved)
        for name in saved.objects:
            barred = _kept_for_children(project, saved, name)
            outcome = apply_plan(project, saved, name, progress, barred=barred)
            outcomes.append(outcome)
            prune_undone(project, saved, outcome)
            proofs.append(prove(project, name, saved))
    return Undone(saved, outcomes, proofs)


def _kept_for_children(project: Project, saved: Plan, stem: str) -> Mapping[str, str]:
    """Key → why a record is not deleted after all: children of it could not be undone before."""
    deletes = f"select sf_id, key from {parquet_sql(saved.payload(stem))}"
    name = saved.objects[stem].object
    with project.org() as org, project.warehouse.connect() as connection:
        query = f"{deletes} where action = 'delete'"
        keys = dict(connection.execute(query).fetchall())
        return {
            keys[sf_id]: reason
            for sf_id, reason in children_of_records(org, name, list(keys), set()).items()
        }
