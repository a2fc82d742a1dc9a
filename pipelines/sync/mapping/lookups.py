"""Work tables of a mapping: the Ids of what it looks up, and why some have none."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.layout import indented
from pipelines.sync.mapping.expression import checked_sql
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.folder import matches_sql, of_object
from pipelines.sync.mapping.matched import open_sql
from pipelines.sync.mapping.model import FieldRule, ObjectMapping, relation
from pipelines.sync.mapping.named_objects import ROUTED
from pipelines.sync.mapping.owners import ids_sql, looks_up_owner, takes_queue, unfit_sql
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.values import entities_sql
from pipelines.sync.mapping.wire import PENDING, quoted
from pipelines.warehouse import literal


def lookup_ctes(
    rules: Mapping[str, FieldRule],
    schema: Mapping[str, Field],
    mappings: Mapping[str, ObjectMapping],
    policies: Policies,
) -> dict[str, str]:
    """For each object that is looked up, one relation of ``name``, ``id`` and why it ``waits``."""
    ctes: dict[str, str] = {}
    for name, rule in rules.items():
        field = schema[name]
        if looks_up_owner(rule):
            ctes[ids_of(rule, field)] = ids_sql(field.object, queues=takes_queue(field))
            if can_miss(rule):
                ctes["unfit_owners"] = unfit_sql(field.object)
        elif rule.lookup is not None:
            ctes[ids_of(rule, field)] = _record_ids_sql(rule.lookup, mappings, policies)
    return ctes


def _record_ids_sql(
    object_name: str, mappings: Mapping[str, ObjectMapping], policies: Policies
) -> str:
    """Key → Id of the org, else the mark of a create of this plan; neither where it is open."""
    parents = of_object(mappings, object_name)
    key = quoted(parents[0].key)
    mark = literal(f"{PENDING}{object_name.lower()}:")
    creates = dict.fromkeys(indented(_creates_sql(parent, mark), 2) for parent in parents)
    unions = "".join(f"        union all\n{create}\n" for create in creates)
    return _RECORD_IDS.format(
        matches=matches_sql(mappings, object_name),
        waits=indented(open_sql(object_name, policies), 2).strip(),
        records=relation("org", object_name),
        key=key,
        unions=unions,
    )


_RECORD_IDS = """\
select name, chosen.id as id, chosen.waits as waits
from (
    select name, arg_min({{'id': id, 'waits': waits}}, place) as chosen
    from (
        select
            entity_key as name,
            case when waits is null then sf_id end as id,
            waits,
            1 as place
        from (
            select
                entity_key,
                sf_id,
                {waits} as waits
            from {matches}
        )
        where sf_id is not null or waits is not null
        union all
        select lower({key}), "Id", null, 2
        from {records}
        where {key} is not null and "IsDeleted" = 'false'
{unions}    )
    group by name
)"""


def _creates_sql(parent: ObjectMapping, mark: str) -> str:
    """Key and mark of all that a mapping takes; routes alone tell where it goes by nothing else."""
    if parent.object in ROUTED and parent.condition == parent.routed:
        return (
            f"select entity_key, {mark} || entity_key, null, 3\n"
            f"from routes\nwhere sobject = {literal(parent.object)}"
        )
    key = parent.key_column
    return (
        f"select {key}, {mark} || {key}, null, 3\nfrom (\n{indented(entities_sql(parent))}\n"
        f") as entities_of_{parent.stem}\nwhere {checked_sql(parent.condition)}"
    )


def lookup_id_sql(rule: FieldRule, lookup: str, relation_of_ids: str) -> str:
    """The Id that a field gets: the one found, else that of its default."""
    ids = [] if rule.by is None else [f"{lookup}.id"]
    if rule.default is not None and (rule.by is None or rule.on_miss == "default"):
        # The default is looked up like any other value, so that it too is an active user.
        name = literal(str(rule.default).strip().lower())
        ids.append(f"(select id from {relation_of_ids} where name = {name})")
    return ids[0] if len(ids) == 1 else f"coalesce({', '.join(ids)})"


def lookup_value_sql(column: str) -> str:
    """What is looked up; keys and names are compared in lower case."""
    return f"lower(trim(routed.{quoted(column)}))"


def ids_of(rule: FieldRule, field: Field) -> str:
    """The work table of what a field looks up: whoever may own it, or records of one object."""
    if looks_up_owner(rule):
        return "owner_ids" if takes_queue(field) else "user_ids"
    return f"{(rule.lookup or '').lower()}_ids"


def can_miss(rule: FieldRule) -> bool:
    """Whether a row waits for a value that the org, or ``translate``, does not know."""
    if rule.lookup is not None:
        return rule.by is not None and rule.on_miss != "blank"
    return rule.translate is not None and rule.on_unknown == "reject"
