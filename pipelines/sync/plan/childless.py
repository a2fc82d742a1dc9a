"""Accounts that we made for somebody whom the org then refused: nobody belongs to them.

They stay, because whoever was refused may go through once the data or the org is put right, and
they are told wherever people look: by the summary of the run that made them, and by every plan
and summary after it, as long as nobody belongs to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.wire import PENDING, quoted
from pipelines.warehouse import literal

CHILDLESS = "we made it, and nobody belongs to it: "
"""How the reason of such a record begins."""


def links(
    parent: ObjectMapping, children: Mapping[str, ObjectMapping]
) -> Iterator[tuple[str, ObjectMapping, str]]:
    """Each way to belong to a parent: stem and mapping of the child, and its look-up."""
    for stem, mapping in children.items():
        for field, looked_up in mapping.lookups().items():
            if looked_up == parent.object:
                yield stem, mapping, field


def awaited_sql(parent: ObjectMapping, children: Mapping[str, ObjectMapping]) -> str:
    """Records of the org to whom only such rows of the plan belong as are not going to come.

    ``sf_id`` and ``why``; it reads the plans of the children, and their relations of the org.
    """
    queries, belonging = [], []
    for stem, mapping, field in links(parent, children):
        name = quoted(field)
        queries.append(f"""
            select
                {name} as sf_id,
                action = 'hold' or forecast is not null as waits,
                {literal(f"its {mapping.object} waits: ")}
                    || coalesce(reason, forecast_message, 'held') as why
            from {relation("plan", stem)}
            where sf_id is null and action in ('create', 'hold')
                and {name} is not null and not starts_with({name}, {literal(PENDING)})""")
        belonging.append(
            f"select {name} from {relation('org', mapping.object)}"
            f" where \"IsDeleted\" = 'false' and {name} is not null"
        )
    return f"""
        select sf_id, min(why) as why
        from ({" union all ".join(queries)})
        where sf_id not in ({" union all ".join(belonging)})
        group by sf_id
        having bool_and(waits)
    """


def left_childless_sql(parent: ObjectMapping, children: Mapping[str, ObjectMapping]) -> str:
    """What applying a plan left without anybody: ``name``, ``sf_id`` and ``why``.

    It reads ``plan_`` and ``salesforce_<mapping>`` of the parent and its children.
    """
    mark = f"{PENDING}{parent.object.lower()}:"
    queries = [
        f"""
        select
            {quoted(field)} as parent,
            answer.sf_id is not null and list_contains(planned.changed, {literal(field)})
                as belongs,
            {literal(f"its {mapping.object} was ")} || concat_ws(
                ': ', answer.outcome, answer.code, answer.message
            ) as why
        from {relation("plan", stem)} as planned
        join {relation("salesforce", stem)} as answer on answer.key = planned.key
        where {quoted(field)} is not null"""
        for stem, mapping, field in links(parent, children)
    ]
    name = quoted("Name") if "Name" in parent.enabled() else "planned.key"
    known = f"starts_with(planned.reason, {literal(CHILDLESS)})"
    return f"""
        with children as ({" union all ".join(queries)}),
        belonging as (
            select parent, bool_or(belongs) as anybody, min(why) filter (where not belongs) as why
            from children
            group by parent
        ),
        made as (
            select planned.key, answer.sf_id, {name} as name
            from {relation("plan", parent.stem)} as planned
            join {relation("salesforce", parent.stem)} as answer on answer.key = planned.key
            where answer.sf_id is not null
                and (answer.outcome = 'created' or {known})
        )
        select made.name, made.sf_id, coalesce(min(belonging.why), 'no row names it') as why
        from made
        left join belonging on belonging.parent in (made.sf_id, {literal(mark)} || made.key)
        group by all
        having not coalesce(bool_or(belonging.anybody), false)
        order by made.name, made.sf_id
    """
