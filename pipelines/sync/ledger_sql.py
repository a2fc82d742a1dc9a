"""SQL of the ledger: what a plan wrote, what is true of a field now, many segments as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipelines.sync.mapping.fields import OPT_OUTS
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal, parquet_sql

SENT = "sent_"
_BEGINS, _ENDS = ("create", "adopt"), ("delete", "clear_key")


def segment_sql(
    part: ObjectPlan, payload: str, outcomes: str, plan_id: str, written_at: datetime
) -> str:
    """One segment: the rows that the org took, or of which nobody knows whether it took them.

    A field of a row whose outcome is unknown counts as ours, or it would pass for somebody else's;
    an opt-out does not, because what is not surely ours must never be turned back.
    """
    columns = [
        f"planned.{quoted('key')}",
        "coalesce(outcome.sf_id, planned.sf_id) as sf_id",
        "planned.action",
        f"{literal(plan_id)} as plan_id",
        f"timestamptz {literal(written_at.isoformat())} as written_at",
        "planned.changed as fields",
        *(f"{_sent_sql(name)} as {quoted(SENT + name)}" for name in part.types),
    ]
    listed = ",\n    ".join(columns)
    return (
        f"select\n    {listed}\nfrom {payload} as planned\n"
        f"join {outcomes} as outcome on outcome.key = planned.key\n"
        f"where outcome.outcome in ('created', 'updated', 'deleted') or {_UNKNOWN}"
    )


def ledger_sql(
    segments: Sequence[Path], corrections: Sequence[Path], unproven: Sequence[str], keys: str
) -> str:
    """What the newest segments say of some records, as ``Ledger.sql`` describes it."""
    if not segments:
        return _NOTHING
    return _LEDGER.format(
        segments=files_sql(segments),
        keys=keys,
        entries=_ENTRIES.format(rows="segment_rows"),
        corrections=corrections_sql(corrections, keys),
        opt_outs=_texts(sorted(OPT_OUTS)),
        begins=_texts(_BEGINS),
        ends=_texts(_ENDS),
        proven=f"newest.plan_id not in ({_texts(unproven)})",
    )


_ENTRIES = """\
select key, sf_id, plan_id, written_at, substr(sent_field, 6) as field, sent
from {rows} unpivot include nulls (sent for sent_field in (columns('^sent_')))
where list_contains(fields, substr(sent_field, 6))"""

_LEDGER = """\
with

segment_rows as materialized (
    select *
    from {segments}
    semi join {keys} as keys using (key)
),

corrections as (
    {corrections}
),

lives as (
    select
        key,
        max(written_at) filter (where action in ({begins})) as began,
        max(written_at) filter (where action in ({ends})) as ended
    from segment_rows
    group by key
),

entries as (
    {entries}
),

newest as (
    select entries.*
    from entries
    join lives on lives.key = entries.key
    where
        (lives.began is null or entries.written_at >= lives.began)
        and (lives.ended is null or entries.written_at > lives.ended)
    qualify
        row_number() over (
            partition by entries.key, entries.field order by entries.written_at desc
        ) = 1
)

select
    newest.key,
    newest.sf_id,
    newest.field,
    newest.sent,
    case when corrections.key is null then newest.sent else corrections.stored end as stored,
    {proven} as proven,
    newest.plan_id,
    newest.written_at
from newest
left join corrections
    on corrections.plan_id = newest.plan_id
    and corrections.key = newest.key
    and corrections.field = newest.field
where newest.field not in ({opt_outs}) or newest.sent = 'true'"""

_NOTHING = """\
select
    null::varchar as key,
    null::varchar as sf_id,
    null::varchar as field,
    null::varchar as sent,
    null::varchar as stored,
    null::boolean as proven,
    null::varchar as plan_id,
    null::timestamptz as written_at
where false"""


def written_sql(segments: Sequence[Path], keys: str) -> str:
    """Which of some keys we wrote to this org and did not take back: ``key``, ``sf_id``."""
    if not segments:
        return "select null::varchar as key, null::varchar as sf_id where false"
    return (
        f"select key, arg_max(sf_id, written_at) as sf_id\nfrom {files_sql(segments)}\n"
        f"semi join {keys} as keys using (key)\n"
        "group by key\n"
        f"having arg_max(action, written_at) not in ({_texts(_ENDS)})"
    )


def created_sql(segments: Sequence[Path], records: str) -> str:
    """Which ``sf_id`` of the relation ``records`` we created, and did not take back or adopt."""
    if not segments:
        return "select null::varchar as sf_id where false"
    return (
        f"select sf_id\nfrom {files_sql(segments)}\n"
        f"semi join {records} as records using (sf_id)\n"
        f"where action in ({_texts((*_BEGINS, *_ENDS))})\n"
        "group by sf_id\nhaving arg_max(action, written_at) = 'create'"
    )


def folded_sql(segments: Sequence[Path], fields: Sequence[str]) -> str:
    """Segments as one: of each row only the fields that no newer row wrote or made void."""
    return _FOLDED.format(
        segments=files_sql(segments),
        entries=_ENTRIES.format(rows="living"),
        begins=_texts(_BEGINS),
        ends=_texts(_ENDS),
        values=",\n    ".join(
            f"case when list_contains(kept.fields, {literal(name)})"
            f" then living.{quoted(SENT + name)} end as {quoted(SENT + name)}"
            for name in fields
        ),
    )


_FOLDED = """\
with

rows as (
    select distinct on (key, plan_id, written_at) *
    from {segments}
),

-- A row that began or ended a record makes void what stands before it, and stays to do so.
living as materialized (
    select *
    from rows
    qualify
        written_at >= coalesce(
            max(written_at) filter (where action in ({begins}, {ends}))
                over (partition by key),
            written_at
        )
),

newest as (
    select key, written_at, field
    from ({entries})
    qualify row_number() over (partition by key, field order by written_at desc) = 1
),

kept as (
    select key, written_at, list(field order by field) as fields
    from newest
    group by key, written_at
)

select
    living.key,
    living.sf_id,
    living.action,
    living.plan_id,
    living.written_at,
    coalesce(kept.fields, []) as fields,
    {values}
from living
left join kept on kept.key = living.key and kept.written_at = living.written_at
where kept.key is not null or living.action in ({begins}, {ends})
order by living.key, living.written_at"""


def _sent_sql(name: str) -> str:
    """A field's value as it was sent; of a create all values are, so that most rows just copy."""
    listed = f"list_contains(planned.changed, {literal(name)})"
    if name in OPT_OUTS:
        return f"case when {listed} and not {_UNKNOWN} then planned.{quoted(name)} end"
    return f"case when planned.action = 'create' or {listed} then planned.{quoted(name)} end"


_UNKNOWN = "coalesce(outcome.outcome = 'unknown' or outcome.code = 'NO_ANSWER', false)"


def corrections_sql(files: Sequence[Path], keys: str | None = None) -> str:
    """What was read back otherwise than sent; the newest reading of a field counts."""
    if not files:
        nothing = "null::varchar as plan_id, null::varchar as key, null::varchar as field"
        return (
            f"select {nothing}, null::varchar as stored, null::timestamptz as read_at where false"
        )
    restriction = "" if keys is None else f"\n    semi join {keys} as keys using (key)"
    return (
        f"select plan_id, key, field, stored, read_at\n    from {files_sql(files)}{restriction}\n"
        "    qualify row_number() over (partition by plan_id, key, field order by read_at desc) = 1"
    )


def files_sql(files: Sequence[Path]) -> str:
    """Parquet files of one kind as a table, whichever columns each of them has."""
    return parquet_sql(*files, union_by_name=True)


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(literal, values)) or "''"
