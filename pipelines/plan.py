"""Stages 7 and 8 at work: what records should look like, and what that is going to change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import left_behind
from pipelines.errors import Blocked, ConfigError
from pipelines.project import Project
from pipelines.snapshot import fitted, read_schema
from pipelines.sql import tables_of
from pipelines.sync.addresses import LEFT_OUT
from pipelines.sync.compile import desired_sql
from pipelines.sync.fields import Field
from pipelines.sync.guards import blocked_by
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping import ObjectMapping, relation
from pipelines.sync.plan import plan_sql
from pipelines.sync.plan_differences import differences_sql
from pipelines.sync.saved_plan import Origin, Plan, load_plan, save_plan
from pipelines.sync.undo import undone_sql
from pipelines.warehouse import Written, literal, publish

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def desired(project: Project, day: date, object_name: str) -> Written:
    """Write ``sf_<object>``: the records of the batch's scope as the mapping wants them."""
    mappings = fitted(project, day)
    schema = read_schema(project, day)[object_name]
    query = desired_sql(mappings[object_name], schema, mappings, project.policies)
    return _write(project, day, relation("sf", object_name), query)


def left_out(project: Project, written: Written) -> int:
    """Rows of ``sf_<object>`` with an address that the org has no code for."""
    with project.warehouse.connect() as connection:
        counted = connection.execute(_left_out_sql(written.path)).fetchall()
    return int(counted[0][0])


def _left_out_sql(path: Path) -> str:
    return f"select count({LEFT_OUT}) from read_parquet({literal(path)})"


def plan(project: Project, day: date) -> tuple[Plan, list[Written]]:
    """Write ``plan_<object>`` for every object and save them as one plan.

    Raises:
        Blocked: a guard of ``policies.yaml`` stops the plan; it was saved, nothing was sent.
    """
    schema, mappings = read_schema(project, day), fitted(project, day)
    written = [_plan(project, day, one, schema[name]) for name, one in mappings.items()]
    with project.org() as org:
        origin = Origin(
            batch=day.isoformat(),
            organization_id=org.organization_id,
            username=org.username,
            made_from=dict(_digests(project.mappings)),
        )
    files = dict(zip(mappings, (part.path for part in written), strict=True))
    saved = save_plan(project.home, origin, files, mappings, schema)
    _point(project, day, saved.plan_id)
    heed_guards(project, day, saved)
    return saved, written


def newest(project: Project, day: date) -> Plan:
    """The plan that the day's ``plan_`` relations belong to.

    Raises:
        ConfigError: nothing was planned for that day yet, or the plan was edited.
    """
    pointer = _pointer(project, day)
    if not pointer.exists():
        raise ConfigError.at(pointer, None, f"nothing is planned for {day}; run `causeway sync`")
    return load_plan(project.home, pointer.read_text(encoding="utf-8").strip())


def heed_guards(project: Project, day: date, saved: Plan) -> None:
    """Stop a plan that is too much, also where only a later step is run on its own."""
    counts = _guarded(project, day, saved)
    reasons = blocked_by(counts, _ours(project, day), project.policies.guards)
    if reasons:
        listed = "\n".join(f"  {reason}" for reason in reasons)
        raise Blocked(
            f"plan {saved.plan_id} is blocked and nothing was sent:\n{listed}\n"
            f"Look at it, then raise the guard in {project.mappings / 'policies.yaml'}."
        )


def applied(saved: Plan, object_name: str) -> Path:
    """What became of one object's rows of a plan; only there once all were sent."""
    return saved.folder / "applied" / object_name.lower() / "outcomes.parquet"


def _guarded(project: Project, day: date, saved: Plan) -> dict[str, dict[str, int]]:
    """Object → rows by action that no guard has let pass yet.

    What a run that died was sending, and what this plan has written, has been released before.
    """
    counts = {}
    with project.connect(day) as connection, project.state.attach(connection):
        for name, part in saved.objects.items():
            if applied(saved, name).exists():
                continue
            left_behind.bind(project, connection, name)
            counted = connection.execute(_guarded_sql(saved.payload(name))).fetchall()
            counts[name] = dict.fromkeys(part.counts, 0) | dict(counted)
    return counts


def _guarded_sql(payload: Path) -> str:
    return (
        f"select action, count(*) from read_parquet({literal(payload)}) as planned "
        "anti join left_behind using (key) group by action order by action"
    )


def _plan(
    project: Project, day: date, mapping: ObjectMapping, schema: Mapping[str, Field]
) -> Written:
    """One object's part of the plan: first what differs, then what becomes of it."""
    object_name, policies = mapping.object, project.policies
    compared = differences_sql(mapping, schema, policies)
    query = plan_sql(mapping, schema, policies)
    made = {relation(stage, object_name) for stage in ("differences", "ledger", "undone", "scope")}
    with project.connect(day) as connection, project.state.attach(connection):
        for table in {*tables_of(compared), *tables_of(query)} - made:
            project.bind_table(connection, table, day)
        connection.execute(_table_sql(relation("differences", object_name), compared))
        _bind_written(project, connection, object_name)
        connection.execute(_view_sql(relation("scope", object_name), _NO_SCOPE))
        return project.warehouse.write(connection, relation("plan", object_name), day, query)


def _bind_written(project: Project, connection: DuckDBPyConnection, object_name: str) -> None:
    """Make ``ledger_<object>`` and ``undone_<object>``: what we wrote, and what was taken back."""
    left_behind.bind(project, connection, object_name)
    home = project.home / "orgs" / (project.home / "organization").read_text("utf-8").strip()
    differences = relation("differences", object_name)
    written = Ledger.of(home, object_name).sql(differences)
    connection.execute(_table_sql("written", written))
    connection.execute(
        _view_sql(relation("ledger", object_name), _ledger_sql(differences, object_name))
    )
    undone = undone_sql(home, object_name)
    connection.execute(_view_sql(relation("undone", object_name), undone))


def _ledger_sql(differences: str, object_name: str) -> str:
    """The ledger; of what was written before there was one only that it was we who wrote it."""
    return f"""
        with known as (
            select key, unnest(fields) as field from state.sent
            where object = {literal(object_name)}
            union
            select key, unnest(fields) as field from left_behind
        )
        select key, field, sent, stored from written
        union all
        select key, field, before as sent, before as stored
        from {differences}
        semi join known using (key, field)
        anti join written using (key, field)
    """


def _view_sql(name: str, query: str) -> str:
    return f"create or replace temp view {name} as {query}"


def _table_sql(name: str, query: str) -> str:
    return f"create or replace temp table {name} as {query}"


_NO_SCOPE = "select null::varchar as key, null::varchar as reason where false"


def _write(project: Project, day: date, name: str, query: str) -> Written:
    with project.connect(day) as connection:
        for table in tables_of(query):
            project.bind_table(connection, table, day)
        return project.warehouse.write(connection, name, day, query)


def _ours(project: Project, day: date) -> dict[str, int]:
    """Object → records of the snapshot that carry a key of ours."""
    with project.connect(day) as connection:
        return {
            name: _count(project, connection, day, mapping)
            for name, mapping in project.object_mappings.items()
        }


def _count(
    project: Project, connection: DuckDBPyConnection, day: date, mapping: ObjectMapping
) -> int:
    name = relation("org", mapping.object)
    project.bind_table(connection, name, day)
    [(count,)] = connection.execute(_ours_sql(name, mapping.key)).fetchall()
    return int(count)


def _ours_sql(name: str, key: str) -> str:
    return f"""select count(*) from {name} where "{key}" is not null and "IsDeleted" = 'false'"""


def _digests(mappings: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(mappings.glob("*.yaml")):
        yield path.name, hashlib.sha256(path.read_bytes()).hexdigest()


def _pointer(project: Project, day: date) -> Path:
    return project.home / "plans" / f"{day}.newest"


def _point(project: Project, day: date, plan_id: str) -> None:
    temporary = _pointer(project, day).with_suffix(".tmp")
    temporary.write_text(plan_id, encoding="utf-8")
    publish(temporary, _pointer(project, day))
