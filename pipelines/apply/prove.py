"""Stage 10 at work: what was written is read back, and the ledger learns what the org holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.apply.proofs import judge, nothing
from pipelines.org.snapshot import refresh
from pipelines.sync.ledger import Ledger

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan
    from pipelines.sync.prove import Proof


def prove(project: Project, stem: str, saved: Plan) -> Proof:
    """Read back what a plan wrote by one mapping, and compare value by value.

    Writes ``proof.parquet`` and ``proof.json`` beside the outcomes, and lets the ledger know what
    the org stored. To be called under the org's lock, once the plan's segment is written. The org
    is not asked where nothing was written.

    Raises:
        SalesforceError: the org did not answer; the next snapshot proves it.
    """
    object_name = saved.objects[stem].object
    book = Ledger.of(project.org_home(saved.organization_id), object_name)
    if book.segment(saved.plan_id, stem) is None:
        return nothing(saved, stem)
    with project.org() as org:
        refreshed = refresh(project, org, object_name)
    return judge(project, stem, saved, refreshed.mirror.user_id)
