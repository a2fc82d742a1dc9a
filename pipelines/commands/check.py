"""``causeway check``: everything people wrote, before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from pipelines.commands import failures
from pipelines.commands.environment import (
    Json,
    command,
    current_project,
    err,
    out,
    print_json,
    readable_path,
    strays,
)
from pipelines.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pipelines.project import Project


MOST = 12
"""Lines of drift that are shown."""


def check(as_json: Json = False) -> None:
    """Check sources, policies, mappings, decisions: unknown keys, columns, fields, types, lengths.

    Every problem is listed with its file and line. Fields are checked against the org; where it
    is down against the copy saved beside the mappings, or the newest snapshot. What the org says
    otherwise than the saved copy, and a decision that decides nothing, is told and is no problem.
    Nothing is run or written.

      causeway check && causeway sync
    """
    project = current_project()
    problems: list[Problem] = []
    read = [
        _collect(problems, lambda: project.sources),
        _collect(problems, lambda: project.policies),
        _collect(problems, lambda: project.object_mappings),
    ]
    if read[0]:
        read.append(_collect(problems, lambda: project.decisions))
    if read[0] and read[1]:
        problems += strays(project)
    drift: list[str] = []
    notices: list[Problem] = []
    if all(read):
        _collect(problems, lambda: _check_fields(project, drift))
        notices = [*_notices(project), *_exposed(project)]
    if as_json:
        print_json(
            {
                "problems": [asdict(problem) for problem in problems],
                "drift": drift,
                "notices": [asdict(notice) for notice in notices],
            }
        )
    else:
        _show_drift(drift)
        for notice in notices:
            out.print(str(notice), style="yellow", markup=False)
        for problem in problems:
            err.print(str(problem), style="red", markup=False)
        if not problems:
            out.print(f"All well: {readable_path(project.mappings)}", markup=False)
    if problems:
        raise typer.Exit(failures.WRONG)


def _collect(problems: list[Problem], read: Callable[[], object]) -> bool:
    """Whether ``read`` found nothing wrong; what it found goes to ``problems``."""
    try:
        read()
    except ConfigError as error:
        problems += error.problems or [Problem("orgs.yaml", None, str(error))]
        return False
    return True


def _show_drift(drift: list[str]) -> None:
    if not drift:
        return
    out.print("The org says otherwise than the saved copy (causeway org describe --save):")
    for line in drift[:MOST]:
        out.print(f"  {line}", style="yellow", markup=False)
    if len(drift) > MOST:
        out.print(f"  and {len(drift) - MOST} more: causeway org describe", style="yellow")


def _notices(project: Project) -> list[Problem]:
    from pipelines.plan.decided import notices

    return notices(project)


def _exposed(project: Project) -> list[Problem]:
    """That others can read the home, in one line."""
    from pipelines.rights import exposed

    paths = exposed(project)
    message = f"others may read or change {len(paths):,} files and folders; {command()} home secure"
    return [Problem(str(project.home), None, message)] if paths else []


def _check_fields(project: Project, drift: list[str]) -> None:
    from pipelines.commands.described import described
    from pipelines.org.snapshot import check_against
    from pipelines.relations import prepare

    prepare(project)
    description = described(project)
    drift += description.drift
    check_against(project, description.schema)
