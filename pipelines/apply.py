"""Stage 9 at work: the rows of a saved plan go to the org, and what it says of them is kept."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipelines import left_behind
from pipelines.errors import ConfigError
from pipelines.plan import applied, heed_guards, newest
from pipelines.project import OBJECTS, Project
from pipelines.sync.apply import Outcomes, Progress, apply_object, check_ready
from pipelines.sync.mapping import relation
from pipelines.sync.state import sql, transaction
from pipelines.warehouse import Written, literal

if TYPE_CHECKING:
    from pipelines.salesforce.org import Org


def apply(
    project: Project, day: date, object_name: str, progress: Progress | None = None
) -> tuple[Outcomes, Written]:
    """Send one object's rows of the day's newest plan; write ``salesforce_<object>``.

    Raises:
        Blocked: a guard stops the plan.
        ConfigError: the org is production and ``orgs.yaml`` does not say that it may be written,
            or a parent object of this plan was not applied yet.
        SalesforceError: the org could not be talked to; run the batch again.
    """
    saved = newest(project, day)
    heed_guards(project, day, saved)
    parents = {
        name: path
        for name in OBJECTS[: OBJECTS.index(object_name)]
        if (path := applied(saved, name)).exists()
    }
    with project.org() as org, project.connect(day) as connection:
        _allow_writing(org)
        check_ready(saved, object_name, org, connection, parents)  # before anything counts as sent
        left_behind.begin(project, connection, saved, object_name)
        outcomes = apply_object(
            saved, object_name, org, connection, parents=parents, progress=progress
        )
        query = f"select * from read_parquet({literal(outcomes.path)})"
        name = relation("salesforce", object_name)
        written = project.warehouse.write(connection, name, day, query)
        project.warehouse.bind(connection, name, [day], name="outcomes")
        project.warehouse.bind(connection, relation("plan", object_name), [day], name="planned")
        with project.state.attach(connection):
            connection.execute("set variable batch = $1::date", [day])
            connection.execute("set variable object = $1", [object_name])
            with transaction(connection):
                connection.execute(sql("state/outcomes"))
                connection.execute(sql("state/sent"))
                connection.execute("delete from state.sending where object = getvariable('object')")
            project.state.publish(connection, "outcome")
    return outcomes, written


def _allow_writing(org: Org) -> None:
    if not (org.is_sandbox or org.connection.production):
        raise ConfigError.at(
            "orgs.yaml",
            None,
            f"{org.connection.name} is a production org; nothing was sent. Look at the plan, then"
            " write `production: true` below its name",
        )
