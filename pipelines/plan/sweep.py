"""Plans that nobody needs any more go; whatever undo, proof and explain go back to stays.

A plan of which a row was sent is kept for good. One that was never applied goes when a newer one of
its batch took its place, unless somebody released it, for a release lets a plan that does the same
pass; or when it is older than ``plans.keep_days``. So does one that was applied and wrote nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.changes import Change, Facts
from pipelines.files import read_text
from pipelines.plan.guards import RELEASED
from pipelines.sync.apply.journal import FOLDER, Journal
from pipelines.sync.plan.saved import HEADER, read_header

if TYPE_CHECKING:
    from pipelines.project import Project

POINTERS = "orgs/*/newest/*"
"""Files that name the newest plan of an org and day."""


@dataclass(frozen=True)
class _UnsentPlan:
    """A plan that may go.

    Attributes:
        applied: whether it was applied, though it sent nothing.
        rank: what a newer one of the same rank takes the place of.
    """

    folder: Path
    created_at: str
    applied: bool
    rank: tuple[str, ...]

    @property
    def released(self) -> bool:
        return (self.folder / RELEASED).exists()


def sweep_plans(project: Project, *, now: datetime | None = None) -> list[str]:
    """Remove plans that nobody needs; returns their ids. To be called under the org's lock."""
    before = (now or datetime.now(UTC)) - timedelta(days=project.policies.plans.keep_days)
    plans = sorted(_unsent(project.home), key=lambda plan: plan.created_at)
    newest = {plan.rank: plan for plan in plans}  # the last of each rank
    last = {plan.rank[0]: plan for plan in plans if plan.applied}  # scopes start from it
    pointed = {read_text(path) for path in project.home.glob(POINTERS)}
    deleted = []
    for plan in plans:
        old = datetime.fromisoformat(plan.created_at) < before
        named = plan.folder.name in pointed or newest[plan.rank] is plan
        superseded = not (plan.applied or named or plan.released)
        if (old and last.get(plan.rank[0]) is not plan) or superseded:
            deleted.append(plan.folder.name)
    if deleted:
        remove_plans(project, deleted)
    return deleted


def remove_plans(project: Project, plan_ids: Sequence[str]) -> None:
    """Remove plans, and what points to them. To be called under the org's lock."""
    SWEEP.carry_out(project, {"plans": plan_ids})


def _remove(project: Project, facts: Facts) -> None:
    for path in project.home.glob(POINTERS):
        if read_text(path) in facts["plans"]:
            path.unlink()
    for plan_id in facts["plans"]:
        folder = project.home / "plans" / plan_id
        hidden = folder.with_name(f".{plan_id}.gone")  # nobody finds a plan of which a part is left
        if folder.exists():
            folder.rename(hidden)
        if hidden.exists():
            shutil.rmtree(hidden)


SWEEP = Change("sweep", _remove)


def _unsent(home: Path) -> Iterator[_UnsentPlan]:
    """Plans of which no row was ever sent."""
    for path in (home / "plans").glob(f"[!.]*/{HEADER}"):
        folder = path.parent
        parts = list((folder / FOLDER).glob("*"))
        if any(not Journal(part).settled or any(Journal(part).answered()) for part in parts):
            continue
        header = read_header(path)
        purpose = header.get("undoes") or header["batch"]
        rank = (header["organization_id"], header.get("kind", "sync"), purpose)
        yield _UnsentPlan(folder, header["created_at"], bool(parts), rank)
