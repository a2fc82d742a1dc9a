"""``causeway ui``: Dagster's web interface on this home."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipelines import config, run_log
from pipelines.commands.environment import err, prepare_dagster, readable_path


def ui(
    port: Annotated[int, typer.Option(help="Where it listens.")] = 3000,
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines in.")] = "127.0.0.1",
) -> None:
    """Start Dagster's web interface: lineage, runs, checks, schedules. Ctrl-C ends it.

    causeway ui --port 3100
    """
    folder = prepare_dagster()
    _record_runs()
    err.print(
        f"Dagster on http://{host}:{port} in a few seconds; its home: {readable_path(folder)}"
    )
    command = [
        *(sys.executable, "-m", "dagster", "dev", "-w", str(config.PROJECT / "workspace.yaml")),
        *("--host", host, "--port", str(port)),
    ]
    # `dagster dev` says at each start that `dg dev` may replace it; dg is a tool for developers.
    quiet = {"PYTHONWARNINGS": "ignore::FutureWarning"}
    os.chdir(config.PROJECT)
    os.execve(sys.executable, command, {**os.environ, **quiet})  # noqa: S606 - signals go to Dagster


def _record_runs() -> None:
    """Let the list of runs begin with what was run in a terminal since it was last open."""
    home = config.home()
    if run_log.waiting(home):
        from pipelines.definitions import record_runs

        record_runs(home)
