"""Stages 7 and 8 at work: what records should look like, and what that is going to change."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.files import Damaged, read_text, write
from pipelines.plan.chosen import bind_skips, check_somebody
from pipelines.plan.decided import notices
from pipelines.plan.disjoint import check_disjoint, check_records
from pipelines.plan.emptied import keep_emptied
from pipelines.plan.given_ids import unheeded_ids
from pipelines.plan.guards import digests, heed_guards
from pipelines.plan.memo import is_quiet, plan_memo
from pipelines.plan.opt_outs import bind_opt_outs, leave_out
from pipelines.plan.page import write_page
from pipelines.plan.probe import failing_rows
from pipelines.plan.scope import bind_scope, newest_stamps
from pipelines.plan.sweep import sweep_plans
from pipelines.plan.unread import unread_columns
from pipelines.plan.written import bind_written
from pipelines.project import Project
from pipelines.salesforce.rows import DUPLICATES
from pipelines.sql import SqlFile
from pipelines.sync.layout import table_sql, view_sql
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping.addresses import LEFT_OUT
from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.folder import children_of
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.plan.build import open_sql, plan_sql
from pipelines.sync.plan.childless import awaited_sql
from pipelines.sync.plan.differences import differences_sql
from pipelines.sync.plan.forecast import Score, score, transient_sql
from pipelines.sync.plan.holds import needed_sql
from pipelines.sync.plan.renames import namers_sql
from pipelines.sync.plan.save import Origin, save_plan
from pipelines.sync.plan.saved import HEADER, Plan, load_plan, read_header
from pipelines.warehouse import Written, literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.org import Org

__all__ = ["desired", "heed_guards", "newest", "newest_of_all", "plan", "scored"]


def desired(batch: Batch, stem: str) -> Written:
    """Write ``sf_<mapping>``: the records of the batch's scope as the mapping wants them.

    Raises:
        ConfigError: an expression of the mapping fails at a row, which is named.
    """
    mapping, policies = batch.mappings[stem], batch.project.policies
    query = desired_sql(mapping, batch.schema[mapping.object], batch.mappings, policies)
    sql_file = SqlFile(relation("sf", stem), mapping.file, query, description="", owner="")
    with failing_rows(batch, mapping):
        return batch.run_sql(sql_file)


def left_out(project: Project, written: Written) -> int:
    """Rows of ``sf_<mapping>`` with an address that the org has no code for."""
    with project.warehouse.connect() as connection:
        counted = connection.execute(_left_out_sql(written.path)).fetchall()
    return int(counted[0][0])


def _left_out_sql(path: Path) -> str:
    return f"select count({LEFT_OUT}) from {parquet_sql(path)}"


def plan(batch: Batch) -> tuple[Plan, list[Written]]:
    """Write ``plan_<mapping>`` for every mapping and save them as one plan.

    Raises:
        ConfigError: two mappings would write the same record, or the run is to write somebody
            alone who is not in the batch; nothing was saved.
        Blocked: a guard of ``policies.yaml`` stops the plan; it was saved, nothing was sent.
    """
    project, mappings = batch.project, batch.mappings
    check_somebody(batch)
    memo, pointer = plan_memo(batch), _pointer(batch)
    if memo.cached() is not None and pointer is not None and pointer.exists():
        with suppress(Damaged):  # it points to no plan: a new one is made
            return newest(batch), [batch.written(relation("plan", name)) for name in mappings]
    check_disjoint(batch)
    planned = {  # children first: no parent is made that nobody needs
        stem: _plan(batch, mapping, children_of(mappings, mapping))
        for stem, mapping in reversed(mappings.items())
    }
    written = [planned[stem] for stem in mappings]
    check_records(batch)
    with batch.connect() as connection:
        stamps = newest_stamps(project, connection)
    with project.org() as org:
        origin = Origin(
            batch=batch.day.isoformat(),
            organization_id=org.organization_id,
            username=org.username,
            made_from=digests(project, batch.schema),
            instance_url=org.session.token.instance_url,
            limits=_limits(org),
            seen=stamps,
            notices=[
                *(str(notice) for notice in (*notices(project), *unheeded_ids(batch))),
                *unread_columns(batch),
            ],
            choice=project.choice.kinds,
        )
    files = dict(zip(mappings, (part.path for part in written), strict=True))
    saved = save_plan(project.home, origin, files, mappings, batch.schema)
    _point(batch, saved)
    write_page(project, saved)
    sweep_plans(project)
    heed_guards(batch, saved)
    if is_quiet(saved):
        memo.keep()
    return saved, written


LIMITS = ("DailyApiRequests", "DailyBulkApiBatches", "DataStorageMB")


def _limits(org: Org) -> dict[str, dict[str, int]]:
    org_limits = org.limits()
    return {name: dict(org_limits[name]) for name in LIMITS if name in org_limits}


def newest(batch: Batch) -> Plan:
    """The plan that the day's ``plan_`` relations belong to.

    Raises:
        ConfigError: nothing was planned for that day yet, or the plan was edited.
    """
    day, pointer = batch.day, _pointer(batch)
    if pointer is None or not pointer.exists():
        raise ConfigError(f"nothing is planned for {day}; run `causeway sync --batch {day}`")
    plan_id, plans = read_text(pointer), batch.project.home / "plans"
    if not (plan_id and (plans / plan_id / HEADER).exists()):
        raise Damaged(pointer, f"it names no plan: {plan_id[:80]!r}")
    return load_plan(batch.project.home, plan_id)


def newest_of_all(project: Project) -> Plan:
    """The plan that was made last for the bound org, of whichever batch.

    Raises:
        ConfigError: nothing was planned yet, or the plan was edited.
    """
    plans = project.home / "plans"
    headers = sorted(plans.glob(f"[!.]*/{HEADER}"), key=lambda path: -path.stat().st_mtime_ns)
    for path in headers:
        organization_id = read_header(path)["organization_id"]
        if project.bound_org in (None, organization_id):
            return load_plan(project.home, path.parent.name)
    raise ConfigError.at(plans, None, "nothing is planned yet; run `causeway sync --plan-only`")


def scored(project: Project, saved: Plan, stem: str) -> Score:
    """Hold the forecast of one mapping's rows against what Salesforce really said of them."""
    with project.warehouse.connect() as connection:
        return score(connection, saved.payload(stem), saved.outcomes(stem))


def _plan(batch: Batch, mapping: ObjectMapping, children: Mapping[str, ObjectMapping]) -> Written:
    """One mapping's part of the plan: first what differs, then what becomes of it."""
    stem, project = mapping.stem, batch.project
    schema, policies = batch.schema[mapping.object], project.policies
    query = plan_sql(mapping, schema, policies, parent=bool(children))
    reads = [relation("sf", stem), relation("org_match", stem), relation("org", mapping.object)]
    with batch.connect() as connection, project.state.attach(connection):
        for table in (*reads, mapping.from_):
            batch.bind_table(connection, table)
        bind_opt_outs(batch, connection, mapping)
        bind_scope(batch, connection, mapping)
        bind_skips(batch, connection, mapping)
        refused = _refused_sql(mapping.object)
        connection.execute(view_sql(relation("refused", stem), refused))
        batch.bind_table(connection, "open_identities")
        connection.execute(table_sql(relation("open", stem), open_sql(mapping)))
        if children:
            for child in children:
                batch.bind_table(connection, relation("plan", child))
            needed = needed_sql(mapping, children)
            connection.execute(table_sql(relation("needed", stem), needed))
            _bind_awaited(batch, connection, mapping, children)
        _bind_differences(batch, connection, mapping)
        if leave_out(connection, mapping, query):
            _bind_differences(batch, connection, mapping)
        return batch.write(connection, relation("plan", stem), query)


def _bind_differences(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> None:
    """Make ``differences_<mapping>``, and what is asked of the records that differ."""
    stem, schema = mapping.stem, batch.schema[mapping.object]
    differences = differences_sql(mapping, schema, batch.project.policies)
    connection.execute(table_sql(relation("differences", stem), differences))
    keep_emptied(batch, connection, mapping)
    bind_written(batch, connection, mapping)
    connection.execute(table_sql(relation("namers", stem), namers_sql(mapping)))


def _bind_awaited(
    batch: Batch,
    connection: DuckDBPyConnection,
    mapping: ObjectMapping,
    children: Mapping[str, ObjectMapping],
) -> None:
    """Make ``awaited_<mapping>``: records that we made, and to which nobody belongs."""
    for child in children.values():
        batch.bind_table(connection, relation("org", child.object))
    awaited = relation("awaited", mapping.stem)
    connection.execute(table_sql(awaited, awaited_sql(mapping, children)))
    home = batch.project.org_home(batch.project.bound_org or "")
    created = Ledger.of(home, mapping.object).created_sql(awaited)
    connection.execute(table_sql(awaited, _created_by_us_sql(awaited, created)))


def _created_by_us_sql(awaited: str, created: str) -> str:
    return f"select * from {awaited} semi join ({created}) using (sf_id)"


def _refused_sql(object_name: str) -> str:
    """What the org said last of records it refused, unless it was no fault of theirs.

    Where somebody has to look at the duplicates first, ``waits`` tells what had been sent.
    """
    return (
        "select key, code, message, case when outcome = 'held' then digest end as waits"
        f" from known_outcomes where object = {literal(object_name)}"
        f" and (outcome = 'rejected' or code = {literal(DUPLICATES)})"
        f" and code not in ({transient_sql()})"
    )


def _pointer(batch: Batch) -> Path | None:
    """The file that names a day's newest plan for the bound org."""
    organization_id = batch.project.bound_org
    if organization_id is None:
        return None
    return batch.project.org_home(organization_id) / "newest" / str(batch.day)


def _point(batch: Batch, saved: Plan) -> None:
    pointer = batch.project.org_home(saved.organization_id) / "newest" / str(batch.day)
    write(pointer, saved.plan_id)
