"""Dagster's files of a home: what is in them is Dagster's own, and may be read meanwhile."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.commands import environment
from pipelines.commands.environment import prepare_dagster
from pipelines.storage import MOST, EventLog


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Dagster's home in a home of its own, whose settings are just being made."""
    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")  # what is set next is undone with it
    yield tmp_path / "dagster"


@dg.asset
def numbers() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"dagster/row_count": 3})


def test_another_process_reads_what_a_run_has_written_so_far(folder: Path) -> None:
    prepare_dagster()
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        runs = [dg.materialize([numbers], instance=instance) for _ in range(MOST + 2)]
        other = SqliteEventLogStorage(str(folder / "history" / "runs"))
        for run in runs:
            kinds = [entry.dagster_event_type for entry in other.get_logs_for_run(run.run_id)]
            assert kinds == [
                entry.dagster_event_type
                for entry in instance.event_log_storage.get_logs_for_run(run.run_id)
            ]
            assert kinds[-1] == dg.DagsterEventType.RUN_SUCCESS
            assert dg.DagsterEventType.ASSET_MATERIALIZATION in kinds
        key = dg.AssetKey("numbers")
        for storage in (other, instance.event_log_storage):
            [record] = storage.get_asset_records([key])
            assert record.asset_entry.last_run_id == runs[-1].run_id


def test_what_was_wiped_is_made_anew(folder: Path) -> None:
    prepare_dagster()
    with dg.DagsterInstance.get() as instance:
        first = dg.materialize([numbers], instance=instance)
        instance.wipe()
        assert instance.event_log_storage.get_logs_for_run(first.run_id) == []
        second = dg.materialize([numbers], instance=instance)
        assert second.success
        assert instance.get_latest_materialization_event(dg.AssetKey("numbers")) is not None


def test_settings_that_nobody_edited_follow_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_dagster()
    settings = folder / environment.SETTINGS
    current, former = settings.read_bytes(), b"telemetry: {enabled: false}\n"
    monkeypatch.setattr(environment, "FORMER", {sha256(former).hexdigest()})
    for before, after in ((former, current), (edited := former + b"# mine\n", edited)):
        settings.write_bytes(before)
        monkeypatch.setenv("DAGSTER_HOME", "")
        prepare_dagster()
        assert settings.read_bytes() == after
