"""Stage 9 at work: the rows of a saved plan go to the org, and what it says of them is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.changes import Change, Facts
from pipelines.errors import Blocked, ConfigError
from pipelines.org.snapshot import check_keys, refresh
from pipelines.plan.make import heed_guards, newest
from pipelines.project import Project
from pipelines.salesforce.budget import Budget
from pipelines.sync import ledger
from pipelines.sync.apply import outcomes, payload
from pipelines.sync.apply.answers import Target
from pipelines.sync.apply.journal import Journal, unsettled
from pipelines.sync.apply.objects import (
    Outcomes,
    bind_payload,
    check_ready,
    read_outcomes,
    send_object,
    settle_object,
)
from pipelines.sync.apply.payload import SENT, sendable
from pipelines.sync.apply.send import Progress
from pipelines.sync.apply.stale import stale_sql, too_many, touched_sql
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.renames import ALONE_REASON
from pipelines.sync.plan.saved import load_plan
from pipelines.sync.state import sql, transaction
from pipelines.undo.released import UNDO
from pipelines.warehouse import Written, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.org import Org
    from pipelines.sync.plan.saved import Plan


def apply(batch: Batch, stem: str, progress: Progress | None = None) -> tuple[Outcomes, Written]:
    """Send one mapping's rows of the day's newest plan; write ``salesforce_<mapping>``.

    A plan that a dead run left half-way goes on where it stopped; one that was applied is not
    applied again.

    Raises:
        Blocked: a guard stops the plan.
        ConfigError: the org is production and ``orgs.yaml`` does not say that it may be written,
            or lost the field of our key, or a parent object of this plan was not applied yet.
        SalesforceError: the org could not be talked to; run the batch again.
    """
    saved = newest(batch)
    if not Journal.of(saved.folder, stem).begun:
        heed_guards(batch, saved)
    outcomes = apply_plan(batch.project, saved, stem, progress)
    return outcomes, batch.written(relation("salesforce", stem))


def apply_plan(
    project: Project,
    saved: Plan,
    stem: str,
    progress: Progress | None = None,
    *,
    barred: Mapping[str, str] | None = None,
) -> Outcomes:
    """Send one mapping's rows of any plan, and keep what the org says of them.

    Args:
        project: whose org and state.
        saved: the plan; its guards are the caller's.
        stem: of one of its mappings.
        progress: called after every call or job.
        barred: key → why its row is held after all.

    Raises:
        ConfigError, SalesforceError: as ``apply``.
    """
    journal = Journal.of(saved.folder, stem)
    with project.org() as org, Batch(project, saved.day).connect() as connection:
        if journal.outcomes.exists():
            result = read_outcomes(saved, stem, connection)
        else:
            _allow_writing(org)
            parents = saved.parents(stem)
            check_ready(saved, stem, org.organization_id, connection, parents)
            _bar(project, connection, saved, stem, barred or {})
            [(rows,)] = connection.execute(payload.count_sql()).fetchall()
            if rows:
                check_keys(project, org, [saved.objects[stem].object])
                _bar_stale(project, org, connection, saved, stem)
            target = _target(project, org, saved, stem)
            result = send_object(saved, target, org, connection, progress)
        _keep(project, connection, saved, result)
    return result


def settle(project: Project) -> list[Outcomes]:
    """Find out what runs that died have written, and keep it; nothing is sent.

    Whoever calls holds the org's lock. What was not sent is planned anew.

    Raises:
        ConfigError: a plan that was being sent was edited; remove its folder to forget it.
        SalesforceError: the org could not be talked to.
    """
    settled = []
    open_objects = list(unsettled(project.home))
    if open_objects:
        with project.org() as org:
            for plan_id, stem in open_objects:
                saved = load_plan(project.home, plan_id)
                if saved.organization_id == org.organization_id:
                    settled.append(_settle(project, org, saved, stem))
    UNDO.finish_pending(project)
    return settled


def _settle(project: Project, org: Org, saved: Plan, stem: str) -> Outcomes:
    with Batch(project, saved.day).connect() as connection:
        _bar(project, connection, saved, stem, {})
        if saved.outcomes(stem).exists():
            result = read_outcomes(saved, stem, connection)
        else:
            target = _target(project, org, saved, stem)
            result = settle_object(saved, target, org, connection)
        _keep(project, connection, saved, result)
    return result


def _target(project: Project, org: Org, saved: Plan, stem: str) -> Target:
    budget = Budget(lambda: org.api_usage, project.policies.api.daily_share)
    return Target(
        saved.objects[stem],
        saved.created_at,
        budget,
        duplicate_rules=project.policies.duplicate_rules,
    )


def _bar(
    project: Project,
    connection: DuckDBPyConnection,
    saved: Plan,
    stem: str,
    barred: Mapping[str, str],
) -> None:
    """Make the payload, without what was refused before and would be sent again unchanged."""
    part, parents = saved.objects[stem], saved.parents(stem)
    with project.state.attach(connection):
        connection.execute("set variable object = $1", [part.object])
        connection.execute(sql("state/refused"))
    bind_payload(saved, stem, connection, parents)
    if saved.kind == "sync":  # who asks for an undo once more wants it to be tried once more
        again = outcomes.refused_again_sql(part, project.policies.duplicate_rules)
        connection.execute(f"insert into barred by name {again}")
    if barred:
        rows = [(key, "held", "BARRED", reason) for key, reason in barred.items()]
        connection.executemany("insert into barred values (?, ?, ?, ?)", rows)
    bind_payload(saved, stem, connection, parents)


def _bar_stale(
    project: Project, org: Org, connection: DuckDBPyConnection, saved: Plan, stem: str
) -> None:
    """Leave out what changed in the org since it was planned; where that is too much, all of it.

    An undo leaves alone what changed, however much it is.

    Raises:
        Blocked: more rows than ``guards.max_stale``, or one with ``--strict``.
    """
    count_query = f"select count(*) from payload where {sendable(SENT)} and sf_id is not null"
    [(rows,)] = connection.execute(count_query).fetchall()
    if not rows:
        return
    part = saved.objects[stem]
    object_name, planned = part.object, saved.payload(stem)
    refresh(project, org, object_name)
    project.bind_org(connection, object_name, "as_they_are_now")
    touched = {name for [name] in connection.execute(touched_sql(planned)).fetchall()}
    schema = Batch(project, saved.day).schema[object_name]
    fields = {name: field for name, field in schema.items() if name in touched}
    query = stale_sql(part, fields, planned, "as_they_are_now", org.user_id)
    connection.execute(f"create or replace temp table stale as {query}")
    stale_rows = connection.execute("select key, message from stale order by key").fetchall()
    limit, strict = project.policies.guards.max_stale, project.strict
    if saved.kind == "undo":
        limit, strict = None, False
    if block_reason := too_many(len(stale_rows), rows, limit, strict=strict):
        listed = "\n".join(f"  {key}: {message}" for key, message in stale_rows[:10])
        raise Blocked(
            f"plan {saved.plan_id}: {len(stale_rows)} of {rows} records of {object_name} are not as"
            f" they were when it was made, and nothing of {object_name} was sent"
            f" ({block_reason}):\n{listed}\n"
            f"Plan again: causeway {saved.sync_again}"
        )
    connection.execute("insert into barred by name select * from stale")
    bind_payload(saved, stem, connection, saved.parents(stem))


def retry(project: Project, object_name: str | None, code: str | None) -> dict[str, int]:
    """Let refused rows go again with the next batch; object → how many.

    Args:
        project: whose state.
        object_name: only this object, in whatever case.
        code: only rows that were refused with this code.
    """
    with (
        RETRY.noted(project, {"tables": ["outcome"]}),
        project.warehouse.connect() as connection,
        project.state.attach(connection),
    ):
        connection.execute("set variable object = $1", [object_name])
        connection.execute("set variable code = $1", [code])
        rows = connection.execute(sql("state/retry")).fetchall()
        project.state.publish(connection, "outcome")
    return dict(sorted(Counter(name for [name] in rows).items()))


def _publish(project: Project, facts: Facts) -> None:
    """Let others see what the state says, whether or not it was changed before the kill."""
    with project.warehouse.connect() as connection, project.state.attach(connection):
        project.state.publish(connection, *facts["tables"])


RETRY = Change("retry", _publish)


def _keep(project: Project, connection: DuckDBPyConnection, saved: Plan, result: Outcomes) -> None:
    """Write all that follows from the outcomes; doing it twice changes nothing."""
    day, name = saved.day, result.stem
    part, journal = saved.objects[name], Journal.of(saved.folder, name)
    query = f"select * from {parquet_sql(result.path)}"
    if saved.kind == "sync":  # a batch's relation tells what became of the batch
        project.warehouse.link(connection, relation("salesforce", name), day, result.path)
    if journal.settled:
        return
    bind_payload(saved, name, connection, saved.parents(name))
    connection.execute(f"create or replace temp view outcomes as {query}")
    digests = payload.digests_sql(part, project.policies.duplicate_rules)
    connection.execute(f"create or replace temp table digests as {digests}")
    book = ledger.Ledger.of(project.org_home(saved.organization_id), part.object)
    ledger.write(connection, book, saved.plan_id, part, payload="payload", outcomes="outcomes")
    with project.state.attach(connection):
        connection.execute("set variable batch = $1::date", [day])
        connection.execute("set variable object = $1", [part.object])
        plan_id = saved.plan_id if saved.kind == "sync" else None
        connection.execute("set variable plan = $1", [plan_id])
        connection.execute("set variable waits_still = $1", [ALONE_REASON])
        with transaction(connection):
            connection.execute(sql("state/outcomes"))
        project.state.publish(connection, "outcome")
    journal.settle()


def _allow_writing(org: Org) -> None:
    if not (org.is_sandbox or org.connection.production):
        raise ConfigError.at(
            "orgs.yaml",
            None,
            f"{org.connection.name} is a production org; nothing was sent. Look at the plan, then"
            " write `production: true` below its name",
        )
