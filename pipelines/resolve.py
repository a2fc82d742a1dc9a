"""Stage 5 at work: one batch against the state, each step one transaction.

The values of people and accounts stay in the batches' files; the state only knows which file
holds the newest. A file is written before the state points to it, so that a crash between the two
leaves the old pointer, and running the batch again puts it right.
"""

from __future__ import annotations

from datetime import date

from pipelines.project import Project
from pipelines.sql import SqlFile
from pipelines.sync import identity
from pipelines.sync.state import sql, transaction
from pipelines.warehouse import Written


def link(project: Project, day: date) -> Written:
    """Cluster what the batch reaches; writes ``person_links``."""
    with project.connect(day) as connection, project.state.attach(connection):
        project.warehouse.bind(connection, "person_records", [day])
        identity.resolve(connection, day)
        written = project.warehouse.write(connection, "person_links", day, sql("identity/links"))
        project.state.publish(connection, "member", "person")
    return written


def people(project: Project, file: SqlFile, day: date) -> Written:
    """Make the golden people of the batch, and let the state point to them."""
    written = project.run_sql(file, day)
    with project.connect(day) as connection, project.state.attach(connection):
        project.warehouse.bind(connection, "people", [day])
        connection.execute(sql("identity/point_people"))
        project.state.publish(connection, "person")
    return written


def accounts(project: Project, file: SqlFile, day: date) -> Written:
    """Make the golden accounts that the batch's people belong to, or did until now."""
    with project.connect(day) as connection, project.state.attach(connection):
        project.warehouse.bind(connection, "people", [day])
        with transaction(connection):
            connection.execute(sql("identity/account_members"))
            project.bind(connection, file, day)
            written = project.warehouse.write(connection, "accounts", day, file.query)
        project.state.publish(connection, "account_member", "account")
    return written
