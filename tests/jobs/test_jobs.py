"""When things run: partitions up to today, and a sensor that waits for whole files."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.definitions import defs
from pipelines.demo.inputs import write_inputs
from pipelines.jobs import DAYS, inbox

TODAY = datetime.now(UTC).date()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path))
    monkeypatch.delenv("CAUSEWAY_INBOX", raising=False)
    return tmp_path


def tick(instance: dg.DagsterInstance) -> Any:
    return inbox.evaluate_tick(dg.build_sensor_context(instance=instance, definitions=defs))


def test_today_is_a_partition() -> None:
    assert DAYS.get_partition_keys()[-1] == TODAY.isoformat()


def test_the_sensor_asks_for_a_batch_once_its_files_have_settled(home: Path) -> None:
    days = (TODAY - timedelta(days=1), TODAY)
    files = write_inputs(home / "inbox", days)
    with dg.instance_for_test() as instance:
        assert tick(instance).run_requests == []
        settled = time.time() - 60
        for file in files:
            os.utime(file, (settled, settled))
        first = {run.partition_key: run.run_key for run in tick(instance).run_requests}
        assert sorted(first) == [day.isoformat() for day in days]
        os.utime(files[0], (settled - 5, settled - 5))
        again = {run.partition_key: run.run_key for run in tick(instance).run_requests}
        assert sum(first[day] != again[day] for day in first) == 1


def test_the_sensor_says_why_it_asks_for_nothing(home: Path) -> None:
    with dg.instance_for_test() as instance:
        assert str(home / "inbox") in str(tick(instance).skip_message)


def test_a_day_that_is_no_batch_or_cannot_be_read_holds_up_no_other(home: Path) -> None:
    settled = time.time() - 60
    for file in write_inputs(home / "inbox", (TODAY - timedelta(days=1), TODAY)):
        os.utime(file, (settled, settled))
    later = home / "inbox" / "winmo" / (TODAY + timedelta(days=9)).isoformat()
    later.mkdir()
    (later / "early.csv").write_text("a\n1\n")
    (home / "inbox" / "shop" / "2026-01-05").mkdir()
    half = home / "inbox" / "winmo" / "2026-01-05"
    half.mkdir()
    (half / "list.csv").write_text("a\n1\n")
    with dg.instance_for_test() as instance:
        requested = [run.partition_key for run in tick(instance).run_requests]
    assert requested == [(TODAY - timedelta(days=1)).isoformat(), TODAY.isoformat()]
