"""Values that the org has no field for: those of ``optional`` fields that it does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.sync.mapping.expression import checked_sql
from pipelines.sync.mapping.values import entities_sql, value_sql
from pipelines.sync.mapping.wire import quoted

if TYPE_CHECKING:
    from datetime import date

    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping

READ = ("people", "accounts", "account_links", "routes")
"""What a mapping's rows come from."""


def unsent(project: Project, day: date) -> dict[str, dict[str, int]]:
    """Object → optional field that it has not → rows of the batch with a value for it."""
    batch = Batch(project, day)
    if not all(batch.path(name).exists() for name in ("org_schema", *READ)):
        return {}
    counts: dict[str, dict[str, int]] = {}
    for mapping in project.object_mappings.values():
        absent = mapping.absent(batch.schema.get(mapping.object, {}))
        if not absent:
            continue
        with batch.connect() as connection:
            for name in READ:
                project.warehouse.bind(connection, name, [day])
            [numbers] = connection.execute(_unsent_sql(mapping, absent)).fetchall()
        for name, rows in zip(absent, numbers, strict=True):
            if rows:
                fields = counts.setdefault(mapping.object, {})
                fields[name] = fields.get(name, 0) + rows
    return counts


def _unsent_sql(mapping: ObjectMapping, absent: list[str]) -> str:
    columns = ", ".join(
        f"count({value_sql(mapping.fields[name])}) as {quoted(name)}" for name in absent
    )
    return (
        f"with entities as (\n{entities_sql(mapping)}\n)\n\n"
        f"select {columns}\nfrom entities\nwhere {checked_sql(mapping.condition)}"
    )
