"""Taking back a batch: one that died and was resumed, or was run twice, was sent by several plans.

They are undone newest first, each against what the org holds once the newer ones are: what several
of them wrote comes back step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.sync.apply.journal import FOLDER
from pipelines.sync.plan.saved import HEADER, read_header
from pipelines.undo.carry_out import Undone, carry_out
from pipelines.undo.make import UNDO, NothingToUndo, plan_undo, writes

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan


def plan_undos(project: Project, day: date) -> list[Plan]:
    """The inverse of every plan of a batch that wrote something that stands, newest first.

    To be called under the org's lock. What a newer plan of the batch has written, too, the undo of
    an older one holds, as that is to be undone before.

    Raises:
        ConfigError, SalesforceError: as ``plan_undo``; also where no plan is left to be undone.
    """
    reasons = [f"nothing of batch {day} is to be undone"]
    saved = []
    for plan_id in _applied(project, day):
        try:
            saved.append(plan_undo(project, plan_id))
        except NothingToUndo as nothing:
            reasons.append(str(nothing))
    if not saved:
        raise ConfigError("\n".join(reasons))
    return saved


def carry_out_each(
    project: Project, planned: Sequence[Plan]
) -> Iterator[tuple[Plan, Undone | None]]:
    """Undo each of them in turn, all but the first planned anew; none where nothing is to be sent.

    Raises:
        Blocked, SalesforceError: as ``carry_out``; what was undone before stays so, and undoing the
            batch again goes on.
    """
    for place, shown in enumerate(planned):
        try:
            saved = plan_undo(project, shown.undoes or "") if place else shown
        except NothingToUndo:  # it stood in the way of nobody
            yield shown, None
        else:
            yield saved, carry_out(project, saved) if writes(saved) else None


def _applied(project: Project, day: date) -> list[str]:
    """Plans of a batch for the bound org of which rows may have been sent, newest first."""

    def age(path: Path) -> tuple[str, int]:
        return read_header(path)["created_at"], path.stat().st_mtime_ns

    headers = (project.home / "plans").glob(f"{day}-*/{HEADER}")
    applied = [path for path in headers if (path.parent / FOLDER).exists()]
    return [
        path.parent.name
        for path in sorted(applied, key=age, reverse=True)
        for header in [read_header(path)]
        if header.get("kind") != UNDO and header["organization_id"] == project.bound_org
    ]
