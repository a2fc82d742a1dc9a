"""When a saved plan may go: unchanged mappings, room in the org, or somebody who released it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.batch import Batch
from pipelines.config import PROJECT
from pipelines.errors import Blocked, ConfigError
from pipelines.plan.guards import (
    digests,
    heed_guards,
    is_released,
    release,
    released,
    strictest,
)
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.policies import Guards, Limit
from pipelines.sync.plan.cost import Cost, exceeded, predicted
from pipelines.sync.plan.guards import blocked_by
from pipelines.sync.plan.row import COLUMNS
from pipelines.sync.plan.save import Origin, save_plan
from pipelines.sync.plan.saved import ObjectPlan, Plan
from pipelines.warehouse import Warehouse

DAY = date(2026, 11, 5)
LIMITS = {
    "DailyApiRequests": {"Max": 1_000, "Remaining": 900},
    "DailyBulkApiBatches": {"Max": 100, "Remaining": 100},
    "DataStorageMB": {"Max": 5, "Remaining": 1},
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    mappings = tmp_path / "mappings"
    shutil.copytree(PROJECT / "mappings", mappings, ignore=shutil.ignore_patterns("*.py", "__*"))
    new_project = Project(tmp_path, tmp_path / "inbox", mappings)
    prepare(new_project)
    return new_project


def plan(project: Project, rows: int, *, used: int = 100, order: str = "") -> Plan:
    """A plan of so many creates, in an org that has used so many of its 1,000 calls."""
    mapping = project.object_mappings["contact"]
    schema = {name: Field("Contact", name, name, "string") for name in mapping.enabled()}
    file = project.home / "plan_contact.parquet"
    head = ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS.items())
    values = ", ".join(f'null::varchar as "{name}"' for name in schema)
    with Warehouse(project.home).connect() as connection:
        connection.execute(
            f"""copy (
                select * replace ('p-' || n as key, 'create' as action, [] as changed)
                from (select n, {head}, {values} from range({rows}) as made (n)) {order}
            ) to '{file}' (format parquet)"""
        )
    limits = {**LIMITS, "DailyApiRequests": {"Max": 1_000, "Remaining": 1_000 - used}}
    made_from = digests(project, {})
    origin = Origin(str(DAY), "00D000000000001AAA", "ada@x.org", made_from, limits=limits)
    return save_plan(
        project.home, origin, {"contact": file}, {"contact": mapping}, {"Contact": schema}
    )


def test_a_plan_that_takes_more_than_the_org_has_left_is_blocked_with_the_numbers(
    project: Project,
) -> None:
    heed_guards(Batch(project, DAY), plan(project, 300))
    with pytest.raises(Blocked) as blocked:
        heed_guards(Batch(project, DAY), plan(project, 300, used=795))
    assert "8 API calls are needed, 795 of 1,000 are used today" in str(blocked.value)
    assert "api.daily_share stops above 80%" in str(blocked.value)
    assert blocked.value.exit_code == 4


def test_a_release_lets_this_plan_pass_and_whatever_does_the_same(project: Project) -> None:
    first = plan(project, 300, used=795)
    assert not is_released(project, first)
    release(first)
    facts = released(first)
    assert facts is not None
    assert (facts["plan_id"], "@" in facts["by"], facts["at"][:2]) == (first.plan_id, True, "20")
    heed_guards(Batch(project, DAY), first)
    again = plan(project, 300, used=796, order="order by n desc")
    assert again.plan_id != first.plan_id
    heed_guards(Batch(project, DAY), again)
    with pytest.raises(Blocked):
        heed_guards(Batch(project, DAY), plan(project, 301, used=795))


def test_what_a_plan_was_made_from_must_not_have_changed(project: Project) -> None:
    saved = plan(project, 1)
    for name, old, new in (
        ("contact.yaml", "Title:", "# only a comment\n  Title:"),
        ("policies.yaml", "max_move: {share: 20%", "max_move: {share: 30%"),
    ):
        path = project.mappings / name
        path.write_text(path.read_text().replace(old, new))
    heed_guards(Batch(replace(project), DAY), saved)
    for name, old, new in (
        ("contact.yaml", "{from: title", "{from: nickname"),
        ("policies.yaml", "addresses: capture", "addresses: ignore"),
    ):
        path = project.mappings / name
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError) as refused:
        heed_guards(Batch(replace(project), DAY), saved)
    assert [Path(problem.file).name for problem in refused.value.problems] == [
        "contact.yaml",
        "policies.yaml",
    ]
    assert f"changed since plan {saved.plan_id} was made from it" in str(refused.value)


def test_what_applying_takes_is_foretold() -> None:
    def plan_of(**counts: int) -> Plan:
        part = ObjectPlan("contact", "Contact", "K__c", {}, {}, None, counts, "")
        return Plan(Path(), "p", "", "", "", "", "", {}, {"contact": part})

    assert predicted(plan_of(unchanged=9)) == Cost()
    assert predicted(plan_of(create=401)) == Cost(calls=6 + 3, storage_kb=802)
    assert predicted(plan_of(create=1, update=200, move=1)).calls == 6 + 1 + 2
    assert predicted(plan_of(create=250_000)) == Cost(6 + 36, 25, 500_000)


def test_storage_and_batches_have_limits_too() -> None:
    reasons = exceeded(Cost(1, 81, 2_048), LIMITS, 0.8)
    assert reasons == [
        "81 Bulk batches are needed, 0 of 100 are used today; api.daily_share stops above 80%",
        "new records take 2 MB of data storage, 1 of 5 MB are free",
    ]
    assert exceeded(Cost(1, 1, 1), {}, 0.5) == []


@given(
    rows=st.integers(0, 40),
    more=st.integers(0, 40),
    ours=st.integers(0, 60),
    limit=st.builds(Limit, share=st.floats(0.01, 1), above=st.integers(0, 30)),
    first_load=st.sampled_from(["allow", "guard"]),
)
def test_who_passes_the_strictest_guards_passes_the_real_ones(
    rows: int, more: int, ours: int, limit: Limit, first_load: Literal["allow", "guard"]
) -> None:
    guards = Guards(max_update=limit, first_load=first_load)
    stopped = blocked_by({"Lead": {"update": rows}}, {"Lead": ours}, guards)
    assert not stopped or blocked_by({"Lead": {"update": rows + more}}, {}, strictest(guards))
