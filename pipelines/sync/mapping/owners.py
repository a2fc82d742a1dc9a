"""Who may own records: active users, and queues of the records' object. Both are looked up by name.

A user is known by the username, a queue by its developer name, which has no ``@``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.errors import Problem
from pipelines.nearest import did_you_mean
from pipelines.sync.mapping.fields import Field, OrgSchema
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.named_objects import USER
from pipelines.warehouse import literal

QUEUE = "Group"
"""What a queue is to the org; fields that take one name it beside ``User``."""

QUEUES = {"Id": "varchar", "DeveloperName": "varchar", "object": "varchar"}
"""The columns of ``org_queue``: a row for each object whose records a queue may own."""

QUEUES_SOQL = "select QueueId, Queue.DeveloperName, SobjectType from QueueSobject"


def users_soql(names: Iterable[str]) -> str:
    """Users by their usernames; SOQL compares them in whatever case."""
    escaped = (name.replace("\\", "\\\\").replace("'", "\\'") for name in sorted(names))
    listed = ", ".join(f"'{name.strip()}'" for name in escaped)
    return f"select Username, IsActive from {USER} where Username in ({listed})"


@dataclass(frozen=True)
class Owners:
    """Who there is, by names in lower case.

    Attributes:
        users: username → whether the user is active.
        queues: developer name → the objects whose records the queue may own.
    """

    users: Mapping[str, bool]
    queues: Mapping[str, frozenset[str]]


def takes_queue(field: Field) -> bool:
    """Whether a queue may stand in a field."""
    return QUEUE in field.reference_to


def looks_up_owner(rule: FieldRule) -> bool:
    """Whether a field's value is the Id of a user or queue."""
    return rule.lookup == USER


def default_owners(mappings: Mapping[str, ObjectMapping]) -> set[str]:
    """The names by which mappings name one owner for all."""
    return {
        str(rule.default)
        for mapping in mappings.values()
        for rule in mapping.enabled().values()
        if looks_up_owner(rule) and rule.default is not None
    }


def owner_problems(
    mappings: Mapping[str, ObjectMapping], schema: OrgSchema, owners: Owners
) -> Iterator[Problem]:
    """Default owners that cannot own: records would be made without them, and nobody be told."""
    for mapping in mappings.values():
        for name, rule in mapping.enabled().items():
            field = schema.get(mapping.object, {}).get(name)
            if field is None or rule.default is None or not looks_up_owner(rule):
                continue
            if reason := _unfit(str(rule.default), field, owners):
                yield mapping.problem(f"{name}: {reason}", "fields", name, "default")


def _unfit(owner: str, field: Field, owners: Owners) -> str | None:
    name = owner.strip().lower()
    if name in owners.users:
        return None if owners.users[name] else f"the User {owner} is inactive"
    if name in owners.queues:
        fits = takes_queue(field) and field.object in owners.queues[name]
        return None if fits else f"{owner} is a queue that may not own a {field.object}"
    hint = did_you_mean(owner, owners.queues, listed=False)
    return f"the org has no User {owner}{hint}"


def ids_sql(object_name: str, *, queues: bool) -> str:
    """Names in lower case and Ids of all who may own records of an object; none ``waits``."""
    return _IDS + (_QUEUE_IDS.format(object=literal(object_name)) if queues else "")


_IDS = """\
select lower("Username") as name, min("Id") as id, null::varchar as waits
from org_user
where "IsActive" = 'true'
group by lower("Username")"""

_QUEUE_IDS = """
union all
select lower("DeveloperName"), min("Id"), null
from org_queue
where object = {object}
group by lower("DeveloperName")"""


def unfit_sql(object_name: str) -> str:
    """Why somebody whom the org knows cannot own records of an object: ``name``, ``why``."""
    return _UNFIT.format(may_not=literal(f" is a queue that may not own a {object_name}"))


_UNFIT = """\
select lower("Username") as name, 'the User ' || lower("Username") || ' is inactive' as why
from org_user
group by lower("Username")
having not bool_or("IsActive" = 'true')
union all
select distinct lower("DeveloperName"), lower("DeveloperName") || {may_not}
from org_queue"""
