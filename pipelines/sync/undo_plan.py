"""The inverse of a plan, row by row: what is put back, and what is left alone and why.

What a plan wrote is undone as far as it still stands: a field whose value has changed since is
left alone, and with it the other fields of its group; so is a record that we made and that others
have changed or hung things on. A record that we adopted loses our key and keeps everything else
that it has got since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipelines.sync.ledger_sql import SENT
from pipelines.sync.mapping.fields import OPT_OUTS, Field
from pipelines.sync.mapping.named_objects import converts
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.sync.prove import same_sql
from pipelines.warehouse import literal

OPTS_IN = "undoing it would opt somebody in again, which Causeway never does"
CONVERTED = "irreversible: it was converted since, and Salesforce has no way back"


def undo_sql(
    part: ObjectPlan,
    schema: Mapping[str, Field],
    plan_id: str,
    undos: Collection[str],
    user_id: str,
    groups: Mapping[str, Collection[str]],
) -> str:
    """The relation ``plan_<mapping>`` of an undo; columns as every plan has them.

    It reads these relations:

    - ``written``: the plan's segment of the ledger, whole;
    - ``planned``: the plan's rows, for what stood there before;
    - ``records``: what the org holds now;
    - ``read``: ``key``, ``field``, ``stored`` of what was read back otherwise than sent;
    - ``entries``: the ledger of these records, to see who wrote a field last;
    - ``undone_before``: ``key``, ``field`` (null: the record) of what was undone already;
    - ``hung``: ``sf_id`` and ``why`` of created records that others have hung things on;
    - ``users``: ``Id`` and ``Name``.

    Args:
        part: the object's part of the plan to be undone.
        schema: the fields of the object.
        plan_id: the plan to be undone.
        undos: plans that are undos themselves: what they wrote put things back.
        user_id: Id of the user we write as.
        groups: fields that move as one block, by name.
    """
    fields = [name for name in part.types if name in schema]
    group = {field: name for name, members in groups.items() for field in members}
    converted = (
        "coalesce(records.\"IsConverted\" = 'true', false)" if converts(part.object) else "false"
    )
    return _UNDO.format(
        cells=",\n            ".join(_cell_sql(schema[name], group.get(name)) for name in fields),
        key_field=quoted(part.key_field),
        converted=converted,
        plan_id=literal(plan_id),
        scope=literal(f"undo of {plan_id}"),
        own_plans=", ".join(map(literal, (plan_id, *undos))),
        user_id=literal(user_id),
        converted_since=literal(CONVERTED),
        opts_in=literal(OPTS_IN),
        columns=",\n    ".join(_value_sql(name) for name in part.types),
    )


def _cell_sql(field: Field, group: str | None) -> str:
    """One written field: what stands there now, what stood before, and whether it moved since."""
    name = literal(field.field)
    current, before = f"records.{quoted(field.field)}", f"planned.before[{name}]"
    stored = (
        f"case when list_contains(map_keys(read_values.stored), {name})"
        f" then read_values.stored[{name}] else written.{quoted(SENT + field.field)} end"
    )
    opts_in = f"coalesce({before}, 'false') = 'false'" if field.field in OPT_OUTS else "false"
    return (
        f"case when list_contains(written.fields, {name}) then {{'field': {name},"
        f" 'current': {current}, 'before': {before}, 'stored': {stored},"
        f" 'writer': writers.plans[{name}],"
        f" 'moved': not {same_sql(field, current, f'({stored})')},"
        f" 'back': {same_sql(field, current, before)}, 'opts_in': {opts_in},"
        f" 'block': {literal(group or field.field)}}} end"
    )


def _value_sql(name: str) -> str:
    restored_value = f"list_filter(cells, lambda cell: cell.field = {literal(name)})[1].before"
    restored = f"list_contains(changed, {literal(name)})"
    return f"case when {restored} then {restored_value} end as {quoted(name)}"


_UNDO = """\
with

read_values as (
    select key, map(list(field), list(stored)) as stored
    from read
    group by key
),

-- Who wrote each field of a record last. An undo put back what was there before.
writers as (
    select
        key,
        map(list(field), list(plan_id)) as plans,
        max(plan_id) filter (where plan_id not in ({own_plans})) as later
    from entries
    group by key
),

undone as (
    select
        key,
        bool_or(field is null) as whole,
        coalesce(list(field) filter (where field is not null), []) as fields
    from undone_before
    group by key
),

facts as (
    select
        written.key,
        written.sf_id,
        written.action as done,
        records."Id" is null or records."IsDeleted" = 'true' as is_deleted,
        {converted} as converted,
        lower(records.{key_field}) is distinct from lower(written.key) as keyless,
        writers.later,
        case
            when records."LastModifiedById" <> {user_id}
                then coalesce(users."Name", records."LastModifiedById")
        end as toucher,
        hung.why as hung,
        list_filter([
            {cells}
        ], lambda cell: cell is not null) as cells,
        coalesce(undone.fields, []) as undone_fields
    from written
    join planned on planned.key = written.key
    left join records on records."Id" = written.sf_id
    left join read_values on read_values.key = written.key
    left join writers on writers.key = written.key
    left join undone on undone.key = written.key
    left join hung on hung.sf_id = written.sf_id
    left join users on users."Id" = records."LastModifiedById"
    where not coalesce(undone.whole, false)
),

blocks as (
    select
        *,
        list_transform(
            list_filter(cells, lambda cell: cell.moved and not cell.back), lambda cell: cell.block
        ) as moved_blocks
    from facts
),

moved as (
    select
        *,
        list_filter(cells, lambda cell: cell.moved and not cell.back) as moved_cells,
        list_filter(
            cells,
            lambda cell: not cell.back
            and not cell.opts_in
            and not list_contains(moved_blocks, cell.block)
            and not list_contains(undone_fields, cell.field)
        ) as to_restore,
        list_filter(
            cells, lambda cell: not cell.moved and not cell.back and cell.opts_in
        ) as opt_outs
    from blocks
),

judged as (
    select
        *,
        case
            when is_deleted and done = 'create' then null
            when is_deleted then 'it was deleted since'
            when converted then {converted_since}
            when done in ('create', 'adopt') and keyless then 'it carries another key now'
            when done in ('create', 'adopt') and later is not null
                then 'plan ' || later || ' has written it since: undo that first'
            when done = 'create' and len(moved_cells) > 0
                then 'changed since: ' || array_to_string(list_transform(
                    moved_cells[1:3],
                    lambda cell: cell.field || ' is '
                        || coalesce('''' || cell.current || '''', 'blank')
                ), ', ')
            when done = 'create' and toucher is not null then toucher || ' has changed it since'
            when done = 'create' and hung is not null then hung
            when done = 'undelete' and len(to_restore) = 0
                then 'it was undeleted, which an undo does not take back'
            when
                done not in ('create', 'adopt')
                and len(to_restore) = 0
                and len(moved_cells) > 0
                then 'all that was written has changed since'
            when done not in ('create', 'adopt') and len(to_restore) = 0 and len(opt_outs) > 0
                then {opts_in}
        end as reason
    from moved
),

decided as (
    select
        *,
        case
            when reason is not null then 'hold'
            when is_deleted then 'unchanged'
            when done = 'create' then 'delete'
            when done = 'adopt' then 'clear_key'
            when len(to_restore) > 0 then 'restore'
            else 'unchanged'
        end as action,
        case
            when reason is not null or is_deleted or done = 'create' then []
            else list_transform(to_restore, lambda cell: cell.field)
        end as changed
    from judged
)

select
    key,
    action,
    sf_id,
    case
        when is_deleted and action = 'unchanged' then 'it is gone already'
        else reason
    end as reason,
    {scope} as scope,
    changed,
    map_from_entries(list_transform(
        list_filter(
            cells, lambda cell: action = 'delete' or list_contains(changed, cell.field)
        ),
        lambda cell: {{'k': cell.field, 'v': cell.current}}
    )) as before,
    case
        when is_deleted then []
        else list_transform(
            list_filter(
                cells,
                lambda cell: list_contains(changed, cell.field)
                or (
                    done <> 'create'
                    and not cell.back
                    and (list_contains(moved_blocks, cell.block) or cell.opts_in)
                )
            ),
            lambda cell: {{
                'field': cell.field,
                'decision': case
                    when list_contains(changed, cell.field) then 'restore' else 'left_alone'
                end,
                'before': cell.current,
                'after': cell.before,
                'sent': cell.stored,
                'why': case
                    when list_contains(changed, cell.field) then null
                    when cell.writer not in ({own_plans})
                        then 'plan ' || cell.writer || ' has written it since'
                    when cell.moved then 'changed since'
                    when list_contains(moved_blocks, cell.block)
                        then 'another field of its group was changed since'
                    when cell.opts_in then {opts_in}
                end
            }}
        )
    end as fields,
    null::varchar as forecast,
    null::varchar as forecast_code,
    null::varchar as forecast_message,
    {columns}
from decided
where action <> 'unchanged' or is_deleted
order by key"""
