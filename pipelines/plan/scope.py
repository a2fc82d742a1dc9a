"""Who is in a plan besides those its batch touched, and why.

The batch brings its own people, and who was held or rejected earlier. With them come the people
whose records somebody changed in the org since the plan that was applied last; and everyone, when
what plans are made from (mappings, policies, sources, the org's fields) has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipelines.memo import version
from pipelines.org.mirror import read_manifest
from pipelines.plan.guards import DESCRIBE, changed, digests
from pipelines.sync.apply.journal import Journal
from pipelines.sync.layout import table_sql
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.opt_outs import BY_ADDRESS
from pipelines.sync.plan.saved import HEADER, parts_of, read_header
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch
    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping
    from pipelines.warehouse import Warehouse

CHANGED = "its record changed in the org"
WAITED = "held or rejected earlier"
LEFT_OUT = "left out of an earlier run"
ALONG = "belongs to a record that is in the plan"
ANEW = "changed since the last plan: {}"


@dataclass(frozen=True)
class Widening:
    """What widens the scope of a batch.

    Attributes:
        anew: what plans are made from and has changed since the one applied last; then everyone
            is in the scope.
        seen: object → the newest stamp of a record that the last plan knew of.
    """

    anew: tuple[str, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)


def widening(batch: Batch) -> Widening:
    """Compare what is with what the plan that was applied last was made from."""
    last = _last_applied(batch.project)
    if last is None:
        return Widening()
    current = digests(batch.project, batch.schema)
    anew = [
        name for name in changed(last["made_from"], current) if batch.schema or name != DESCRIBE
    ]
    return Widening(tuple(anew), last.get("seen", {}))


def bind_widened(project: Project, connection: DuckDBPyConnection, widened: Widening) -> None:
    """Make the table ``widened`` (``key``, ``reason``); the state must be attached."""
    queries = _changed(project, widened)
    if widened.anew:
        reason = literal(ANEW.format(", ".join(widened.anew)))
        queries.append(
            f"select person_spelling(person, spelling), {reason} from state.person"
            " where alias_of is null"
        )
    connection.execute(table_sql("widened", " union all ".join(queries)))


def widened_digest(batch: Batch) -> str:
    """A digest of who joins the scope of a batch besides its own people, and why."""
    project, wider = batch.project, widening(batch)
    mirrors = [relation("org", name) for name in wider.seen if name in project.objects]
    versions = [version(file) for mirror in mirrors for file in project.org_files(mirror)]
    queries = _changed(project, wider)
    changed = _digest(project.warehouse, tuple(queries), tuple(versions))
    return f"{wider.anew} {changed}"


def _changed(project: Project, widened: Widening) -> list[str]:
    """Queries of ``key`` and ``reason``: whose record somebody has changed in the org."""
    queries = ["select null::varchar as key, null::varchar as reason where false"]
    views = project.org_views() if widened.seen else {}
    for name, since in widened.seen.items():
        manifest = read_manifest(project.mirror(name))
        mappings = of_object(project.object_mappings, name)
        if manifest is not None and mappings:
            key, records = mappings[0].key, views[relation("org", name)]
            queries.append(_changed_sql(records, key, since, manifest.user_id))
    return queries


@lru_cache(maxsize=8)  # the memos of every step ask for it
def _digest(warehouse: Warehouse, queries: tuple[str, ...], _versions: tuple[str, ...]) -> str:
    with warehouse.connect() as connection:
        [(changed,)] = connection.execute(
            f"select md5(string_agg(key, ' ' order by key)) from ({' union all '.join(queries)})"
        ).fetchall()
    return str(changed)


def newest_stamps(project: Project, connection: DuckDBPyConnection) -> dict[str, str]:
    """Object → the newest stamp of its records, by the org's own clock."""
    stamps = {}
    for name in project.objects:
        project.bind_org(connection, name)
        query = f'select max("SystemModstamp") from {relation("org", name)}'
        [(stamp,)] = connection.execute(query).fetchall()
        stamps[name] = stamp or ""
    return stamps


def bind_scope(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> None:
    """Make ``scope_<mapping>``: why a row is in the plan that the batch did not touch.

    ``sf_`` and ``strangers_<mapping>`` must be there.
    """
    widened = widening(batch)
    bind_widened(batch.project, connection, widened)
    batch.bind_table(connection, "person_links")
    batch.bind_table(connection, "account_links")
    anew = ANEW.format(", ".join(widened.anew)) if widened.anew else ALONG
    scope = _scope_sql(mapping, batch.day, anew)
    connection.execute(table_sql(relation("scope", mapping.stem), scope))


def _changed_sql(records: str, key: str, since: str, user_id: str) -> str:
    return (
        f"select lower({quoted(key)}), {literal(CHANGED)} from ({records})"
        f' where {quoted(key)} is not null and "SystemModstamp" > {literal(since)}'
        f' and "LastModifiedById" is distinct from {literal(user_id)}'
    )


def _scope_sql(mapping: ObjectMapping, day: date, otherwise: str) -> str:
    """Nothing where nobody else can be in the scope, which is the rule."""
    return f"""
        with people as (
            select person_key from person_links where batch = {literal(day.isoformat())}
        ),
        touched as (
            {_TOUCHED[mapping.from_]}
        ),
        waited as (
            select key from known_outcomes
            where object = {literal(mapping.object)} and outcome in ('held', 'rejected')
        ),
        skipped as (
            select key from known_outcomes
            where object = {literal(mapping.object)} and outcome = 'skipped'
        )
        select
            desired.key,
            case
                when desired.key in (select key from {relation("strangers", mapping.stem)})
                    then {literal(BY_ADDRESS)}
                when desired.key in (select key from widened where reason = {literal(CHANGED)})
                    then {literal(CHANGED)}
                when desired.key in (select key from waited) then {literal(WAITED)}
                when desired.key in (select key from skipped) then {literal(LEFT_OUT)}
                else {literal(otherwise)}
            end as reason
        from {relation("sf", mapping.stem)} as desired
        anti join touched using (key)
    """


_TOUCHED = {
    "people": "select person_key as key from people",
    "accounts": "select account_key as key from account_links semi join people using (person_key)",
}
"""Golden relation → the keys of it that the batch touched."""


def _last_applied(project: Project) -> dict[str, Any] | None:
    """The header of the newest plan of a sync that was applied to this org, all of it."""
    plans = project.home / "plans"
    headers = sorted(plans.glob(f"[!.]*/{HEADER}"), key=lambda path: -path.stat().st_mtime_ns)
    for path in headers:
        header = read_header(path)
        done = all(
            Journal.of(path.parent, part.stem).outcomes.exists() for part in parts_of(header)
        )
        is_of_bound_org = header["organization_id"] == project.bound_org
        if done and is_of_bound_org and header.get("kind", "sync") == "sync":
            return header
    return None
