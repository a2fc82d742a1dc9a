"""A home goes over to another org: what is true of one org alone goes aside, and comes back.

    <home>/orgs/<organization>/stage/<relation>    relations of an org that is not the bound one

Who is who stays. Mirror, ledger, plans and what an org said of rows are kept per organization in
any case. Whoever dies on the way leaves a note, by which the next command goes over to the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import files
from pipelines.changes import Change, Facts
from pipelines.relations import forget, of_one_org, prepare, show_org
from pipelines.sync.state import BOUND

if TYPE_CHECKING:
    from pipelines.project import Project


def switch(project: Project, organization_id: str) -> None:
    """Bind the home to another org. To be called when nobody else works on the home."""
    SWITCH.carry_out(project, {"to": organization_id})


def _go_over(project: Project, facts: Facts) -> None:
    bound, to = project.bound_org, facts["to"]
    forget(project)  # what comes back may have been made by another version
    if bound != to:
        if bound is not None:
            for relation in of_one_org(project):
                _move(project.warehouse.folder(relation), _aside(project, bound) / relation)
        files.write(project.home / BOUND, to)
    for folder in _folders(_aside(project, to)):
        _move(folder, project.warehouse.folder(folder.name))
    prepare(project)
    show_org(project)


SWITCH = Change("switch", _go_over)


def is_stranded(project: Project) -> bool:
    """Whether relations of the bound org lie aside: a program without notes died on its way."""
    bound = project.bound_org
    return bound is not None and any(_folders(_aside(project, bound)))


def put_back(project: Project) -> None:
    """Let relations of the bound org that lie aside come back."""
    if is_stranded(project):
        SWITCH.carry_out(project, {"to": project.bound_org})


def _aside(project: Project, organization_id: str) -> Path:
    return project.org_home(organization_id) / "stage"


def _folders(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.iterdir()) if folder.exists() else ()


def _move(source: Path, target: Path) -> None:
    """Let a relation lie elsewhere; of a day that lies in both places, the one made last stays."""
    if not source.exists():
        return
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        return
    for path in _folders(source):
        other = target / path.name
        if not other.exists():
            path.rename(other)
        elif other.stat().st_mtime_ns < path.stat().st_mtime_ns:
            _remove(other)
            path.rename(other)
    shutil.rmtree(source)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
