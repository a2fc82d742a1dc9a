"""What happens to each row of a plan: the CTEs from why it waits to what is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.sync.apply.payload import digest
from pipelines.sync.layout import listed
from pipelines.sync.mapping.fields import Field, parent_fields
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.policies import Policies, when
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.differences import compared
from pipelines.sync.plan.forecast import certain_sql
from pipelines.sync.plan.holds import (
    UNNEEDED,
    DeletedRecords,
    decide_sql,
    holds,
    reason_sql,
    skip_sql,
)
from pipelines.sync.plan.renames import ALONE, alone_sql, opt_outs_of, out_sql
from pipelines.sync.plan.row import WRITES
from pipelines.warehouse import literal


def actions_sql(
    mapping: ObjectMapping,
    schema: Mapping[str, Field],
    policies: Policies,
    lacking: DeletedRecords,
    *,
    parent: bool,
) -> str:
    """The CTEs from ``held`` to ``settled``, over ``joined``: one decision after the other."""
    moves = parent_fields(mapping.enabled(), schema)
    waits = holds(mapping, schema, lacking, parent=parent)
    opt_outs = opt_outs_of(compared(mapping, policies))
    return _ACTIONS.format(
        notes="".join(f"\n            {note}" for note in lacking.notes),
        unneeded=UNNEEDED,
        skip=skip_sql(out_sql(opt_outs)).replace("\n", "\n            "),
        refused=relation("refused", mapping.stem),
        waits=_waits(mapping, policies),
        certain=listed([certain_sql(mapping, schema)], 8),
        sends=", ".join(map(literal, WRITES)),
        reason=reason_sql(waits).replace("\n", "\n        "),
        decide=decide_sql(waits).replace("\n", "\n        "),
        alone=alone_sql(opt_outs),
        alone_name=ALONE,
        opt_outs=out_sql(opt_outs),
        values=listed(_created(mapping, policies), 16),
        moved=f"\n            when {_contains(moves)} then 'move'" if moves else "",
        excluded=EXCLUDED,
    )


_ACTIONS = """\
held as (
    select
        *,
        {reason} as reason,
        {decide} as decide,
        case
            when sf_id is not null or _was_undone then null{notes}
        end as note
    from joined
),

-- Whoever would be written, and is left out of the run; who waits anyway waits for that.
chosen as (
    select
        *,
        case when reason is null and not _undone and {excluded} is null and not {unneeded} then
            {skip}
        end as _skip
    from held
),

-- What is to be sent: on a create every value, else what was decided field by field.
sent as (
    select
        *,
        case
            when reason is not null or _skip is not null then []
            when _undone or {excluded} is not null or {unneeded} then []
            when sf_id is null then list_filter([
                {values}
            ], lambda name: name is not null)
            else _changed
        end as changed
    from chosen
),

planned as (
    select
        *,
        case
            when _undone or {excluded} is not null then 'unchanged'
            when reason is not null then 'hold'
            when {unneeded} then 'unchanged'
            when _skip is not null then 'skip'
            when sf_id is null then 'create'
            when _adopt then 'adopt'
            when _rule = 'deleted' then 'undelete'{moved}
            when list_contains(changed, 'OwnerId') then 'reassign'
            when len(changed) > 0 then 'update'
            else 'unchanged'
        end as action
    from sent
),

-- What the org's own words rule out is certain; what it refused of the record last time is likely.
foreseen as (
    select
        planned.*,
        {certain} as certain,
        case
            when action in ({sends}) then {{'code': refused.code, 'message': refused.message}}
        end as likely,
        {waits} as _refused,
        {alone}
    from planned
    left join {refused} as refused on refused.key = planned.key
),

-- What is said of a row and what is sent: of one that waits nothing, or its opt-out alone.
settled as (
    select
        *,
        case
            when _undone then null
            when {excluded} is not null then {excluded}
            when _refused then likely.message
            else coalesce(reason, _skip)
        end as waits,
        case
            when {alone_name} then {opt_outs}
            when not _refused then changed
            else []
        end as sends
    from foreseen
)"""


def _created(mapping: ObjectMapping, policies: Policies) -> Iterator[str]:
    for name in mapping.enabled():
        if when(mapping, name, policies) != "update":
            yield f"case when {quoted(name)} is not null then {literal(name)} end"


def _waits(mapping: ObjectMapping, policies: Policies) -> str:
    """Whether just this was refused for duplicates, and nobody has looked at them yet."""
    if policies.duplicate_rules != "review":
        return "false"
    sends = ", ".join(map(literal, WRITES))
    same = f"refused.waits = {digest(mapping.enabled(), policies.duplicate_rules)}"
    may_wait = f"action in ({sends}) and refused.waits is not null"
    return f"case when {may_wait} then {same} else false end"


def _contains(names: Sequence[str]) -> str:
    return " or ".join(f"list_contains(changed, {literal(name)})" for name in names)
