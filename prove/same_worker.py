"""Runs batches by the program of the folder it is started in, and keeps what each of them planned.

    PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/python -P …/prove/same_worker.py < homes.json

It is always this file that runs, whichever checkout's modules it finds: so it knows of them only
what all have in common, and where the stages are.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import requests

from pipelines.local_org import control
from pipelines.project import Project
from pipelines.relations import prepare

KEPT = ("plan_*", "people", "accounts")
STAGES = ("land", "stage", "validate", "org", "resolve", "match", "map", "plan", "apply")
API = "/services/data/v67.0/sobjects"


def _stage() -> Callable[[str, Project, date], object]:
    """How this checkout runs one of its stages by name."""
    try:
        from pipelines.run import Run
        from pipelines.stages import run_stage
    except ImportError:
        from bench.stages import STAGES as ours

        names = {name.partition(" ")[0]: name for name in ours}
        return lambda name, project, day: ours[names[name]](project, day)
    return lambda name, project, day: run_stage(name, Run(project, day))


def run(home: Mapping[str, Any]) -> None:
    """All batches of one home, with an org of its own."""
    folder = Path(home["home"])
    project = Project(folder, Path(home["inbox"]), folder / "mappings")
    org = control.start(project.local_org)
    try:
        _seed(org, home["org"])
        prepare(project)
        for number, batch in enumerate(home["batches"], start=1):
            day = date.fromisoformat(batch["day"])
            _put(project.inbox, batch["files"])
            kept = folder / "kept" / str(number)
            kept.mkdir(parents=True)
            _run(project, day, STAGES if home["apply"] else STAGES[:-1], kept)
            _keep(folder, day, kept)
    finally:
        control.stop(project.local_org)


def _seed(org: Mapping[str, Any], records: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    headers = {"Authorization": f"Bearer {org['access_token']}"}
    for name, values in records:
        url = f"{org['http_url']}{API}/{name}"
        requests.post(url, json=values, headers=headers, timeout=60).raise_for_status()


def _put(inbox: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_text(content, encoding="utf-8")


def _run(project: Project, day: date, stages: Sequence[str], kept: Path) -> None:
    """What stops a batch is something to be compared, too."""
    run_stage = _stage()
    try:
        for name in stages:
            run_stage(name, project, day)
    except Exception as error:
        text = f"{type(error).__name__}: {error}".replace(str(project.home), "HOME")
        (kept / "error.json").write_text(json.dumps({"error": text}), encoding="utf-8")


def _keep(home: Path, day: date, kept: Path) -> None:
    for pattern in KEPT:
        for path in home.glob(f"stage/{pattern}/day={day}/data.parquet"):
            shutil.copyfile(path, kept / f"{path.parts[-3]}.parquet")


if __name__ == "__main__":
    homes = json.load(sys.stdin)
    for count, one in enumerate(homes, start=1):
        run(one)
        print(f"{Path.cwd()}: {count} of {len(homes)} homes", file=sys.stderr, flush=True)
