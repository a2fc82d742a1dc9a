"""Which runs applied a plan, so that people may name a plan by what they remember of it.

<home>/plans/<plan_id>/runs    one run id a line, oldest first
"""

from __future__ import annotations

from pathlib import Path

from pipelines.files import read_text, write

RUNS = "runs"


def note_run(plan: Path, run_id: str) -> None:
    """Remember that a run applies the plan in this folder."""
    path = plan / RUNS
    run_ids = read_text(path).split() if path.exists() else []
    if run_id not in run_ids:
        write(path, "".join(f"{one}\n" for one in (*run_ids, run_id)))


def plan_named(home: Path, name: str) -> str:
    """The plan that a plan id or the id of a run means; the text itself where none is found."""
    if (home / "plans" / name).is_dir():
        return name
    for path in sorted((home / "plans").glob(f"[!.]*/{RUNS}"), reverse=True):
        if name in read_text(path).split():
            return path.parent.name
    return name
