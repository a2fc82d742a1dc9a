"""A home goes over to another org: what is true of one org alone goes aside, and comes back.

    <home>/orgs/<organization>/stage/<relation>    relations of an org that is not the bound one

Who is who stays. Mirror, ledger, plans and what an org said of rows are kept per organization in
any case. A crash on the way leaves relations of stages 4 to 9 missing, which the next sync makes
again; they never stand under the wrong org.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.relations import forget, of_one_org, prepare, show_org
from pipelines.sync.state import BOUND
from pipelines.warehouse import publish

if TYPE_CHECKING:
    from pipelines.project import Project


def switch(project: Project, organization_id: str) -> None:
    """Bind the home to another org. To be called under the org's lock."""
    for current, aside in _places(project, project.bound_org):
        _move(current, aside)
    temporary = project.home / f".{BOUND}.tmp"
    temporary.write_text(organization_id, encoding="utf-8")
    publish(temporary, project.home / BOUND)
    for current, aside in _places(project, organization_id):
        _move(aside, current)
    forget(project)  # what came back may have been made by another version
    prepare(project)
    show_org(project)


def _places(project: Project, organization_id: str | None) -> Iterator[tuple[Path, Path]]:
    """Where each relation of an org lies while the org is bound, and while it is not."""
    if organization_id is not None:
        for relation in of_one_org(project):
            current = project.warehouse.folder(relation)
            yield current, project.org_home(organization_id) / "stage" / relation


def _move(source: Path, target: Path) -> None:
    if source.exists():
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
