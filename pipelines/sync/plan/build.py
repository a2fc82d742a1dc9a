"""The plan: what the records should look like against what the org holds, row by row.

Everything is decided here. A row carries the fields that are to be sent (``changed``) and their
values; applying it adds nothing to that.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.layout import indented, listed
from pipelines.sync.mapping.compile import CUT
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.actions import actions_sql
from pipelines.sync.plan.childless import CHILDLESS
from pipelines.sync.plan.decisions import KEPT, decided_ctes, row_fields_sql, rules_sql
from pipelines.sync.plan.differences import compared
from pipelines.sync.plan.forecast import holder_ctes
from pipelines.sync.plan.holds import NOBODY, UNNEEDED, deleted_records, several_records_sql
from pipelines.sync.plan.joined import joined_sql, read_ctes_sql
from pipelines.sync.plan.renames import (
    ALONE,
    ALONE_REASON,
    EXCLUDED_REASON,
    RENAMED,
    opt_outs_of,
    renamed_sql,
)
from pipelines.warehouse import literal

UNDONE = "it was undone, and nothing that we want of it has changed since"
NO_SOURCE = "no source mentions it any more"
WITHDRAWN = f"{NO_SOURCE}; its record stays as it is, and nothing is deleted"


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
    name = mapping.stem
    work = {
        **holder_ctes(mapping, schema),
        "rules": rules_sql(mapping, schema, policies),
        **decided_ctes(*(relation(stage, name) for stage in ("differences", "ledger", "undone"))),
        "cuts": _CUTS.format(cut=CUT),
        "row_fields": row_fields_sql(),
        "renamed": renamed_sql(mapping, compared(mapping, policies)),
    }
    lacking = deleted_records(mapping, policies)
    parts = (
        read_ctes_sql(mapping, policies),
        *(f"{cte} as (\n{indented(body)}\n)," for cte, body in work.items()),
        joined_sql(mapping, schema, lacking, parent=parent),
        actions_sql(mapping, schema, policies, lacking, parent=parent),
        _rows_sql(mapping, policies),
    )
    return "\n\n".join(parts)


def _rows_sql(mapping: ObjectMapping, policies: Policies) -> str:
    """The rows of a plan: what is done with each, and what is said of it."""
    opt_outs = opt_outs_of(compared(mapping, policies))
    return _ROWS.format(
        withdrawn=relation("withdrawn", mapping.stem),
        reason_withdrawn=literal(WITHDRAWN),
        named="".join(f",\n    {quoted(field)}" for field in called(mapping)),
        scope_withdrawn=literal(NO_SOURCE),
        key_field=literal(mapping.key),
        several_records=several_records_sql(mapping, policies),
        nobody=NOBODY,
        reason_childless=literal(CHILDLESS),
        unneeded=UNNEEDED,
        reason_unneeded=literal(
            f"nobody of this plan belongs to it, so no {mapping.object} is made"
        ),
        consents=f"[{', '.join(map(literal, opt_outs))}]::varchar[]",
        alone_name=ALONE,
        reason_alone=literal(ALONE_REASON),
        reason_excluded=literal(EXCLUDED_REASON),
        reason_waits=literal(KEPT["waits"]),
        renamed=RENAMED,
        reason_undone=literal(UNDONE),
        cut=CUT,
        excluded=EXCLUDED,
        columns=listed([quoted(field) for field in mapping.enabled()], 4),
    )


_ROWS = """\
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
        -- Only who is adopted takes the key of somebody else over; of the others nothing is sent.
        when _alias is not null and action = 'adopt' and not _refused
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


def called(mapping: ObjectMapping) -> list[str]:
    """The mapped fields by which people call a record."""
    enabled = mapping.enabled()
    return [name for name in ("Name", "FirstName", "LastName", "Email") if name in enabled]


_CUTS = """\
select key, unnest({cut}, recursive := true)
from desired
where {cut} is not null"""
