"""Rows on their way to an org that locks, throws, loses answers: one outcome each, both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from pipelines.local_org import control
from pipelines.salesforce.budget import Budget
from pipelines.salesforce.connection import load_connection
from pipelines.salesforce.org import Org
from pipelines.sync.apply.answers import Target
from pipelines.sync.apply.journal import Journal, unsettled
from pipelines.sync.apply.objects import bind_payload, send_object, settle_object
from pipelines.sync.plan.saved import ObjectPlan, Plan

TYPES = {
    "LastName": "string",
    "Company": "string",
    "Title": "string",
    "AnnualRevenue": "currency",
    "HasOptedOutOfEmail": "boolean",
    "NumberOfEmployees": "int",
    "Email": "email",
    "Phone": "phone",
    "Fax": "phone",
}
SETUP = """
automations:
  - {name: Guilty, object: Lead, when: Title = 'guilty', throw: there is a guilty row}
validation_rules:
  - {name: Innocent, object: Lead, when: Title = 'refused', message: 'No, "never".', field: Title}
duplicate_rules:
  - {name: Alerts, object: Lead, match: [[Email]], action: alert}
  - {name: Blocks, object: Lead, match: [[Phone]], action: block, message: Known already}
  - {name: One fax each, object: Lead, match: [[Fax]], action: alert}
assignment_rules:
  - name: Standard
    entries: [{when: Title = 'assigned', owner: work}]
queues:
  - {developer_name: work, name: Work, objects: [Lead]}
"""


@pytest.fixture(scope="module")
def local_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("org")
    control.start(home)
    control.stop(home)
    path = home / "org.yaml"
    shipped = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(shipped | yaml.safe_load(SETUP)))
    control.start(home, faults=True)
    yield home
    control.stop(home)


@pytest.fixture(scope="module")
def connected(local_home: Path) -> Iterator[Org]:
    local = control.status(local_home)
    connection = load_connection(None, orgs_file=Path("orgs.yaml"), local=local, environ={})
    with Org(connection) as org:
        yield org


@pytest.fixture
def org(connected: Org, local_home: Path) -> Org:
    """The module's org, without faults."""
    control.inject(local_home)
    return connected


@pytest.fixture(params=["collections", "bulk"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both APIs on the same few rows."""
    if request.param == "bulk":
        monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", 0)
    return str(request.param)


Row = Mapping[str, Any]


class Sent:
    """A plan of some rows of Lead, and what became of them."""

    def __init__(self, home: Path, org: Org, db: duckdb.DuckDBPyConnection) -> None:
        self.home, self.org, self.db = home, org, db
        self.plans = 0

    def plan(self, rows: Sequence[Row]) -> Plan:
        self.plans += 1
        folder = self.home / "plans" / f"plan-{self.plans}"
        folder.mkdir(parents=True)
        names = ("key", "action", "sf_id", "reason", *TYPES)
        texts = {name: pa.string() for name in names} | {"changed": pa.list_(pa.string())}
        planned = [
            {"action": "create", "changed": [name for name in TYPES if name in row], **row}
            for row in rows
        ]
        table = pa.Table.from_pylist(planned, pa.schema(texts.items()))
        pq.write_table(table, folder / "lead.parquet")
        part = ObjectPlan("lead", "Lead", "Causeway_Key__c", TYPES, {}, None, {}, "")
        return Plan(
            folder=folder,
            plan_id=folder.name,
            sha256="",
            created_at=f"{self.org.server_time().isoformat()}",
            batch="2026-11-05",
            organization_id=self.org.organization_id,
            username="",
            made_from={},
            objects={"lead": part},
        )

    def send(
        self, plan: Plan, budget: Budget | None = None, **policies: str
    ) -> dict[str, dict[str, Any]]:
        """Key → outcome of the row."""
        bind_payload(plan, "lead", self.db, {})
        target = replace(self.target(plan, budget), **policies)
        return self.read(send_object(plan, target, self.org, self.db).path)

    def target(self, plan: Plan, budget: Budget | None = None) -> Target:
        part = plan.objects["lead"]
        return Target(part, plan.created_at, budget or Budget(lambda: None))

    def read(self, path: Path) -> dict[str, dict[str, Any]]:
        rows = self.db.sql(f"from read_parquet('{path}')").to_arrow_table().to_pylist()
        assert len({row["key"] for row in rows}) == len(rows)
        return {row["key"]: row for row in rows}

    def records(self, prefix: str) -> dict[str, dict[str, Any]]:
        fields = ", ".join(("Id", "Causeway_Key__c", *TYPES))
        soql = f"select {fields} from Lead where Causeway_Key__c like '{prefix}%'"
        return {row["Causeway_Key__c"]: row for row in self.org.query(soql)}


@pytest.fixture
def sent(tmp_path: Path, org: Org, db: duckdb.DuckDBPyConnection) -> Sent:
    return Sent(tmp_path, org, db)


def leads(prefix: str, count: int, **more: str | None) -> list[dict[str, Any]]:
    return [
        {"key": f"{prefix}{n:05}", "LastName": f"Ørsted {n}", "Company": "Acme", **more}
        for n in range(count)
    ]


def counted(outcomes: Mapping[str, Row], *names: str) -> Counter[Any]:
    return Counter(tuple(row[name] for name in names) for row in outcomes.values())


def test_both_ways_say_and_store_the_same(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row for row: codes, messages and fields of what was refused, values of what was taken."""
    answers, stored = {}, {}
    for way, most in (("c", 2_000), ("b", 0)):
        monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", most)
        old = leads(f"{way}-old-", 2, Title="was", NumberOfEmployees="7")
        before = sent.send(sent.plan(old))
        [first, second] = [row["sf_id"] for row in before.values()]
        rows = [
            *leads(f"{way}-new-", 3, Title='a "b",\nc', AnnualRevenue="12345678901234567"),
            *leads(f"{way}-bad-", 1, Title="refused"),
            {"key": f"{way}-long", "LastName": "x" * 81, "Company": "Acme"},
            {"key": f"{way}-none", "LastName": None, "Company": "Acme"},
            {"key": f"{way}-bool", "LastName": "B", "Company": "A", "HasOptedOutOfEmail": "true"},
            {**old[0], "action": "update", "sf_id": first, "Title": None,
             "changed": ["Title", "NumberOfEmployees"], "NumberOfEmployees": "8"},
            {"key": old[1]["key"], "action": "delete", "sf_id": second, "changed": []},
            {"key": f"{way}-same", "action": "unchanged", "changed": []},
            {"key": f"{way}-wait", "action": "hold", "reason": "waits", "changed": []},
        ]  # fmt: skip
        outcome_of = sent.send(sent.plan(rows))
        names = ("outcome", "code", "message", "fields", "attempts")
        answers[way] = {key[1:]: [row[name] for name in names] for key, row in outcome_of.items()}
        stored[way] = {
            key[1:]: {name: row[name] for name in TYPES}
            for key, row in sent.records(f"{way}-").items()
        }
    assert answers["c"] == answers["b"]
    assert stored["c"] == stored["b"]
    outcomes = {key: row[0] for key, row in answers["c"].items()}
    assert outcomes == {
        "-new-00000": "created", "-new-00001": "created", "-new-00002": "created",
        "-bad-00000": "rejected", "-long": "rejected", "-none": "rejected", "-bool": "created",
        "-old-00000": "updated", "-old-00001": "deleted", "-same": "unchanged", "-wait": "held",
    }  # fmt: skip
    assert stored["c"]["-old-00000"]["Title"] is None
    assert stored["c"]["-new-00000"]["Title"] == 'a "b",\nc'
    assert "-old-00001" not in stored["c"]


@pytest.mark.usefixtures("path")
def test_rules_of_the_org_run_alike_on_both_ways(sent: Sent, path: str) -> None:
    """Duplicate rules object to what is written; assignment rules run where creates ask for one."""
    rows = leads(f"rules-{path}-", 3, Title="assigned")
    rows[0]["Fax"] = f"030 {path}"
    us = sent.org.user_id
    assert {row["outcome"] for row in sent.send(sent.plan(rows)).values()} == {"created"}
    owned = f"select Id, OwnerId from Lead where Causeway_Key__c like 'rules-{path}-%'"
    assert {row["OwnerId"] for row in sent.org.query(owned)} == {us}

    [again] = leads(f"rules-{path}-again", 1, Fax=f"030 {path}")
    [refused] = sent.send(sent.plan([again])).values()
    assert (refused["outcome"], refused["code"]) == ("rejected", "DUPLICATES_DETECTED")

    [rule] = sent.org.query("select Id from AssignmentRule where SobjectType = 'Lead'")
    [queue] = sent.org.query("select Id from Group where DeveloperName = 'work'")
    update = {"Title": None, "action": "update", "changed": ["Title"]}
    updates = [
        row | update | {"sf_id": record["Id"]}
        for row, record in zip(rows, sent.org.query(owned), strict=True)
    ]
    new = leads(f"rules-{path}-new", 2, Title="assigned")
    outcomes = sent.send(sent.plan([*updates, *new]), assignment_rule=rule["Id"])
    assert counted(outcomes, "outcome") == {("created",): 2, ("updated",): 3}
    assigned = {row["Id"] for row in sent.org.query(owned) if row["OwnerId"] == queue["Id"]}
    assert assigned == {row["sf_id"] for row in outcomes.values() if row["outcome"] == "created"}


@pytest.mark.usefixtures("path")
def test_locked_rows_go_again_until_they_pass(sent: Sent, local_home: Path, path: str) -> None:
    fault = {"kind": "lock_rows", "object": "Lead", "share": 0.4, "times": 3}
    control.inject(local_home, fault)
    outcomes = sent.send(sent.plan(leads(f"lock-{path}-", 300)))
    assert counted(outcomes, "outcome") == {("created",): 300}
    assert max(row["attempts"] for row in outcomes.values()) > 1
    assert min(row["attempts"] for row in outcomes.values()) == 1
    assert len(sent.records(f"lock-{path}-")) == 300


@pytest.mark.usefixtures("path")
def test_only_the_guilty_row_of_a_chunk_is_rejected(sent: Sent, path: str) -> None:
    """What an automation throws takes 200 rows along; halves find the one that made it throw."""
    rows = leads(f"guilt-{path}-", 430)
    rows[137]["Title"] = rows[391]["Title"] = "guilty"
    outcomes = sent.send(sent.plan(rows))
    rejected = {key for key, row in outcomes.items() if row["outcome"] == "rejected"}
    assert rejected == {rows[137]["key"], rows[391]["key"]}
    assert counted(outcomes, "outcome")[("created",)] == 428
    for key in rejected:
        assert outcomes[key]["code"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
        assert "there is a guilty row" in outcomes[key]["message"]
    assert len(sent.records(f"guilt-{path}-")) == 428


@pytest.mark.usefixtures("path")
def test_a_lost_answer_is_found_in_the_org(sent: Sent, local_home: Path, path: str) -> None:
    control.inject(local_home, {"kind": "lose_answer", "path": "composite/sobjects", "skip": 1})
    control.inject(local_home, {"kind": "lose_answer", "path": "jobs/ingest/\\w+$"})
    outcomes = sent.send(sent.plan(leads(f"lost-{path}-", 500)))
    assert counted(outcomes, "outcome", "attempts") == {("created", 1): 500}


def test_what_the_budget_does_not_allow_is_held(sent: Sent) -> None:
    used = iter((90, 99, 100, 100))
    outcomes = sent.send(sent.plan(leads("budget-", 500)), Budget(lambda: (next(used), 200), 0.5))
    assert counted(outcomes, "outcome", "code") == {
        ("created", None): 400,
        ("held", "API_BUDGET"): 100,
    }
    waiting = next(row for row in outcomes.values() if row["outcome"] == "held")
    assert "100 of 200 API calls" in waiting["message"]
    assert "api.daily_share is 50%" in waiting["message"]


@pytest.mark.usefixtures("path")
def test_the_guilty_row_is_looked_for_within_the_budget(sent: Sent, path: str) -> None:
    """Who was taken along by another row is not called rejected before it was sent alone."""
    rows = leads(f"costly-{path}-", 8)
    rows[5]["Title"] = "guilty"
    allowed = iter([True] * 3)
    budget = Budget(lambda: (1 if next(allowed, False) else 100, 100), 0.5)
    outcomes = sent.send(sent.plan(rows), budget)
    assert counted(outcomes, "outcome", "code")[("held", "API_BUDGET")] >= 1
    assert counted(outcomes, "outcome")[("rejected",)] == 0
    guilty = outcomes[rows[5]["key"]]
    assert "before, the org said: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" in guilty["message"]


def test_created_means_ours_and_new(sent: Sent, org: Org) -> None:
    """Whether the org made a record now is not the question: ours is whose user made it since."""
    since = sent.plan(leads("mine-", 2))
    for row in leads("mine-", 1):  # as a run did whose answer nobody kept
        fields = {name: row[name] for name in ("LastName", "Company")}
        org.rest.Lead.upsert(f"Causeway_Key__c/{row['key']}", fields)
    outcomes = sent.send(since)
    assert counted(outcomes, "outcome") == {("created",): 2}

    [existing] = [row for row in sent.records("mine-").values() if row["LastName"] == "Ørsted 0"]
    later = sent.plan([{**leads("mine-", 1)[0], "Title": "new"}])
    moved = Plan(**{**later.__dict__, "created_at": "2100-01-01T00:00:00+00:00"})
    assert counted(sent.send(moved), "outcome", "sf_id") == {("updated", existing["Id"]): 1}


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("policy", ["reject", "allow", "review"])
def test_what_a_duplicate_rule_refuses_follows_the_policy(
    sent: Sent, path: str, policy: str
) -> None:
    """A row is its own and one that alerts, one that blocks; both ways end alike."""
    name = f"dup-{policy}-{path}-"
    earlier = sent.send(sent.plan(leads(f"{name}old-", 1, Email=f"{name}@x.org", Phone=name)))
    [existing_id] = [row["sf_id"] for row in earlier.values()]
    rows = leads(name, 30, Email=f"{name}@x.org")
    rows[7] = {**rows[7], "Email": None, "Phone": name, "changed": ["LastName", "Company", "Phone"]}
    update = {**rows[3], "key": f"{name}old-00000", "action": "update", "sf_id": existing_id,
              "Title": "same", "changed": ["Title"]}  # fmt: skip
    outcomes = sent.send(sent.plan([*rows, update]), duplicate_rules=policy)
    assert outcomes.pop(f"{name}old-00000")["outcome"] == "updated"
    blocked = outcomes.pop(rows[7]["key"])
    assert blocked["code"] == "DUPLICATES_DETECTED"
    assert blocked["outcome"] == ("held" if policy == "review" else "rejected")
    expected = {"reject": "rejected", "allow": "created", "review": "held"}[policy]
    assert counted(outcomes, "outcome") == {(expected,): 29}
    if policy == "review":
        message = outcomes[rows[0]["key"]]["message"]
        assert (
            message == f"the duplicate rule Alerts finds {existing_id}: Use one of these records?"
        )
        assert blocked["message"] == f"the duplicate rule Blocks finds {existing_id}: Known already"
        assert {row["attempts"] for row in outcomes.values()} == {2}
    assert len(sent.records(name)) == (30 if policy == "allow" else 1)


def test_what_the_budget_stops_before_duplicates_are_named_waits(sent: Sent) -> None:
    sent.send(sent.plan(leads("dupbudget-old-", 1, Email="dupbudget@x.org")))
    used = iter((90, 100, 100))
    budget = Budget(lambda: (next(used), 200), 0.5)
    plan = sent.plan(leads("dupbudget-", 1, Email="dupbudget@x.org"))
    [row] = sent.send(plan, budget, duplicate_rules="review").values()
    assert (row["outcome"], row["code"]) == ("held", "API_BUDGET")
    assert "before, the org said: DUPLICATES_DETECTED Use one of these records?" in row["message"]


Crash = Callable[..., Any]


@pytest.mark.usefixtures("path")
def test_a_run_that_died_is_settled_without_sending(
    sent: Sent, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """Stands for kill -9 after the work was done."""

    def die(*_: object) -> None:
        raise Died

    plan = sent.plan(leads(f"died-{path}-", 300))
    with monkeypatch.context() as patched:
        for answered in ("add_rows", "add_job"):
            patched.setattr(f"pipelines.sync.apply.answers.Answers.{answered}", die)
        with pytest.raises(Died):
            sent.send(plan)
    assert list(unsettled(sent.home)) == [(plan.plan_id, "lead")]
    record_count = len(sent.records(f"died-{path}-"))
    assert record_count == {"collections": 200, "bulk": 300}[path]

    bind_payload(plan, "lead", sent.db, {})
    settled = settle_object(plan, sent.target(plan), sent.org, sent.db)
    rows = sent.read(settled.path)
    expected = {("created", None): record_count, ("held", "INTERRUPTED"): 300 - record_count}
    assert counted(rows, "outcome", "code") == {key: n for key, n in expected.items() if n}
    assert len(sent.records(f"died-{path}-")) == record_count
    journal = Journal.of(plan.folder, "lead")
    assert not journal.settled
    journal.settle()
    assert list(unsettled(sent.home)) == []


def test_a_job_whose_results_are_gone_is_read_back(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", 0)
    rows = leads("gone-", 30)
    rows[3]["Title"] = "refused"
    plan = sent.plan(rows)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("pipelines.sync.apply.answers.Answers.add_job", _interrupted)
        sent.send(plan)
    [chunk] = Journal.of(plan.folder, "lead").in_doubt()
    sent.org.session.delete(f"jobs/ingest/{chunk.job_id}")
    outcomes = sent.send(plan)
    assert counted(outcomes, "outcome", "code") == {
        ("created", None): 29, ("rejected", "FIELD_CUSTOM_VALIDATION_EXCEPTION"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("action", ["update", "delete"])
def test_changes_whose_results_are_gone_are_read_back_too(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", 0)
    created = sent.send(sent.plan(leads(f"gone-{action}-", 5)))
    changed = {"action": action, "changed": ["Title"] if action == "update" else []}
    rows = [{**row, **changed, "Title": "new", "sf_id": created[row["key"]]["sf_id"]}
            for row in leads(f"gone-{action}-", 5)]  # fmt: skip
    plan = sent.plan(rows)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("pipelines.sync.apply.answers.Answers.add_job", _interrupted)
        sent.send(plan)
    [chunk] = Journal.of(plan.folder, "lead").in_doubt()
    sent.org.session.delete(f"jobs/ingest/{chunk.job_id}")
    outcomes = sent.send(plan)
    assert counted(outcomes, "outcome", "attempts") == {(f"{action}d", 1): 5}
    records = sent.records(f"gone-{action}-")
    assert [row["Title"] for row in records.values()] == ["new"] * (5 if action == "update" else 0)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
