"""Stage 5 at work: one batch against the state, each step one transaction.

The values of people and accounts stay in the batches' files; the state only knows which file
holds the newest. A file is written before the state points to it, so that a crash between the two
leaves the old pointer, and running the batch again puts it right.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.memo import Memo
from pipelines.plan.scope import bind_widened, widened_digest, widening
from pipelines.project import Project
from pipelines.sources.relations import SPEAKING
from pipelines.sql import SqlFile
from pipelines.sync import identity
from pipelines.sync.decisions import ID, form
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.state import sql, transaction
from pipelines.validate.judge_sql import ORIGIN
from pipelines.warehouse import Written, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def link(batch: Batch) -> list[Written]:
    """Cluster what the batch reaches; writes ``person_links`` and ``open_identities``."""
    if _same(batch):
        return [batch.written(name) for name in LINKED]
    with batch.connect() as connection, batch.project.state.attach(connection):
        batch.bind_table(connection, "person_records")
        _bind_rejected(batch, connection)
        bind_widened(batch.project, connection, widening(batch))
        _bind_org_keys(batch.project, connection)
        identity.resolve(connection, batch.day)
        queries = (sql("identity/links"), sql("identity/open_identities"))
        written = [
            batch.write(connection, name, query)
            for name, query in zip(LINKED, queries, strict=True)
        ]
        batch.project.state.publish(connection, "member")
    return written


LINKED = ("person_links", "open_identities")
"""The relations that clustering makes."""


def _bind_rejected(batch: Batch, connection: DuckDBPyConnection) -> None:
    """Fill ``rejected_statements``: what is wrong with a row does not unsay its "no"."""
    connection.execute(sql("identity/rejected_statements"))
    for raw in SPEAKING:
        entity = raw.removeprefix("raw_")
        if batch.rows(connection, f"rejected_{entity}"):
            for stage in ("stg", "rejected"):
                batch.bind_table(connection, f"{stage}_{entity}")
            connection.execute(_rejected_sql(entity))


def _rejected_sql(entity: str) -> str:
    origin = ", ".join(ORIGIN)
    return f"""
        insert into rejected_statements
        select
            record_key(source, coalesce(source_id, _file || ':' || _row)),
            _batch,
            source,
            source_id,
            email,
            case when updated_at <= as_of then updated_at end,
            consent
        from stg_{entity} semi join rejected_{entity} using ({origin})
        where consent is not null
    """


def _bind_org_keys(project: Project, connection: DuckDBPyConnection) -> None:
    """Make ``org_key``: the keys that records of the org carry, where decisions name any."""
    ids = [name for line in project.decisions.lines for name in (line.reference, line.target)]
    queries = ["select null::varchar as id, null::varchar as key where false"]
    if any(name is not None and form(name) == ID for name in ids):
        for name, key in project.keys.items():
            project.bind_org(connection, name)
            queries.append(_org_keys_sql(relation("org", name), key))
    connection.execute(f"create or replace temp table org_key as {' union all '.join(queries)}")


def _org_keys_sql(records: str, key: str) -> str:
    return f'select "Id", lower({quoted(key)}) from {records} where {quoted(key)} is not null'


def people(batch: Batch, file: SqlFile) -> Written:
    """Make the golden people of the batch, and let the state point to them."""
    if _same(batch):
        return batch.written("people")
    with batch.connect() as connection, batch.project.state.attach(connection):
        connection.execute(sql("identity/aliases"))
        batch.bind(connection, file)
        for name in ("statements", "heard"):
            connection.execute(sql(f"identity/{name}"))
        written = batch.write(connection, "people", file.query)
        batch.bind_table(connection, "people")
        connection.execute(sql("identity/point_people"))
        batch.project.state.publish(connection, "person")
    return written


def account_links(batch: Batch, file: SqlFile) -> Written:
    """Decide which account each person of the batch belongs to."""
    if _same(batch):
        return batch.written("account_links")
    with batch.connect() as connection, batch.project.state.attach(connection):
        connection.execute(sql("identity/account_references"))
        batch.bind(connection, file)
        return batch.write(connection, "account_links", file.query)


def accounts(batch: Batch, file: SqlFile) -> Written:
    """Make the golden accounts that the batch's people belong to, or did until now."""
    if _same(batch):
        return batch.written("accounts")
    with batch.connect() as connection, batch.project.state.attach(connection):
        for name in ("people", "account_links"):
            batch.bind_table(connection, name)
        with transaction(connection):
            connection.execute(sql("identity/account_members"))
            batch.bind(connection, file)
            written = batch.write(connection, "accounts", file.query)
        batch.project.state.publish(connection, "account_member", "account")
    _memo(batch).keep()
    return written


def _same(batch: Batch) -> bool:
    """Whether the batch's records, everybody's links and who waits are what they were."""
    return _memo(batch).cached() is not None


def _memo(batch: Batch) -> Memo:
    """The memo of these relations, kept with the last one: the state is as it left it."""
    state_tables = [batch.project.state.published(name) for name in DECIDING]
    made_from = [batch.path("person_records"), *state_tables, _waiting(batch.project)]
    made_from += [batch.path(raw.replace("raw_", "rejected_")) for raw in SPEAKING]
    made_from.append(widened_digest(batch))
    return batch.memo("accounts", made_from, "people", "account_links", *LINKED)


DECIDING = ("member", "person", "account_member", "account")
"""What of the state decides who a batch's people are, besides its own records."""


def _waiting(project: Project) -> str:
    """A digest of who was held or rejected before, for they join the scope of every batch."""
    outcomes = project.state.published("outcome")
    if not outcomes.exists():
        return ""
    with project.warehouse.connect() as connection:
        query = _waiting_sql(outcomes)
        [(waiting,)] = connection.execute(query, [project.bound_org]).fetchall()
    return str(waiting)


def _waiting_sql(outcomes: Path) -> str:
    return (
        f"select md5(string_agg(key, ' ' order by key)) from {parquet_sql(outcomes)} "
        "where outcome in ('held', 'skipped', 'rejected', 'unknown')"
        " and organization_id is not distinct from $1"
    )
