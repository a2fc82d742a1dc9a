"""A plan that has nothing to do need not be made again while all that it was made from stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.memo import Memo
from pipelines.plan.guards import digests
from pipelines.plan.scope import widened_digest
from pipelines.plan.withdrawn import withdrawn
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.row import WRITES
from pipelines.sync.undo import undone_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.batch import Batch
    from pipelines.sync.plan.saved import Plan


def is_quiet(saved: Plan) -> bool:
    """Whether a plan sends nothing."""
    return not any(part.counts.get(action) for part in saved.objects.values() for action in WRITES)


def plan_memo(batch: Batch) -> Memo:
    """What the day's ``plan_`` relations were made from: desired, org, ledger, and who waits."""
    first, *more_relations = (relation("plan", name) for name in batch.project.object_mappings)
    return batch.memo(first, _inputs(batch), *more_relations)


def _inputs(batch: Batch) -> Iterator[object]:
    project = batch.project
    home = project.org_home(project.bound_org or "")
    yield digests(project, batch.schema)
    yield project.choice
    yield widened_digest(batch)
    yield project.state.published("outcome")
    yield undone_path(home)
    yield withdrawn(project)
    for name in ("person_links", "account_links"):
        yield batch.path(name)
    for name in project.mirrored:
        yield from project.org_files(name)
    for stem in project.object_mappings:
        yield from (batch.path(relation(stage, stem)) for stage in STAGES_BEFORE)
    for name in project.objects:
        ledger = Ledger.of(home, name)
        yield from (*ledger.segments(), *ledger.corrections())


STAGES_BEFORE = ("sf", "org_match")
"""The stages before, of each mapping."""
