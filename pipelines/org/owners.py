"""Who may own records in an org: its queues, and whether the owners that mappings name are fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.sync.mapping.owners import (
    QUEUES,
    QUEUES_SOQL,
    Owners,
    default_owners,
    looks_up_owner,
    owner_problems,
    users_soql,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.project import Project
    from pipelines.salesforce.org import Org
    from pipelines.sync.mapping.fields import OrgSchema


def queues(project: Project, org: Org) -> pa.Table:
    """The rows of ``org_queue``; nothing is asked where no mapping looks up owners."""
    import pyarrow as pa

    rules = [rule for one in project.object_mappings.values() for rule in one.enabled().values()]
    records = org.query(QUEUES_SOQL) if any(map(looks_up_owner, rules)) else iter(())
    rows = [
        {
            "Id": row["QueueId"],
            "DeveloperName": row["Queue"]["DeveloperName"],
            "object": row["SobjectType"],
        }
        for row in records
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in QUEUES]))


def check_owners(project: Project, org: Org, schema: OrgSchema) -> None:
    """Hold the owners that mappings name for all against the org as it is now.

    Raises:
        ConfigError: one is unknown, inactive, or a queue that may not own such records.
    """
    names = default_owners(project.object_mappings)
    if not names:
        return
    users: dict[str, bool] = {}
    for row in org.query(users_soql(names)):
        name = str(row["Username"]).lower()
        users[name] = users.get(name, False) or bool(row["IsActive"])
    owned: dict[str, set[str]] = {}
    for row in queues(project, org).to_pylist():
        owned.setdefault(row["DeveloperName"].lower(), set()).add(row["object"])
    owners = Owners(users, {name: frozenset(objects) for name, objects in owned.items()})
    if problems := list(owner_problems(project.object_mappings, schema, owners)):
        raise ConfigError(problems)
