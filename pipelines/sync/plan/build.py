"""The plan: what the records should look like against what the org holds, row by row.

Everything is decided here. A row carries the fields that are to be sent (``changed``) and their
values; applying it adds nothing to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.sync.apply.payload import digest
from pipelines.sync.mapping.compile import CUT
from pipelines.sync.mapping.fields import OPT_OUTS, Field
from pipelines.sync.mapping.match import AMBIGUOUS, CONVERTED, DELETED, MERGED
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import USER
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.decisions import decided_ctes, rules_sql, told_sql
from pipelines.sync.plan.differences import listed, matched_sql, when
from pipelines.sync.plan.forecast import certain_sql, taken_columns, taken_ctes, taken_joins
from pipelines.sync.undo import digest_sql
from pipelines.warehouse import literal

WRITES = ("create", "adopt", "undelete", "update", "move", "reassign")
"""Actions that send something; a move changes the parent of a record, a reassign its owner."""

ACTIONS = (*WRITES, "unchanged", "hold")
"""What a plan of a sync may do with a row."""

UNDO_ACTIONS = ("restore", "delete", "clear_key")
"""What the plan of an undo may do besides."""

FIELD = (
    "struct(field varchar, decision varchar, before varchar, after varchar,"
    " sent varchar, why varchar)"
)
COLUMNS = {
    "key": "varchar",
    "action": "varchar",
    "sf_id": "varchar",
    "reason": "varchar",
    "scope": "varchar",
    "changed": "varchar[]",
    "before": "map(varchar, varchar)",
    "fields": f"{FIELD}[]",
    "forecast": "varchar",
    "forecast_code": "varchar",
    "forecast_message": "varchar",
}
"""What a row of a plan has before its fields, with its DuckDB types."""

UNDONE = "it was undone, and nothing that we want of it has changed since"
NO_SOURCE = "no source mentions it any more"
WITHDRAWN = f"{NO_SOURCE}; its record stays as it is, and nothing is deleted"
OWNER = "OwnerId"
_NO_PARENTS = frozenset({USER, "Group", "RecordType"})


def plan_sql(mapping: ObjectMapping, schema: Mapping[str, Field], policies: Policies) -> str:
    """The relation ``plan_<mapping>``: ``COLUMNS``, then the desired fields in wire form.

    It reads ``sf_`` and ``org_match_<mapping>``, and relations that are not assets:
    ``differences_<mapping>``; ``ledger_<mapping>`` (``key``, ``field``, ``sent``, ``stored``), what
    we wrote last; ``undone_<mapping>`` (``key``, ``field``, ``value``), what was taken back,
    without a field the record; ``scope_<mapping>`` (``key``, ``reason``), why a row is here that
    the batch did not touch; ``refused_<mapping>`` (``key``, ``code``, ``message``, ``waits``), what
    the org said of it, and the digest of what somebody has to look at before it is sent again;
    ``lost_<mapping>`` (``key``), what we wrote and is gone for good; ``withdrawn_<mapping>``
    (``key``, ``sf_id``, ``called``), records of ours that no source mentions any more.

    ``fields`` says something of every field that differs, written or not; of a create, whose every
    value is written, only which of them were cut.
    """
    name, moves = mapping.stem, parents(mapping, schema)
    work = {
        **taken_ctes(mapping, schema),
        "rules": rules_sql(mapping, schema, policies),
        **decided_ctes(*(relation(stage, name) for stage in ("differences", "ledger", "undone"))),
        "cuts": _CUTS.format(cut=CUT),
        "told": told_sql(),
    }
    fields = [quoted(field) for field in mapping.enabled()]
    gone = _gone(mapping, policies)
    return _PLAN.format(
        desired=relation("sf", name),
        matched=matched_sql(mapping, policies),
        lost=relation("lost", name),
        withdrawn=relation("withdrawn", name),
        told_withdrawn=literal(WITHDRAWN),
        named="".join(f",\n    {quoted(field)}" for field in called(mapping)),
        scope_withdrawn=literal(NO_SOURCE),
        key_field=literal(mapping.key),
        others=_others_sql(mapping, policies),
        found=gone.found,
        notes="".join(f"\n            {note}" for note in gone.notes),
        scope=relation("scope", name),
        work="\n\n".join(f"{cte} as (\n{_indented(body)}\n)," for cte, body in work.items()),
        refused=relation("refused", name),
        waits=_waits(mapping, policies),
        taken="".join(f"\n    {join}" for join in taken_joins(mapping, schema)),
        desired_columns=listed(
            (*taken_columns(mapping, schema), *(f"desired.{field}" for field in fields)), 8
        ),
        certain=listed([certain_sql(mapping, schema)], 8),
        sends=", ".join(map(literal, WRITES)),
        holds="".join(f"\n            {hold}" for hold in (*gone.holds, *_holds(mapping, schema))),
        values=listed(_created(mapping, policies), 16),
        undone=relation("undone", name),
        told_undone=literal(UNDONE),
        digest=digest_sql({field: schema[field].type for field in mapping.enabled()}, "desired"),
        moved=f"\n            when {_contains(moves)} then 'move'" if moves else "",
        cut=CUT,
        columns=listed(fields, 4),
    )


_PLAN = """\
with

desired as (select * from {desired}),

matched as ({matched}),

lost as (select * from {lost}),

scope as (select * from {scope}),

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
        desired.{cut},
        {found} as sf_id,
        matched.rule as _rule,
        matched.gone_id as _gone_id,
        matched.alias as _alias,
        matched.others as _others,
        lost.key is not null as _lost,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(scope.reason, 'touched by the batch') as scope,
        case
            when undone.key is null then false
            when matched.sf_id is not null and matched.rule <> 'deleted' and not matched.adopt
                then false
            else list_contains(undone.digests, {digest})
        end as _undone,
        undone.key is not null as _taken_back,
        coalesce(told.changed, []::varchar[]) as _changed,
        coalesce(told.befores, []::varchar[]) as _befores,
        coalesce(told.fields, []) as _fields,
        {desired_columns}
    from desired
    left join matched on matched.entity_key = desired.key
    left join lost on lost.key = desired.key
    left join scope on scope.key = desired.key
    left join told on told.key = desired.key
    left join undone on undone.key = desired.key{taken}
),

held as (
    select
        *,
        case
            when _undone then null
            when _held is not null then _held{holds}
        end as reason,
        case
            when sf_id is not null or _taken_back then null{notes}
        end as note
    from joined
),

-- What is to be sent: on a create every value, else what was decided field by field.
sent as (
    select
        *,
        case
            when reason is not null or _undone then []
            when sf_id is null then list_filter([
                {values}
            ], lambda name: name is not null)
            else _changed
        end as changed
    from held
),

planned as (
    select
        *,
        case
            when _undone then 'unchanged'
            when reason is not null then 'hold'
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
        {waits} as _refused
    from planned
    left join {refused} as refused on refused.key = planned.key
)

select
    key,
    if(_refused, 'hold', action) as action,
    sf_id,
    case
        when _undone then {told_undone}
        when _refused then likely.message
        when reason is not null then reason
        when action = 'create' then note
        when len(_others) > 0 then {others}
    end as reason,
    scope,
    if(_refused, [], changed) as changed,
    case
        when _alias is not null and not _refused
            then map(list_append(changed, {key_field}), list_append(_befores, _alias))
        when len(changed) > 0 and sf_id is not null and not _refused then map(_changed, _befores)
        else map([], [])
    end as before,
    case
        when reason is not null or _undone or _refused then []
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
    {columns}
from foreseen
union all by name
-- What no source mentions any more stays in the org, and is listed.
select
    {withdrawn}.key,
    'unchanged' as action,
    sf_id,
    {told_withdrawn} as reason,
    {scope_withdrawn} as scope,
    []::varchar[] as changed,
    map([]::varchar[], []::varchar[]) as before,
    [] as fields{named}
from {withdrawn}
anti join desired on desired.key = {withdrawn}.key
"""


def _created(mapping: ObjectMapping, policies: Policies) -> Iterator[str]:
    for name in mapping.enabled():
        if when(mapping, name, policies) != "update":
            yield f"case when {quoted(name)} is not null then {literal(name)} end"


def parents(mapping: ObjectMapping, schema: Mapping[str, Field]) -> list[str]:
    """The mapped fields that say to which other record one belongs, as the org describes them."""
    return [
        name
        for name in mapping.enabled()
        if schema[name].type == "reference"
        and not _NO_PARENTS.issuperset(schema[name].reference_to)
    ]


def called(mapping: ObjectMapping) -> list[str]:
    """The mapped fields by which people call a record."""
    known = mapping.enabled()
    return [name for name in ("Name", "FirstName", "LastName", "Email") if name in known]


_CUTS = """\
select key, unnest({cut}, recursive := true)
from desired
where {cut} is not null"""


@dataclass(frozen=True)
class _Gone:
    """What becomes of entities whose record of the org is gone.

    Attributes:
        found: the Id of the record that is written, if there is one.
        holds: cases with the reason why a row waits.
        notes: cases with what is said of a record that is made again.
    """

    found: str
    holds: Sequence[str]
    notes: Sequence[str]


def _gone(mapping: ObjectMapping, policies: Policies) -> _Gone:
    """What an undo deleted was no decision of the org's people: it is made again in any case."""
    name, policy = mapping.object, policies.deleted_in_org
    deleted = f"its {name} was deleted in the org"
    merged = f"{literal(f'its {name} was merged into ')} || _gone_id || {literal(' in the org')}"
    converted = literal(f"its {name} was converted in the org")
    ambiguous = f"ambiguous: somebody else of ours matches the same {name} of the org"
    holds = [
        *_waits_for_review(mapping, policies),
        f"when _rule = {literal(AMBIGUOUS)} then {literal(ambiguous)}",
        f"when _rule = {literal(MERGED)} then {merged}",
        f"when _rule = {literal(CONVERTED)} then {converted}",
    ]
    known = f"_rule = {literal(DELETED)}"
    if policy == "leave":
        told = f"(deleted_in_org: {policy})"
        holds += [
            f"when {known} and not _taken_back then {literal(f'{deleted} {told}')}",
            f"when _lost and not _taken_back then {literal(f'{deleted}, for good {told}')}",
        ]
        return _Gone("matched.sf_id", holds, ())
    holds += _opted_out(mapping, f"{deleted}, where it had opted out of e-mail")
    again = f"so it is made again (deleted_in_org: {policy})"
    notes = [
        f"when _lost then {literal(f'{deleted}, for good, {again}')}",
        f"when {known} then {literal(f'{deleted}, {again}')}",
    ]
    if policy == "recreate":
        return _Gone("matched.sf_id", holds, notes)
    found = "case when not ({}) then matched.sf_id end".format(
        f"matched.rule is not distinct from {literal(DELETED)}"
        f" and (undone.key is not null or {_lost_in_bin(mapping.stem)})"
    )
    in_bin = f"{deleted}, and its recycle bin has it no more, {again}"
    return _Gone(found, holds, [notes[0], f"when {known} then {literal(in_bin)}"])


def _opted_out(mapping: ObjectMapping, told: str) -> Iterator[str]:
    """A record that is made again must not forget a consent that was withdrawn on the old one."""
    for field in sorted(OPT_OUTS.intersection(mapping.enabled())):
        name = quoted(field)
        org = relation("org", mapping.object)
        why = f"{told} ({field}); undelete it there, or let a source say so"
        yield (
            f"when sf_id is null and not _taken_back and {name} is distinct from 'true'"
            f" and _gone_id in (select \"Id\" from {org} where {name} = 'true')"
            f" then {literal(why)}"
        )


def _others_sql(mapping: ObjectMapping, policies: Policies) -> str:
    """What is said of further records that the org has for one of ours."""
    name = mapping.object
    told = literal(f"the org has more than one {name} for it, also ")
    policy = policies.duplicates.of(name)
    why = f" || {literal(f' (duplicates.{name.lower()}: {policy})')}" if policy else ""
    return f"{told} || array_to_string(_others, ', '){why}"


def _waits_for_review(mapping: ObjectMapping, policies: Policies) -> Iterator[str]:
    if policies.duplicates.of(mapping.object) == "review":
        yield f"when len(_others) > 0 then {_others_sql(mapping, policies)}"


def _lost_in_bin(stem: str) -> str:
    """The org shows some records as deleted that its recycle bin has lost; it said so before."""
    said = "code = 'UNDELETE_FAILED' and contains(message, 'recycle bin')"
    return f"desired.key in (select key from {relation('refused', stem)} where {said})"


def _holds(mapping: ObjectMapping, schema: Mapping[str, Field]) -> Iterator[str]:
    for name in mapping.enabled():
        if schema[name].required:
            missing = f"{name} is empty, and Salesforce demands it"
            condition = f"sf_id is null and {quoted(name)} is null"
            yield f"when {condition} then {literal(missing)}"


def _waits(mapping: ObjectMapping, policies: Policies) -> str:
    """Whether just this was refused for duplicates, and nobody has looked at them yet."""
    if policies.duplicate_rules != "review":
        return "false"
    sends = ", ".join(map(literal, WRITES))
    same = f"refused.waits = {digest(mapping.enabled(), policies.duplicate_rules)}"
    known = f"action in ({sends}) and refused.waits is not null"
    return f"case when {known} then {same} else false end"


def _contains(names: Sequence[str]) -> str:
    return " or ".join(f"list_contains(changed, {literal(name)})" for name in names)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
