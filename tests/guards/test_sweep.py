"""Which plans go, and which stay whatever their age."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.config import PROJECT
from pipelines.plan.guards import RELEASED
from pipelines.plan.sweep import sweep_plans
from pipelines.project import Project
from pipelines.sync.plan.saved import HEADER

ORG = "00D000000000001AAA"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mappings").mkdir()
    shutil.copy(PROJECT / "mappings" / "policies.yaml", tmp_path / "mappings")
    return Project(tmp_path, tmp_path / "inbox", tmp_path / "mappings")


def plan(
    project: Project,
    name: str,
    days: int,
    *,
    batch: str = "2026-11-05",
    applied: str | None = None,
    undoes: str | None = None,
    org: str = ORG,
) -> None:
    """A plan so many days old: never applied, or with that in its journal."""
    folder = project.home / "plans" / name
    folder.mkdir(parents=True)
    created_at = (NOW - timedelta(days=days)).isoformat()
    kind = "undo" if undoes else "sync"
    facts = {
        "organization_id": org,
        "batch": batch,
        "created_at": created_at,
        "kind": kind,
        "objects": {},
    }
    (folder / HEADER).write_text(json.dumps(facts | {"undoes": undoes}))
    if applied is not None:
        (folder / "applied" / "contact").mkdir(parents=True)
        for file in applied.split():
            (folder / "applied" / "contact" / file).touch()


def newest(project: Project, name: str, day: str = "2026-11-05") -> Path:
    pointer = project.org_home(ORG) / "newest" / day
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(name)
    return pointer


def remaining_plans(project: Project) -> set[str]:
    return {path.name for path in (project.home / "plans").iterdir()}


def test_what_wrote_something_or_may_still_go_on_stays_for_good(project: Project) -> None:
    plan(project, "sent", 400, applied="x.answers.parquet settled")
    plan(project, "died", 400, applied="x.json")
    plan(project, "sent-again", 300, applied="x.answers.parquet settled")
    assert sweep_plans(project, now=NOW) == []
    assert remaining_plans(project) == {"sent", "died", "sent-again"}


def test_the_newer_plan_of_a_batch_takes_the_place_of_the_older(project: Project) -> None:
    plan(project, "first", 2)
    plan(project, "released", 2)
    (project.home / "plans" / "released" / RELEASED).touch()
    plan(project, "second", 1)
    plan(project, "other-day", 3, batch="2026-11-06")
    plan(project, "other-org", 3, org="00D000000000002AAA")
    plan(project, "undo-1", 3, undoes="sent")
    plan(project, "undo-2", 1, undoes="sent")
    newest(project, "second")
    assert sorted(sweep_plans(project, now=NOW)) == ["first", "undo-1"]
    assert sweep_plans(project, now=NOW) == []


def test_what_wrote_nothing_goes_after_the_days_of_the_policy(project: Project) -> None:
    plan(project, "quiet", 40, applied="outcomes.parquet settled")
    plan(project, "quiet-too", 20, applied="outcomes.parquet settled")
    plan(project, "never", 31, batch="2026-11-06")
    plan(project, "last-elsewhere", 90, applied="settled", org="00D000000000002AAA")
    pointer = newest(project, "never", "2026-11-06")
    assert sorted(sweep_plans(project, now=NOW)) == ["never", "quiet"]
    assert not pointer.exists()
    # scopes start from the last applied
    assert remaining_plans(project) == {"quiet-too", "last-elsewhere"}
