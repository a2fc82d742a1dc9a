"""A plan that has nothing to do need not be made again while all that it was made from stays."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipelines.memo import Memo
from pipelines.org.snapshot import read_schema
from pipelines.plan.guards import digests
from pipelines.plan.scope import widened_digest
from pipelines.plan.withdrawn import withdrawn
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.row import WRITES
from pipelines.sync.undo import undone_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan


def is_quiet(saved: Plan) -> bool:
    """Whether a plan sends nothing."""
    return not any(part.counts.get(action) for part in saved.objects.values() for action in WRITES)


def plan_memo(project: Project, day: date) -> Memo:
    """What the day's ``plan_`` relations were made from: desired, org, ledger, and who waits."""
    first, *others = (relation("plan", name) for name in project.object_mappings)
    return project.memo(first, day, _made_from(project, day), *others)


def _made_from(project: Project, day: date) -> Iterator[object]:
    home = project.org_home(project.bound_org or "")
    yield digests(project, read_schema(project, day))
    yield widened_digest(project, day)
    yield project.state.published("outcome")
    yield undone_path(home)
    yield withdrawn(project)
    for name in ("person_links", "account_links"):
        yield project.warehouse.path(name, day)
    for name in project.mirrored:
        yield from project.org_files(name)
    for stem in project.object_mappings:
        yield from (project.warehouse.path(relation(stage, stem), day) for stage in MADE_FROM)
    for name in project.objects:
        ledger = Ledger.of(home, name)
        yield from (*ledger.segments(), *ledger.corrections())


MADE_FROM = ("sf", "org_match")
"""The stages before, of each mapping."""
