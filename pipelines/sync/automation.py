"""SQL of what the org's own automation changed after a value was read back."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.prove import same_sql
from pipelines.warehouse import literal


def later_sql(schema: Mapping[str, Field], key_field: str, *, entries: str, user_id: str) -> str:
    """What the org changed later of what we wrote.

    Columns: ``plan_id``, ``key``, ``sf_id``, ``field``, ``sent``, ``stored``.

    Compares the relation ``after`` with ``before``, two versions of the same records. Only a value
    that stood as we knew it counts, in a record that our user was the last to touch before and
    after: whatever another user did stays a difference.

    Args:
        schema: the fields to look at.
        key_field: the External Id field.
        entries: the ledger of these records in long form.
        user_id: Id of the user we write as.
    """
    cells = ",\n            ".join(_later_sql(field) for field in schema.values())
    return _LATER.format(
        key=quoted(key_field), cells=cells, entries=entries, user_id=literal(user_id)
    )


_LATER = """\
with

entries as ({entries}),

recorded as (
    select
        key,
        any_value(sf_id) as sf_id,
        map(list(field), list(sent)) as sent,
        map(list(field), list(stored)) as stored,
        map(list(field), list(plan_id)) as plans
    from entries
    where proven
    group by key
),

changed as (
    select
        recorded.key,
        recorded.sf_id,
        recorded.sent,
        recorded.plans,
        list_filter([
            {cells}
        ], lambda cell: cell is not null) as cells
    from after
    join before on before."Id" = after."Id"
    join recorded on recorded.key = after.{key}
    where after."LastModifiedById" = {user_id} and before."LastModifiedById" = {user_id}
),

cells as (
    select key, sf_id, sent, plans, unnest(cells) as cell
    from changed
    where len(cells) > 0
)

select
    plans[cell.field] as plan_id,
    key,
    sf_id,
    cell.field as field,
    sent[cell.field] as sent,
    cell.stored as stored
from cells"""


def _later_sql(field: Field) -> str:
    before, current = f"before.{quoted(field.field)}", f"after.{quoted(field.field)}"
    name = literal(field.field)
    return (
        f"case when {before} is distinct from {current}"
        f" and list_contains(map_keys(recorded.stored), {name})"
        f" and not {same_sql(field, before, current)}"
        f" and {same_sql(field, before, f'recorded.stored[{name}]')}"
        f" then {{'field': {name}, 'stored': {current}}} end"
    )
