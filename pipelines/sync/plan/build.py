"""The plan: what the records should look like against what the org holds, row by row.

Everything is decided here. A row carries the fields that are to be sent (``changed``) and their
values; applying it adds nothing to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.sync.apply.payload import digest
from pipelines.sync.mapping.compile import CUT, EXCLUDED, HELD_NEW
from pipelines.sync.mapping.fields import Field, parent_fields
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.policies import Policies, when
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.childless import CHILDLESS
from pipelines.sync.plan.decisions import KEPT, decided_ctes, row_fields_sql, rules_sql
from pipelines.sync.plan.differences import compared, listed, matched_sql
from pipelines.sync.plan.forecast import certain_sql, holder_columns, holder_ctes, holder_joins
from pipelines.sync.plan.holds import (
    CHILD,
    CHILD_SKIPS,
    FREE,
    NEEDED,
    NOBODY,
    SKIP_FIELDS,
    SKIPS,
    UNNEEDED,
    decide_sql,
    deleted_records,
    holds,
    reason_sql,
    several_records_sql,
    skip_sql,
)
from pipelines.sync.plan.renames import (
    ALONE,
    ALONE_REASON,
    EXCLUDED_REASON,
    RENAMED,
    alone_sql,
    opt_outs_of,
    out_sql,
    renamed_sql,
    renames_columns,
)
from pipelines.sync.plan.row import WRITES
from pipelines.sync.undo import digest_sql
from pipelines.warehouse import literal

UNDONE = "it was undone, and nothing that we want of it has changed since"
NO_SOURCE = "no source mentions it any more"
WITHDRAWN = f"{NO_SOURCE}; its record stays as it is, and nothing is deleted"
OWNER = "OwnerId"


def plan_sql(
    mapping: ObjectMapping,
    schema: Mapping[str, Field],
    policies: Policies,
    *,
    parent: bool = False,
) -> str:
    """The relation ``plan_<mapping>``: ``COLUMNS``, then the desired fields in wire form.

    It reads ``sf_`` and ``org_match_<mapping>``, and relations that are not assets:
    ``differences_<mapping>``; ``ledger_<mapping>`` (``key``, ``field``, ``sent``, ``stored``), what
    we wrote last; ``undone_<mapping>`` (``key``, ``field``, ``value``), what was taken back,
    without a field the record; ``scope_<mapping>`` (``key``, ``reason``), why a row is here that
    the batch did not touch; ``refused_<mapping>`` (``key``, ``code``, ``message``, ``waits``), what
    the org said of it, and the digest of what somebody has to look at before it is sent again;
    ``lost_<mapping>`` (``key``), what we wrote and is gone for good; ``withdrawn_<mapping>``
    (``key``, ``sf_id``, ``called``), records of ours that no source mentions any more;
    ``namers_<mapping>``, see ``renames.namers_sql``; ``open_<mapping>`` (``key``, ``waits``,
    ``proposed``, ``decide``), of whom it is open whether they are one person with somebody;
    ``skips_<mapping>``, see ``skips.skips_sql``: whom the choice of the run leaves out. Of a
    parent, whom others need, also ``needed_<mapping>``, see ``holds.needed_sql``: none is created
    that nobody needs; and ``awaited_<mapping>``, see ``childless.awaited_sql``.

    ``fields`` says something of every field that differs, written or not; of a create, whose every
    value is written, only which of them were cut. ``decide`` holds the lines that somebody may add
    to ``decisions.csv``, one below the other, where such a line lets the row go.
    """
    name, moves = mapping.stem, parent_fields(mapping.enabled(), schema)
    work = {
        **holder_ctes(mapping, schema),
        "rules": rules_sql(mapping, schema, policies),
        **decided_ctes(*(relation(stage, name) for stage in ("differences", "ledger", "undone"))),
        "cuts": _CUTS.format(cut=CUT),
        "row_fields": row_fields_sql(),
        "renamed": renamed_sql(mapping, compared(mapping, policies)),
    }
    fields = [quoted(field) for field in mapping.enabled()]
    lacking = deleted_records(mapping, policies)
    waits = holds(mapping, schema, lacking, parent=parent)
    opt_outs = opt_outs_of(compared(mapping, policies))
    return _PLAN.format(
        desired=relation("sf", name),
        matched=matched_sql(mapping, policies),
        lost=relation("lost", name),
        withdrawn=relation("withdrawn", name),
        reason_withdrawn=literal(WITHDRAWN),
        named="".join(f",\n    {quoted(field)}" for field in called(mapping)),
        scope_withdrawn=literal(NO_SOURCE),
        key_field=literal(mapping.key),
        several_records=several_records_sql(mapping, policies),
        matched_id=lacking.sf_id,
        notes="".join(f"\n            {note}" for note in lacking.notes),
        namers=relation("namers", name),
        open=relation("open", name),
        needed=_CHILDREN if parent else FREE,
        needed_join=_needed_join(name) if parent else "",
        nobody=NOBODY,
        reason_childless=literal(CHILDLESS),
        unneeded=UNNEEDED,
        reason_unneeded=literal(
            f"nobody of this plan belongs to it, so no {mapping.object} is made"
        ),
        renames=listed(renames_columns(), 8),
        scope=relation("scope", name),
        skips=relation("skips", name),
        skip_why=SKIPS,
        skip_fields=SKIP_FIELDS,
        skip=skip_sql(out_sql(opt_outs)).replace("\n", "\n            "),
        work="\n\n".join(f"{cte} as (\n{_indented(body)}\n)," for cte, body in work.items()),
        refused=relation("refused", name),
        waits=_waits(mapping, policies),
        holder_join_lines="".join(f"\n    {join}" for join in holder_joins(mapping, schema)),
        desired_columns=listed(
            (*holder_columns(mapping, schema), *(f"desired.{field}" for field in fields)), 8
        ),
        certain=listed([certain_sql(mapping, schema)], 8),
        sends=", ".join(map(literal, WRITES)),
        reason=reason_sql(waits).replace("\n", "\n        "),
        decide=decide_sql(waits).replace("\n", "\n        "),
        alone=alone_sql(opt_outs),
        opt_outs=out_sql(opt_outs),
        consents=f"[{', '.join(map(literal, opt_outs))}]::varchar[]",
        alone_name=ALONE,
        reason_alone=literal(ALONE_REASON),
        reason_excluded=literal(EXCLUDED_REASON),
        reason_waits=literal(KEPT["waits"]),
        renamed=RENAMED,
        values=listed(_created(mapping, policies), 16),
        undone=relation("undone", name),
        reason_undone=literal(UNDONE),
        digest=digest_sql({field: schema[field].type for field in mapping.enabled()}, "desired"),
        moved=f"\n            when {_contains(moves)} then 'move'" if moves else "",
        cut=CUT,
        excluded=EXCLUDED,
        held_new=HELD_NEW,
        columns=listed(fields, 4),
    )


_CHILDREN = (
    f"needed.key is not null as {NEEDED}, needed.waits as {CHILD}, needed.skips as {CHILD_SKIPS},"
    f" awaited.why as {NOBODY}"
)


def _needed_join(stem: str) -> str:
    return f"""
    left join {relation("needed", stem)} as needed on needed.key = desired.key
    left join {relation("awaited", stem)} as awaited on awaited.sf_id = matched.sf_id"""


_PLAN = """\
with

desired as (select * from {desired}),

matched as ({matched}),

lost as (select * from {lost}),

scope as (select * from {scope}),

namers as (select * from {namers}),

skips as (select * from {skips}),

open as (select * from {open}),

-- Records that were undone as a whole, with what we wanted of them then; released, of nothing.
undone as (
    select key, list(value) as digests
    from {undone}
    where field is null
    group by key
),

{work}

joined as (
    select
        desired.key,
        desired._held,
        desired.{held_new},
        desired.{excluded},
        desired.{cut},
        {matched_id} as sf_id,
        matched.rule as _rule,
        matched.gone_id as _gone_id,
        matched.alias as _alias,
        matched.others as _others,
        matched.decision as _decision,
        matched.wrong as _wrong,
        namers.reference as _reference,
        skips.why as {skip_why},
        skips.fields as {skip_fields},
        open.waits as _open,
        open.proposed as _proposed,
        open.decide as _open_decide,
        {needed},
        {renames},
        lost.key is not null as _lost,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(scope.reason, 'touched by the batch') as scope,
        case
            when undone.key is null then false
            when matched.sf_id is not null and matched.rule <> 'deleted' and not matched.adopt
                then false
            else list_contains(undone.digests, {digest})
        end as _undone,
        undone.key is not null as _was_undone,
        coalesce(row_fields.changed, []::varchar[]) as _changed,
        coalesce(row_fields.befores, []::varchar[]) as _befores,
        coalesce(row_fields.fields, []) as _fields,
        {desired_columns}
    from desired
    left join matched on matched.entity_key = desired.key
    left join lost on lost.key = desired.key
    left join scope on scope.key = desired.key
    left join row_fields on row_fields.key = desired.key
    left join undone on undone.key = desired.key
    left join renamed on renamed.key = desired.key
    left join namers on namers.key = desired.key
    left join skips on skips.key = desired.key
    left join open on open.key = desired.key{needed_join}{holder_join_lines}
),

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
)

select
    key,
    case when {alone_name} then 'update' when _refused then 'hold' else action end as action,
    sf_id,
    case
        when _undone then {reason_undone}
        when {alone_name} and {excluded} is not null then {reason_excluded} || waits
        when {alone_name} then {reason_alone} || waits
        when waits is not null then waits
        when {unneeded} then {reason_unneeded}
        when action = 'create' then note
        when len(_others) > 0 then {several_records}
        when {nobody} is not null then {reason_childless} || {nobody}
        when {renamed} is not null then {renamed}
        else _proposed
    end as reason,
    scope,
    sends as changed,
    case
        -- A record that carries no key of ours gets none by it, and keeps one that it has.
        when {alone_name}
            then map(
                if(_adopt, list_append(sends, {key_field}), sends),
                list_transform(
                    if(_adopt, list_append(sends, {key_field}), sends),
                    lambda name: if(
                        name = {key_field}, _alias, _befores[list_position(_changed, name)]
                    )
                )
            )
        when _alias is not null and not _refused
            then map(list_append(changed, {key_field}), list_append(_befores, _alias))
        when len(changed) > 0 and sf_id is not null and not _refused then map(_changed, _befores)
        else map([], [])
    end as before,
    case
        when {excluded} is not null and not _undone
            then list_filter(_fields, lambda cell: list_contains({consents}, cell.field))
        when {alone_name} then list_transform(_fields, lambda cell: case
            when list_contains(sends, cell.field) or not list_contains(_changed, cell.field)
                then cell
            else struct_update(cell, decision := 'waits', why := {reason_waits})
        end)
        when waits is not null or _undone then []
        when sf_id is not null then _fields
        when {cut} is not null then list_transform(
            list_filter({cut}, lambda cut: list_contains(changed, cut.field)),
            lambda cut: {{
                'field': cut.field,
                'decision': 'truncated',
                'before': null::varchar,
                'after': cut.after,
                'sent': null::varchar,
                'why': cut.why
            }}
        )
        else []
    end as fields,
    case
        when _refused then null
        when certain is not null then 'certain'
        when likely.code is not null then 'likely'
    end as forecast,
    case when not _refused then coalesce(certain.code, likely.code) end as forecast_code,
    case when not _refused then coalesce(certain.message, likely.message) end as forecast_message,
    coalesce(decide, _open_decide) as decide,
    {columns}
from settled
union all by name
-- What no source mentions any more stays in the org, and is listed.
select
    {withdrawn}.key,
    'unchanged' as action,
    sf_id,
    {reason_withdrawn} as reason,
    {scope_withdrawn} as scope,
    []::varchar[] as changed,
    map([]::varchar[], []::varchar[]) as before,
    [] as fields{named}
from {withdrawn}
anti join desired on desired.key = {withdrawn}.key
"""


def open_sql(mapping: ObjectMapping) -> str:
    """The relation ``open_<object>``, of what ``open_identities`` says of each person."""
    is_of_people = "true" if mapping.key_column == "person_key" else "false"
    return f"""
        select
            person_key as key,
            string_agg(why, '; ' order by why) filter (where waits) as waits,
            string_agg(why, '; ' order by why) as proposed,
            string_agg(decide, chr(10) order by why) as decide
        from open_identities
        where {is_of_people}
        group by person_key
    """


def _created(mapping: ObjectMapping, policies: Policies) -> Iterator[str]:
    for name in mapping.enabled():
        if when(mapping, name, policies) != "update":
            yield f"case when {quoted(name)} is not null then {literal(name)} end"


def called(mapping: ObjectMapping) -> list[str]:
    """The mapped fields by which people call a record."""
    enabled = mapping.enabled()
    return [name for name in ("Name", "FirstName", "LastName", "Email") if name in enabled]


_CUTS = """\
select key, unnest({cut}, recursive := true)
from desired
where {cut} is not null"""


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


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
