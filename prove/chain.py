"""One batch in a process of its own: ``python -m prove.chain HOME WHAT DAY``.

The stages run as the assets run them but without the orchestrator, whose start takes longer than
they do. Ends as the command would: 0 all well, 3 run it again, and says why.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from bench.stages import STAGES
from pipelines.apply.prove import prove
from pipelines.commands.failures import exit_code
from pipelines.plan.make import newest
from pipelines.relations import prepare
from pipelines.salesforce import jobs
from pipelines.undo.make import carry_out, plan_undo
from prove.batch import project_at

if TYPE_CHECKING:
    from pipelines.project import Project


def run(home: Path, what: str, day: date) -> int:
    """Run all stages, or only some; or undo what they wrote. Returns an exit code."""
    project = project_at(home)
    stages = [*STAGES]
    names = {"all": stages, "plan": stages[:-1], "apply": stages[-1:], "undo": []}[what]
    prepare(project)
    sys.audit("prove.begin")
    try:
        for name in names:
            STAGES[name](project, day)
        if what == "undo":
            _undo(project, day)
        elif "apply" in names:
            _prove(project, day)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


def _undo(project: Project, day: date) -> None:
    carry_out(project, plan_undo(project, newest(project, day).plan_id))


def _prove(project: Project, day: date) -> None:
    saved = newest(project, day)
    for name in saved.objects:
        prove(project, name, saved)


if __name__ == "__main__":
    jobs.PATIENCE = float(os.environ.get("PROVE_PATIENCE", jobs.PATIENCE))
    sys.exit(run(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3])))
