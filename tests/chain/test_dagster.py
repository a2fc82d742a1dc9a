"""What people see and do in Dagster: partitions, metadata, checks, re-execution from failure."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines import locks, run_log
from pipelines.local_org import control
from pipelines.project import Project
from pipelines.salesforce.errors import TransientError
from pipelines.stages import STAGES

DAY = date(2026, 11, 5)

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""

ROWS = """\
ID,First Name,Last Name,Email,Company
1,Ada,Okafor,ada@acme.example,Acme
2,Ben,,,Acme
3,Cy,Roux,cy@acme.example,Blue
"""


def _job() -> dg.JobDefinition:
    """The job, as a process of Dagster's loads it."""
    from pipelines.definitions import defs

    return defs.resolve_job_def("sync")


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES, org=False)
    new_chain.put("people", DAY, "people.csv", ROWS)
    return new_chain


@pytest.fixture(scope="module")
def failed(chain: Any) -> Any:
    """A run of a terminal that found the org down, as Dagster knows it afterwards."""
    failed = chain.run(DAY)
    assert chain.record() == [failed.run_id]
    return failed


@pytest.fixture(scope="module")
def again(chain: Any, failed: Any) -> Any:
    """That run, re-executed from its failure after the org was started."""
    chain.start_org()
    job = dg.reconstructable(_job)
    options = dg.ReexecutionOptions.from_failure
    with chain.active(), dg.DagsterInstance.get() as instance:
        parent = instance.get_run_by_id(failed.run_id)
        assert parent is not None
        done = dg.execute_job(
            job,
            instance=instance,
            tags={"dagster/partition": parent.tags["dagster/partition"]},
            reexecution_options=options(failed.run_id, instance),
        )
        steps = {event.step_key for event in done.all_events if event.is_step_start}
        failures = [
            event.step_failure_data.error for event in done.all_events if event.is_step_failure
        ]
        assert not failures, failures
        locks.release(done.run_id)  # as the end of its process would
        yield done.success, steps, instance


def test_an_org_that_is_down_stops_at_the_org(chain: Any, failed: Any) -> None:
    assert failed.failed_step == "org"
    assert isinstance(failed.error, TransientError)
    assert "causeway org start" in str(failed.error)
    assert control.status(chain.project.local_org)["pid"] is None or failed.error
    assert len(chain.read("valid_contacts", DAY)) == 2
    assert len(chain.read("rejected_contacts", DAY)) == 1


def test_re_execution_from_failure_goes_on_from_there(chain: Any, again: Any) -> None:
    success, steps, _ = again
    assert success
    assert "org" in steps
    assert "apply_contact" in steps
    assert not steps & {"land", "stage", "validate"}
    assert chain.outcomes(DAY)["Contact"] == {"created": 2}
    assert len(chain.records("Contact")) == 2


def _materialized(chain: Any, instance: dg.DagsterInstance, *assets: str) -> tuple[list[str], int]:
    """Make some assets of the day alone: what was recorded, in its order, and how many checks."""
    with chain.active():
        done = _job().execute_in_process(
            instance=instance,
            partition_key=DAY.isoformat(),
            asset_selection=[dg.AssetKey(asset) for asset in assets],
        )
    locks.release(done.run_id)
    recorded = [
        event.step_materialization_data.materialization.asset_key.to_user_string()
        for event in done.all_events
        if event.is_step_materialization
    ]
    kinds = [event.event_type for event in done.all_events]
    return recorded, kinds.count(dg.DagsterEventType.ASSET_CHECK_EVALUATION)


@pytest.mark.parametrize(
    "asset,checks", [("people", 0), ("rejected_contacts", 0), ("salesforce_lead", 4)]
)
def test_one_asset_alone(chain: Any, again: Any, asset: str, checks: int) -> None:
    *_, instance = again
    assert _materialized(chain, instance, asset) == ([asset], checks)


def test_assets_of_one_stage_are_made_in_their_order(chain: Any, again: Any) -> None:
    *_, instance = again
    recorded, _ = _materialized(chain, instance, "accounts", "person_links", "people")
    assert recorded == ["person_links", "people", "accounts"]


def test_a_step_per_stage() -> None:
    applied = ["apply_account", "apply_contact", "apply_lead"]
    stages = ["land", "stage", "validate", "org", "resolve", "match", "map", "plan"]
    assert sorted(node.name for node in _job().nodes) == sorted([*stages, *applied])


def test_the_assets_are_what_the_stages_make(chain: Any) -> None:
    from pipelines.definitions import defs

    graph = defs.resolve_asset_graph()
    stages = _in_order(chain.project)
    keys = graph.get_all_asset_keys()
    assert set(stages) == {(graph.get(key).group_name, key.to_user_string()) for key in keys}
    order = [relation for _, relation in stages]
    for key in keys:
        for parent in graph.get(key).parent_keys:
            name, before = key.to_user_string(), parent.to_user_string()
            assert order.index(before) < order.index(name), f"{name} reads {before}"


def _in_order(project: Project) -> list[tuple[str, str]]:
    return [
        (stage.name, relation)
        for stage in STAGES.values()
        if stage.name != "prove"  # which checks what was applied
        for part in stage.parts(project)
        for relation in part.relations
    ]


def test_today_is_a_partition() -> None:
    from pipelines.definitions import defs

    today = datetime.now(UTC).date().isoformat()
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        partitions = graph.get(key).partitions_def
        assert partitions is not None, key
        assert partitions.get_last_partition_key() == today


def test_every_asset_says_what_it_is() -> None:
    from pipelines.definitions import defs

    graph = defs.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    for key in keys:
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name != "default", key


@pytest.mark.parametrize(
    "asset,rows,column,origin",
    [
        ("stg_contacts", 3, "email", ("raw_contacts", "email")),
        ("people", 2, "email", ("person_records", "email")),
        ("sf_contact", 2, "Email", ("people", "email")),
    ],
)
def test_an_asset_shows_what_it_holds(
    chain: Any, again: Any, asset: str, rows: int, column: str, origin: tuple[str, str]
) -> None:
    *_, instance = again
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event.asset_materialization.partition == DAY.isoformat()
    metadata = event.asset_materialization.metadata
    assert metadata["dagster/row_count"].value == rows
    assert column in {
        described.name for described in metadata["dagster/column_schema"].value.columns
    }
    lineage = metadata["dagster/column_lineage"].value.deps_by_column[column]
    assert origin in [(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage]
    assert f"from {asset} " in metadata["look at it"].value


def test_checks_are_recorded_for_the_day(chain: Any, again: Any) -> None:
    *_, instance = again

    def check(asset: str, name: str) -> Any:
        key = dg.AssetCheckKey(dg.AssetKey(asset), name)
        record, *_ = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
        assert record.partition == DAY.isoformat()
        return record.event.dagster_event.asset_check_evaluation_data

    verdict = check("valid_contacts", "every_row_has_a_verdict")
    assert verdict.passed
    counted = {name: value.value for name, value in verdict.metadata.items()}
    assert counted == {"landed": 3, "valid": 2, "rejected": 1}
    mandatory = check("valid_contacts", "mandatory_values")
    assert not mandatory.passed
    assert mandatory.severity == dg.AssetCheckSeverity.WARN
    assert mandatory.metadata["rows"].value == 1
    assert check("salesforce_contact", "every_planned_row_has_an_outcome").passed
    assert check("salesforce_contact", "nothing_rejected").passed


def test_the_log_can_be_read_while_a_run_goes_on(
    chain: Any, again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, instance = again
    seen: list[int] = []

    def broken(*_: Any) -> None:
        [run] = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        # Another process looks with its own connections, as the UI does.
        other = SqliteEventLogStorage(str(chain.home / "dagster" / "history" / "runs"))
        kinds = [entry.dagster_event_type for entry in other.get_logs_for_run(run.run_id)]
        seen.append(kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION))
        raise RuntimeError("no accounts today")

    monkeypatch.setattr("pipelines.resolve.accounts", broken)
    with chain.active():
        done = _job().execute_in_process(
            instance=instance, partition_key=DAY.isoformat(), raise_on_error=False
        )
    locks.release(done.run_id)
    [failure] = [event for event in done.all_events if event.is_step_failure]
    assert failure.step_key == "resolve"
    assert "no accounts today" in str(failure.step_failure_data.error)
    order = [relation for _, relation in _in_order(chain.project)]
    assert seen == [order.index("accounts")]


def _facts(instance: dg.DagsterInstance, run_id: str) -> dict[str, Any]:
    """What a run came to: of its steps, of what it made and of what it checked."""
    facts: dict[str, Any] = {}
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.is_step_start or event.is_step_success:
            facts[f"{event.event_type_value} {event.step_key}"] = True
        elif event.is_step_materialization:
            made = event.step_materialization_data.materialization
            facts[f"{event.step_key} {made.asset_key.to_user_string()}"] = {
                name: made.metadata[name].value
                for name in ("dagster/row_count", "dagster/column_schema", "file")
            }
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            name = f"{check.asset_key.to_user_string()} {check.check_name}"
            facts[name] = check.passed, check.severity, check.partition, check.metadata
            target = check.target_materialization_data
            assert target is not None
            assert target.run_id == run_id
    return facts


def test_a_recorded_run_is_what_dagster_would_have_recorded(chain: Any, again: Any) -> None:
    *_, instance = again
    with chain.active():
        done = _job().execute_in_process(instance=instance, partition_key=DAY.isoformat())
    locks.release(done.run_id)
    started = time.time()
    run = chain.run(DAY)
    ended = time.time()
    assert chain.record() == [run.run_id]
    assert _facts(instance, run.run_id) == _facts(instance, done.run_id)
    recorded, by_dagster = (
        instance.get_run_record_by_id(run.run_id),
        instance.get_run_by_id(done.run_id),
    )
    assert started <= recorded.start_time <= recorded.end_time <= ended
    assert recorded.dagster_run.status == by_dagster.status == dg.DagsterRunStatus.SUCCESS
    tag = "dagster/partition"
    assert recorded.dagster_run.tags[tag] == by_dagster.tags[tag]


def test_a_plan_alone_is_recorded_as_what_it_is(chain: Any, again: Any) -> None:
    *_, instance = again
    run = chain.run(DAY, plan_only=True)
    assert chain.record() == [run.run_id]
    recorded = instance.get_run_by_id(run.run_id)
    assert recorded.status == dg.DagsterRunStatus.SUCCESS
    names = {key.to_user_string() for key in recorded.asset_selection}
    assert "plan_contact" in names
    assert not any(name.startswith("salesforce") for name in names)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9999])
def test_a_log_that_is_cut_off_is_recorded_up_to_there(chain: Any, again: Any, kept: float) -> None:
    *_, instance = again
    run = chain.run(DAY)
    [log] = (chain.home / "runs" / "log").glob("*.jsonl")
    content = log.read_bytes()
    log.write_bytes(content[: int(len(content) * kept)])
    assert chain.record() == ([run.run_id] if kept else [])
    assert not log.exists()
    if kept:
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def _until(most: int, call: Any, error: type[BaseException]) -> Any:
    """A method that raises once it was called so often."""
    left = iter(range(most))

    def limited(*args: Any, **named: Any) -> Any:
        if next(left, None) is None:
            raise error
        return call(*args, **named)

    return limited


def test_what_was_recorded_half_is_finished(
    chain: Any, again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, instance = again
    run = chain.run(DAY)

    class Killed(BaseException):
        pass

    for most in (160, 20, 40, 10_000):  # the first are those that are planned
        with monkeypatch.context() as patch:
            until = _until(most, dg.DagsterInstance.report_dagster_event, Killed)
            patch.setattr(dg.DagsterInstance, "report_dagster_event", until)
            if most < 10_000:
                with pytest.raises(Killed):
                    chain.record()
            else:
                assert chain.record() == [run.run_id]
    whole = chain.run(DAY)
    assert chain.record() == [whole.run_id]
    assert _facts(instance, run.run_id) == _facts(instance, whole.run_id)
    kinds = [
        Counter(entry.dagster_event_type for entry in instance.all_logs(run_id))
        for run_id in (run.run_id, whole.run_id)
    ]
    assert kinds[0] == kinds[1]
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.SUCCESS


def test_the_sensor_records_what_a_terminal_ran(chain: Any, again: Any) -> None:
    from pipelines.definitions import defs
    from pipelines.jobs import terminal

    *_, instance = again
    run = chain.run(DAY)
    with chain.active():
        context = dg.build_sensor_context(instance=instance, definitions=defs)
        assert run.run_id in str(terminal.evaluate_tick(context).skip_message)
        assert "no run" in str(terminal.evaluate_tick(context).skip_message)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.SUCCESS


def test_a_log_that_nobody_records_goes_at_last(chain: Any, again: Any) -> None:
    folder = chain.home / "runs" / "log"
    ages = {"old": run_log.KEPT + 60, "new": run_log.KEPT - 60}
    for name, age in ages.items():
        (folder / f"{name}.jsonl").touch()
        os.utime(folder / f"{name}.jsonl", (time.time() - age,) * 2)
    run = chain.run(DAY, plan_only=True)
    assert {path.stem for path in folder.glob("*.jsonl")} == {"new", run.run_id}
    assert chain.record() == [run.run_id]  # an empty one says nothing
