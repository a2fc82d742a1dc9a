"""One batch in a process of its own: ``python -m prove.chain HOME [all | apply]``.

The stages run as the assets run them but without the orchestrator, whose start takes longer than
they do. Ends as the command would: 0 all well, 3 run it again, and says why.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.stages import STAGES
from pipelines.commands.failures import exit_code
from pipelines.relations import prepare
from pipelines.salesforce import jobs
from prove.batch import DAY, project_at


def run(home: Path, stages: str) -> int:
    """Run all stages, or only the last one; returns an exit code."""
    project = project_at(home)
    names = list(STAGES) if stages == "all" else ["apply"]
    if stages == "plan":
        names = list(STAGES)[:-1]
    prepare(project)
    sys.audit("prove.begin")
    try:
        for name in names:
            STAGES[name](project, DAY)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


if __name__ == "__main__":
    jobs.PATIENCE = float(os.environ.get("PROVE_PATIENCE", jobs.PATIENCE))
    sys.exit(run(Path(sys.argv[1]), sys.argv[2]))
