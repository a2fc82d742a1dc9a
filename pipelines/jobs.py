"""When things run: daily partitions, the one job, its schedule and sensors."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator

import dagster as dg
from sqlalchemy import Engine, event

from pipelines import config
from pipelines.errors import ConfigError
from pipelines.project import Project
from pipelines.record import record
from pipelines.run_log import waiting
from pipelines.sources.inbox import batches, files

JOB = "sync"


def _days() -> dg.DailyPartitionsDefinition:
    batches = Project.of().policies.batches
    return dg.DailyPartitionsDefinition(
        start_date=batches.start.isoformat(), timezone=batches.timezone, end_offset=1
    )


DAYS = _days()
"""One partition a day, today included, the same from raw file to upsert."""

sync = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="One batch, from its files to the records in Salesforce.",
)

nightly = dg.build_schedule_from_partitioned_job(
    sync, hour_of_day=2, default_status=dg.DefaultScheduleStatus.STOPPED
)


SETTLED = 10.0
"""Seconds without a change after which a day's files count as delivered."""


@dg.sensor(job=sync, minimum_interval_seconds=30)
def inbox(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Run a batch whenever files of it arrive or change, once they are whole.

    A day that is no batch, or that cannot be read, is told in the tick's log and holds up no other.
    """
    here = Project.of()
    try:
        days = batches(here.sources, here.inbox)
    except ConfigError as error:
        yield dg.SkipReason(str(error))
        return
    for day in days:
        if not DAYS.has_partition_key(day.isoformat()):
            context.log.warning(f"{day} is no batch: they run from {DAYS.start:%Y-%m-%d} to today")
            continue
        try:
            facts = [
                (file.name, file.path.stat().st_size, file.path.stat().st_mtime)
                for file in files(here.sources, here.inbox, day)
            ]
        except (ConfigError, FileNotFoundError) as error:  # a file may go while we look
            context.log.warning(f"{day}: {error}")
            continue
        if not facts or time.time() - max(changed for *_, changed in facts) < SETTLED:
            continue
        digest = hashlib.sha256(repr(facts).encode()).hexdigest()
        yield dg.RunRequest(run_key=f"{day} {digest[:16]}", partition_key=day.isoformat())


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings runs that were started in a terminal into the list of runs.",
)
def terminal(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Record what ``causeway sync`` ran meanwhile; it starts nothing itself."""
    home = config.home()
    if not waiting(home) or context.repository_def is None:
        return dg.SkipReason("no run of a terminal is there to be recorded")
    recorded = record(context.instance, context.repository_def.get_job(JOB), home)
    return dg.SkipReason(f"recorded {len(recorded)} runs of a terminal: {', '.join(recorded)}")


def make_databases() -> None:
    """Let Dagster make the stores of a new ``DAGSTER_HOME``: it does when they are first opened."""
    with dg.DagsterInstance.get():
        pass


@event.listens_for(Engine, "connect")
def _normal(connection: sqlite3.Connection, _record: object) -> None:
    """Let SQLite flush when it folds its log, not at each of a run's thousand commits.

    What a power cut may cost is the last seconds of Dagster's log, never a database.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")
