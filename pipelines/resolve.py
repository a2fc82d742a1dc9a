"""Stage 5 at work: one batch against the state, each step one transaction.

The values of people and accounts stay in the batches' files; the state only knows which file
holds the newest. A file is written before the state points to it, so that a crash between the two
leaves the old pointer, and running the batch again puts it right.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines.memo import Memo
from pipelines.plan.scope import bind_widened, widened_digest, widening
from pipelines.project import Project
from pipelines.sql import SqlFile
from pipelines.sync import identity
from pipelines.sync.state import sql, transaction
from pipelines.warehouse import Written, literal


def link(project: Project, day: date) -> Written:
    """Cluster what the batch reaches; writes ``person_links``."""
    if _same(project, day):
        return project.written("person_links", day)
    with project.connect(day) as connection, project.state.attach(connection):
        project.warehouse.bind(connection, "person_records", [day])
        bind_widened(project, connection, widening(project, day))
        identity.resolve(connection, day)
        written = project.warehouse.write(connection, "person_links", day, sql("identity/links"))
        project.state.publish(connection, "member")
    return written


def people(project: Project, file: SqlFile, day: date) -> Written:
    """Make the golden people of the batch, and let the state point to them."""
    if _same(project, day):
        return project.written("people", day)
    with project.connect(day) as connection, project.state.attach(connection):
        connection.execute(sql("identity/aliases"))
        project.bind(connection, file, day)
        written = project.warehouse.write(connection, "people", day, file.query)
        project.warehouse.bind(connection, "people", [day])
        connection.execute(sql("identity/point_people"))
        project.state.publish(connection, "person")
    return written


def accounts(project: Project, file: SqlFile, day: date) -> Written:
    """Make the golden accounts that the batch's people belong to, or did until now."""
    if _same(project, day):
        return project.written("accounts", day)
    with project.connect(day) as connection, project.state.attach(connection):
        project.warehouse.bind(connection, "people", [day])
        with transaction(connection):
            connection.execute(sql("identity/account_members"))
            project.bind(connection, file, day)
            written = project.warehouse.write(connection, "accounts", day, file.query)
        project.state.publish(connection, "account_member", "account")
    _memo(project, day).keep()
    return written


def _same(project: Project, day: date) -> bool:
    """Whether the batch's records, everybody's links and who waits are what they were."""
    return _memo(project, day).known() is not None


def _memo(project: Project, day: date) -> Memo:
    """The memo of the three relations, kept with the last one: the state is as it left it."""
    known = [project.state.published(name) for name in DECIDING]
    made_from = [project.warehouse.path("person_records", day), *known, _waiting(project)]
    made_from.append(widened_digest(project, day))
    return project.memo("accounts", day, made_from, "people", "person_links")


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
        f"select md5(string_agg(key, ' ' order by key)) from read_parquet({literal(outcomes)}) "
        "where outcome in ('held', 'rejected', 'unknown')"
        " and organization_id is not distinct from $1"
    )
