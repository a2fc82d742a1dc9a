"""SQL of applying a plan: which rows go out, in what form, and what became of each.

All of it reads the table ``payload`` (a plan's rows, their waiting look-ups answered) and the
table ``answers`` (what the org said of the rows that were sent).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.sync.saved_plan import ObjectPlan
from pipelines.sync.wire import PENDING, quoted
from pipelines.warehouse import literal

ANSWERS = {
    "key": "varchar",
    "outcome": "varchar",
    "sf_id": "varchar",
    "code": "varchar",
    "message": "varchar",
    "fields": "varchar[]",
}
"""What the org said of a row."""

BULK_ERROR = r"(?s)^([A-Z][A-Z0-9_]*):(.*):([\w. ]*)--\s*$"
"""``CODE:message:Field1 Field2 --``, the form of ``sf__Error`` in Bulk API 2.0 results."""


def payload_sql(part: ObjectPlan, payload: Path, parents: Mapping[str, Path]) -> str:
    """The plan's rows with ``@account:<key>`` replaced by the Id that the earlier phase got.

    A row whose parent has no Id gets a ``_waits`` that says why; it is not sent.
    """
    fields, joins, waits = [], [], []
    for name in part.types:
        column = f"planned.{quoted(name)}"
        if name not in part.references or part.references[name] not in parents:
            fields.append(column)
            continue
        parent = part.references[name]
        mark = _mark(parent)
        source, pending = quoted(f"parent_{name}"), f"starts_with({column}, {literal(mark)})"
        fields.append(
            f"case when {pending} then {source}.sf_id else {column} end as {quoted(name)}"
        )
        joins.append(
            f"left join read_parquet({literal(parents[parent])}) as {source}\n"
            f"    on {pending} and {source}.key = substr({column}, {len(mark) + 1})"
        )
        told = literal(f"its {parent} ")
        reason = f"coalesce({source}.message, {source}.outcome, 'no outcome')"
        why = f"{told} || substr({column}, {len(mark) + 1}) || ' was not written: ' || {reason}"
        sent = f"list_contains(planned.changed, {literal(name)})"
        waits.append(f"when {sent} and {pending} and {source}.sf_id is null then {why}")
    columns = ["key", "action", "sf_id", "reason", "changed"]
    listed = ",\n    ".join((*(f"planned.{column}" for column in columns), *fields))
    waiting = f"case {' '.join(waits)} end" if waits else "null::varchar"
    joined = "".join(f"\n{join}" for join in joins)
    return (
        f"select\n    {listed},\n    {waiting} as _waits\n"
        f"from read_parquet({literal(payload)}) as planned{joined}"
    )


def unanswered_sql(part: ObjectPlan, payload: Path, parents: Mapping[str, Path]) -> str:
    """Objects that rows to be sent wait for, though nothing is known of their phase."""
    missing = [
        f"select {literal(parent)} as parent from read_parquet({literal(payload)})\n"
        "where action in ('create', 'adopt', 'update')"
        f" and list_contains(changed, {literal(name)})"
        f" and starts_with({quoted(name)}, {literal(_mark(parent))})"
        for name, parent in part.references.items()
        if parent not in parents
    ]
    nothing = "select null::varchar as parent where false"
    rows = "\nunion all\n".join((nothing, *missing))
    return f"select distinct parent from ({rows}) order by parent"


def rows_sql(part: ObjectPlan, actions: Sequence[str]) -> str:
    """The rows to send for some of the actions: how each is found, then its fields as wired."""
    listed = ", ".join(map(quoted, part.types))
    return (
        f"select key, action, sf_id, changed, {listed}\nfrom payload\n"
        f"where {_sendable(actions)}\norder by {_parent(part)}, key"
    )


def file_sql(part: ObjectPlan, actions: Sequence[str], bucket: int, buckets: int) -> str:
    """One Bulk file: what is not to be sent is empty, what is to be cleared is ``#N/A``.

    All rows of one parent stand in one file, one after the other: two jobs that write children of
    one Account at the same time lock each other out.
    """
    parent = _parent(part)
    fields = [
        f"case when list_contains(changed, {literal(name)}) "
        f"then coalesce({quoted(name)}, '#N/A') end as {quoted(name)}"
        for name in part.types
    ]
    listed = ",\n    ".join((*_identity(part, actions), *fields))
    return (
        f"select\n    {listed}\nfrom payload\n"
        f"where {_sendable(actions)} and hash({parent}) % {buckets} = {bucket}\n"
        f"order by {parent}, key"
    )


def size_sql(part: ObjectPlan, actions: Sequence[str]) -> str:
    """Rows to send, and about how many bytes of CSV they make."""
    sizes = " + ".join(
        f"if(list_contains(changed, {literal(name)}), coalesce(strlen({quoted(name)}), 4), 0) + 3"
        for name in part.types
    )
    return (
        f"select count(*), coalesce(sum(60 + {sizes}), 0)::bigint\n"
        f"from payload\nwhere {_sendable(actions)}"
    )


def successes_sql(part: ObjectPlan, table: str, *, by_key: bool) -> str:
    """Answers from a Bulk file ``successfulResults``; ``by_key`` where rows carry no Id."""
    if by_key:
        key = quoted(part.key_field)
        outcome = "case when sf__Created = 'true' then 'created' else 'updated' end"
        return (
            f"select {key} as key, {outcome} as outcome, sf__Id as sf_id, null::varchar as code, "
            f"null::varchar as message, []::varchar[] as fields from {table}"
        )
    return (
        "select payload.key, 'updated' as outcome, payload.sf_id, null::varchar as code, "
        "null::varchar as message, []::varchar[] as fields "
        f'from {table} as result join payload on payload.sf_id = result."Id"'
    )


def failures_sql(part: ObjectPlan, table: str, *, by_key: bool) -> str:
    """Answers from a Bulk file ``failedResults``."""
    error = literal(BULK_ERROR)
    code = f"coalesce(nullif(regexp_extract(sf__Error, {error}, 1), ''), 'UNKNOWN')"
    message = f"coalesce(nullif(regexp_extract(sf__Error, {error}, 2), ''), sf__Error)"
    named = f"trim(regexp_extract(sf__Error, {error}, 3))"
    fields = f"case when {named} = '' then [] else string_split({named}, ' ') end"
    return _refused_sql(part, table, by_key=by_key, code=code, message=message, fields=fields)


def unprocessed_sql(part: ObjectPlan, table: str, *, by_key: bool, message: str) -> str:
    """Answers for the rows that an ended job never tried."""
    return _refused_sql(
        part, table, by_key=by_key, code="'JOB_FAILED'", message=literal(message), fields="[]"
    )


def outcomes_sql(plan_id: str) -> str:
    """The relation ``salesforce_<object>``: one row and one final outcome per row of the plan."""
    return _OUTCOMES.format(plan_id=literal(plan_id))


_OUTCOMES = """\
select
    {plan_id} as plan_id,
    payload.key,
    payload.action,
    case
        when payload.action = 'hold' or payload._waits is not null then 'held'
        when payload.action = 'unchanged' then 'unchanged'
        else coalesce(answers.outcome, 'rejected')
    end as outcome,
    coalesce(answers.sf_id, payload.sf_id) as sf_id,
    case
        when answers.key is not null then answers.code
        when payload.action in ('create', 'adopt', 'update') and payload._waits is null
            then 'NO_ANSWER'
    end as code,
    case
        when payload.action = 'hold' then payload.reason
        when payload._waits is not null then payload._waits
        when answers.key is not null then answers.message
        when payload.action <> 'unchanged'
            then 'the org said nothing of this row; the next run reads back what became of it'
    end as message,
    coalesce(answers.fields, []) as fields,
    if(answers.key is null, 0, 1) as attempts
from payload
left join answers on answers.key = payload.key
"""


def _refused_sql(
    part: ObjectPlan, table: str, *, by_key: bool, code: str, message: str, fields: str
) -> str:
    answer = f"'rejected' as outcome, %s as sf_id, {code} as code, {message} as message, {fields}"
    if by_key:
        key = quoted(part.key_field)
        return f"select {key} as key, {answer % 'null::varchar'} as fields from {table}"
    return (
        f"select payload.key, {answer % 'payload.sf_id'} as fields "
        f'from {table} as result join payload on payload.sf_id = result."Id"'
    )


def _identity(part: ObjectPlan, actions: Sequence[str]) -> list[str]:
    """How the org finds a row: by key for creates, else by Id; an adopted record gets our key."""
    key = quoted(part.key_field)
    if "create" in actions:
        return [f"key as {key}"]
    return ['sf_id as "Id"', f"case when action = 'adopt' then key end as {key}"]


def _mark(parent: str) -> str:
    """How a look-up that waits for the Id of a parent begins; the parent's key follows."""
    return f"{PENDING}{parent.lower()}:"


def _parent(part: ObjectPlan) -> str:
    return "key" if part.parent_field is None else f"coalesce({quoted(part.parent_field)}, key)"


def _sendable(actions: Sequence[str]) -> str:
    return f"action in ({', '.join(map(literal, actions))}) and _waits is null"
