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

from pipelines.batch import Batch
from pipelines.commands.failures import exit_code
from pipelines.plan.make import newest
from pipelines.plan.sweep import sweep_plans
from pipelines.recover import recover
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.salesforce import jobs
from pipelines.stages import STAGES, run_stage
from pipelines.undo.carry_out import carry_out
from pipelines.undo.make import plan_undo
from prove.batch import project_at

if TYPE_CHECKING:
    from pipelines.project import Project


def run(home: Path, what: str, day: date) -> int:
    """Run all stages, or only some; or undo what they wrote. Returns an exit code."""
    project = project_at(home)
    reading = [stage.name for stage in STAGES.values() if not stage.writes]
    writing = [name for name in STAGES if name not in reading]
    names = {
        "all": [*reading, *writing],
        "plan": reading,
        "apply": writing,
        "undo": [],
        "sweep": [],
    }[what]
    recover(project)
    prepare(project)
    sys.audit("prove.begin")
    try:
        for name in names:
            run_stage(name, Run(project, day))
        if what == "undo":
            _undo(project, day)
        if what == "sweep":
            sweep_plans(project)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


def _undo(project: Project, day: date) -> None:
    carry_out(project, plan_undo(project, newest(Batch(project, day)).plan_id))


if __name__ == "__main__":
    jobs.PATIENCE = float(os.environ.get("PROVE_PATIENCE", jobs.PATIENCE))
    sys.exit(run(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3])))
