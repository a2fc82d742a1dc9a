"""What a plan knows of each row before it decides: the desired record beside all that was found."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.layout import listed
from pipelines.sync.mapping.compile import CUT, HELD_NEW
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.differences import matched_sql
from pipelines.sync.plan.forecast import holder_columns, holder_joins
from pipelines.sync.plan.holds import (
    CHILD,
    CHILD_SKIPS,
    FREE,
    NEEDED,
    NOBODY,
    SKIP_FIELDS,
    SKIPS,
    DeletedRecords,
)
from pipelines.sync.plan.renames import renames_columns
from pipelines.sync.undo import digest_sql


def read_ctes_sql(mapping: ObjectMapping, policies: Policies) -> str:
    """The CTEs of what a plan reads, each under the name of what it holds."""
    name = mapping.stem
    stages = ("lost", "scope", "namers", "skips", "open", "undone")
    relations = {stage: relation(stage, name) for stage in stages}
    desired, matched = relation("sf", name), matched_sql(mapping, policies)
    return _READ.format(desired=desired, matched=matched, **relations)


_READ = """\
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
),"""


def joined_sql(
    mapping: ObjectMapping, schema: Mapping[str, Field], lacking: DeletedRecords, *, parent: bool
) -> str:
    """The CTE ``joined``, a row per desired record; it reads those of `read_ctes_sql` and more."""
    fields = [quoted(field) for field in mapping.enabled()]
    holder_lines = "".join(f"\n    {join}" for join in holder_joins(mapping, schema))
    return _JOINED.format(
        matched_id=lacking.sf_id,
        needed=_CHILDREN if parent else FREE,
        needed_join=_needed_join(mapping.stem) if parent else "",
        renames=listed(renames_columns(), 8),
        skip_why=SKIPS,
        skip_fields=SKIP_FIELDS,
        holder_join_lines=holder_lines,
        desired_columns=listed(
            (*holder_columns(mapping, schema), *(f"desired.{field}" for field in fields)), 8
        ),
        digest=digest_sql({field: schema[field].type for field in mapping.enabled()}, "desired"),
        cut=CUT,
        excluded=EXCLUDED,
        held_new=HELD_NEW,
    )


_JOINED = """\
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
),"""

_CHILDREN = (
    f"needed.key is not null as {NEEDED}, needed.waits as {CHILD}, needed.skips as {CHILD_SKIPS},"
    f" awaited.why as {NOBODY}"
)


def _needed_join(stem: str) -> str:
    return f"""
    left join {relation("needed", stem)} as needed on needed.key = desired.key
    left join {relation("awaited", stem)} as awaited on awaited.sf_id = matched.sf_id"""
