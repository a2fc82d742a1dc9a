"""Every key of ``policies.yaml`` changes what is done, or is refused with its line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.environment import strays, today
from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.org.describes import saved
from pipelines.plan.sweep import sweep_plans
from pipelines.project import Project
from pipelines.rights import SHARED, exposed
from pipelines.sync.apply.payload import digest
from pipelines.sync.apply.stale import too_many
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.policies import Policies, read_policies
from pipelines.sync.plan.build import plan_sql
from pipelines.sync.plan.cost import Cost, exceeded
from pipelines.sync.plan.differences import differences_sql
from pipelines.sync.plan.guards import GUARDED, blocked_by
from pipelines.sync.plan.saved import HEADER

NOW = datetime.now(UTC)
MODEL = Policies
ELSEWHERE = "Pacific/Kiritimati" if NOW.hour >= 10 else "Etc/GMT+12"
"""Where it is another day now than in UTC."""

NAMED: dict[str, list[Any]] = {
    "batches.start": ["2026-11-06"],
    "batches.timezone": [ELSEWHERE],
    "contacts.account.into": ["All"],
    "customers.groups": [["1"], [3]],
    "customers.default_owner": ["ada@x.org"],
    "customers.single_account": ["The shop"],
    "guests.ignore_states": [["complete"]],
    "addresses.default_country": ["DE", "none"],
    "leads.convert_states": [["complete"]],
    "leads.converted_status": ["Closed"],
    "leads.assignment_rule": ["Standard"],
    "leads.owner": ["ada@x.org"],
    "leads.source": ["Web"],
    "guards.max_convert": [{"share": "5%"}],
    "api.daily_share": ["50%"],
    "plans.keep_days": [5],
} | {
    f"guards.{name}.{key}": [value]
    for name in (*GUARDED.values(), "max_stale")
    for key, value in (("share", "1%"), ("above", 0))
}  # fmt: skip
"""Values of keys that are no switch."""

BESIDE = {"share": {"above": 0}, "above": {"share": "1%"}}
"""Of a guard both numbers have to be passed: the other one is."""


def test_every_key_of_the_policies(law: Any, key: tuple[str, ...], value: Any) -> None:
    assert value is not ..., f"say in NAMED what a value of {key} may be"
    before = law.placed(key[:-1], BESIDE[key[-1]]) if key[-1] in BESIDE else {}
    after = law.laid_over(before, law.placed(key, value))
    base = law.project(policies=before)
    project = law.project(policies=after)
    try:
        same = project.policies == base.policies
    except ConfigError as error:
        assert [(Path(p.file).name, bool(p.line)) for p in error.problems] == [
            ("policies.yaml", True)
        ]
        return
    if not same:
        different = any(
            one != other
            for one, other in zip(observed(law, base), observed(law, project), strict=True)
        )
        assert different, f"{key}: {value!r} changes nothing"


def observed(law: Any, project: Project) -> Iterator[Any]:
    """What follows from policies, the quick things first."""
    policies = project.policies
    project.home.chmod(SHARED)
    yield bool(exposed(project))
    yield today(project), [Path(p.file).parent.name for p in strays(project)]
    yield list(_blocked(policies))
    yield too_many(1500, 5000, policies.guards.max_stale, strict=False)
    yield exceeded(
        Cost(calls=10),
        {"DailyApiRequests": {"Max": 100, "Remaining": 35}},
        policies.api.daily_share,
    )
    yield _swept(project)
    yield digest(["Email"], policies.duplicate_rules)
    yield list(_compiled(project))
    yield law.resolved(project)


def _blocked(policies: Policies) -> Iterator[list[str]]:
    for rows in (30, 1500, 4000):
        for managed in (0, 5000):
            counts = {"Contact": dict.fromkeys(GUARDED, rows)}
            yield blocked_by(counts, {"Contact": managed}, policies.guards)


def _swept(project: Project) -> list[str]:
    """Plans that go, of several that are so many days old."""
    for days in (1, 10, 100):
        folder = project.home / "plans" / f"{days} days"
        folder.mkdir(parents=True)
        made = NOW - timedelta(days=days)
        facts = {"organization_id": "00D", "objects": {}, "batch": f"{made:%F}"}
        (folder / HEADER).write_text(json.dumps({**facts, "created_at": made.isoformat()}))
    swept = sorted(sweep_plans(project, now=NOW))
    shutil.rmtree(project.home / "plans")
    return swept


def _compiled(project: Project) -> Iterator[str]:
    schema, policies = saved(PROJECT / "mappings"), project.policies
    assert schema is not None
    mappings = fit(project.object_mappings, schema)
    for stem, mapping in mappings.items():
        fields = schema[mapping.object]
        yield desired_sql(mapping, fields, mappings, policies)
        yield match_sql(mapping, mappings, policies)
        yield differences_sql(mapping, fields, policies)
        yield plan_sql(mapping, fields, policies, parent=stem == "account")


def test_the_name_of_an_account_that_is_adopted_is_overwritten_where_the_policy_says_so(
    law: Any,
) -> None:
    """That the name is compared is not enough: what was there before us stays by `on_adopt`."""
    for account_name, on_adopt in (("keep", False), ("overwrite", True)):
        project = law.project(policies={"customers": {"account_name": account_name}})
        plans = "".join(_compiled(project))
        assert ("'Name', 0, 'string', null, 'keep', 'source', 'overwrite'" in plans) == on_adopt


@pytest.mark.parametrize("share", [0, "0%", "101%", -1, "many"])
def test_a_share_is_a_part_of_a_whole(law: Any, share: Any) -> None:
    project = law.project(policies={"api": {"daily_share": share}})
    with pytest.raises(ConfigError, match=r"policies\.yaml:\d"):
        read_policies(project.mappings)
