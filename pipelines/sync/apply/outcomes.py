"""SQL of what the org says: answers of a chunk, which of them ask for another try, outcomes.

All of it reads the view ``payload`` of ``pipelines.sync.apply.payload``; an *answer* is what the
org said of a row in one attempt, its *outcome* what is true of it in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.salesforce.rows import (
    DUPLICATES,
    LIMIT_EXCEPTION,
    LOCKED_TOGETHER,
    ROW_CODES,
    Verdict,
)
from pipelines.sync.apply.payload import DELETES, SENT, digest, sendable
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal, parquet_sql

ANSWERS = {
    "key": "varchar",
    "outcome": "varchar",
    "sf_id": "varchar",
    "code": "varchar",
    "message": "varchar",
    "fields": "varchar[]",
    "attempt": "integer",
    "size": "integer",
    "kind": "varchar",
}
"""What the org said of a row, at which attempt, in a chunk of which kind, of how many rows."""

ATTEMPTS = 8
"""How often a row is sent whose error says nothing about the row."""

UNDELETED = "undeleted"
"""The answer to a row whose record is back, and that is not yet as it should be."""

NO_ANSWER = "NO_ANSWER"
JOB_FAILED = "JOB_FAILED"
OUR_CODES: Mapping[str, Verdict] = {NO_ANSWER: Verdict.TRANSIENT, JOB_FAILED: Verdict.TRANSIENT}
"""Codes of our own, where the org gave none: no answer and no trace, a job that ended early."""

REFUSED_BEFORE = "refused before, and nothing of it has changed since: "

_OUR_FILE = r"InvalidBatch|ClientInputError|^Bulk job \w+ Aborted: "
"""Why a job ends that would end so again: its file is not accepted, or somebody aborts it."""

BULK_ERROR = r"(?s)^([A-Z][A-Z0-9_]*):(.*):([\w. ]*)--\s*$"
"""``CODE:message:Field1 Field2 --``, the form of ``sf__Error`` in Bulk API 2.0 results."""

_SUCCESS = "null::varchar as code, null::varchar as message, []::varchar[] as fields"


def successes_sql(part: ObjectPlan, table: str, actions: Sequence[str]) -> str:
    """Answers from a Bulk file ``successfulResults``."""
    if "create" in actions:
        key = quoted(part.key_field)
        outcome = "case when sf__Created = 'true' then 'created' else 'updated' end"
        return (
            f"select {key} as key, {outcome} as outcome, sf__Id as sf_id, {_SUCCESS} from {table}"
        )
    outcome = "deleted" if tuple(actions) == DELETES else "updated"
    return (
        f"select payload.key, {literal(outcome)} as outcome, payload.sf_id, {_SUCCESS} "
        f'from {table} as result join payload on payload.sf_id = result."Id"'
    )


def failures_sql(part: ObjectPlan, table: str, actions: Sequence[str]) -> str:
    """Answers from a Bulk file ``failedResults``."""
    error = literal(BULK_ERROR)
    code = f"coalesce(nullif(regexp_extract(sf__Error, {error}, 1), ''), 'UNKNOWN')"
    message = f"coalesce(nullif(regexp_extract(sf__Error, {error}, 2), ''), sf__Error)"
    named = f"trim(regexp_extract(sf__Error, {error}, 3))"
    fields = f"case when {named} = '' then [] else string_split({named}, ' ') end"
    return _refused_sql(part, table, actions, code=code, message=message, fields=fields)


def unprocessed_sql(part: ObjectPlan, table: str, actions: Sequence[str], message: str) -> str:
    """Answers for the rows that an ended job never tried."""
    return _refused_sql(
        part, table, actions, code=literal(JOB_FAILED), message=literal(message), fields="[]"
    )


ALERTED = "alerted"
"""The verdict on a row that a duplicate rule refused, and that the policy sends in another way."""

RETRY_WAYS = {"allow": ("collections", "kind = 'bulk'"), "review": ("singly", "kind <> 'singly'")}
"""Policy ``duplicate_rules`` → how a row goes again that was refused by such a rule, and when.

Bulk API 2.0 cannot be told to save duplicates, collections can; that of a single record names the
duplicates it found. A rule that blocks refuses the second time, too, and that is final.
"""


def answers_sql(files: Sequence[Path], duplicate_rules: str = "reject") -> str:
    """The last answer to every row that was sent; ``again`` where it asks for another try."""
    _, condition = RETRY_WAYS.get(duplicate_rules, ("", "false"))
    alerted = f"when code = {literal(DUPLICATES)} and {condition} then {literal(ALERTED)}"
    return _ANSWERS.format(
        files=parquet_sql(*files, union_by_name=True),
        alerted=alerted,
        undeleted=literal(UNDELETED),
        verdict=verdict_sql("code", "message"),
        attempts=ATTEMPTS,
    )


_ANSWERS = """\
with

answered as (select * from {files}),

later as (
    select key, max(attempt) as attempt, bool_or(outcome = {undeleted}) as undeleted
    from answered
    where attempt > 1 or outcome = {undeleted}
    group by key
),

last as (
    select answered.*, coalesce(later.undeleted, false) as undeleted
    from answered
    left join later on later.key = answered.key
    where answered.attempt = coalesce(later.attempt, 1)
)

select
    *,
    case when outcome = 'rejected' then case {alerted} else {verdict} end end as verdict,
    coalesce(
        case verdict
            when 'alerted' then true
            when 'transient' then attempt < {attempts}
            when 'suspect' then size > 1
        end,
        outcome = {undeleted}
    ) as again
from last
"""


def verdict_sql(code: str, message: str) -> str:
    """``transient``, ``suspect`` or ``permanent``, by ``ROW_CODES`` and as ``RowError.verdict``."""
    verdicts = {**ROW_CODES, **OUR_CODES}
    cases = [
        f"when {message} like {literal(f'%{LIMIT_EXCEPTION}%')} then 'suspect'",
        f"when try_cast(regexp_extract({message}, {literal(LOCKED_TOGETHER)}, 1) as integer) > 1"
        " then 'suspect'",
        f"when {code} = {literal(JOB_FAILED)} and regexp_matches({message}, {literal(_OUR_FILE)})"
        " then 'permanent'",
    ]
    for verdict in (Verdict.TRANSIENT, Verdict.SUSPECT):
        codes = ", ".join(
            literal(name) for name, code_verdict in verdicts.items() if code_verdict is verdict
        )
        cases.append(f"when {code} in ({codes}) then {literal(verdict)}")
    return f"case {' '.join(cases)} else 'permanent' end"


def pending_sql(duplicate_rules: str = "reject") -> str:
    """Rows to be sent now: ``key``, the ``attempt`` it will be, groups of which ``size``, ``way``.

    A row that may have been taken along by another one goes again in a group half as large; every
    other row may share a call with as many as it takes (no ``size``). What a duplicate rule refused
    may have to go in a ``way`` of its own, see ``OTHER_WAY``.
    """
    way, _ = RETRY_WAYS.get(duplicate_rules, ("", ""))
    return _PENDING.format(sendable=sendable(SENT), way=literal(way))


_PENDING = """\
select
    payload.key,
    coalesce(answers.attempt, 0) + 1 as attempt,
    case when answers.verdict = 'suspect' then answers.size // 2 end as size,
    case when answers.verdict = 'alerted' then {way} end as way,
    coalesce(answers.undeleted, false) as undeleted
from payload
left join answers on answers.key = payload.key
where {sendable} and (answers.key is null or answers.again)
"""


def refused_again_sql(part: ObjectPlan, duplicate_rules: str = "reject") -> str:
    """Rows that would be sent just as the org has refused them before (``refused``), as barred.

    What was no fault of the row is sent again; so is what ``causeway retry`` names.
    """
    prefix = literal(REFUSED_BEFORE)
    own_codes = ", ".join(map(literal, OUR_CODES))
    return (
        "select payload.key, refused.outcome, refused.code,\n"
        f"    case when starts_with(refused.message, {prefix}) then '' else {prefix} end"
        " || coalesce(refused.message, '') as message\n"
        "from payload join refused on refused.key = payload.key\n"
        f"where {sendable(SENT)} and refused.digest = {digest(part.types, duplicate_rules)}\n"
        f"    and refused.code not in ({own_codes})\n"
        f"    and {verdict_sql('refused.code', 'refused.message')} <> 'transient'"
    )


def outcomes_sql(plan_id: str, unsent_code: str, unsent_message: str, *, answered: bool) -> str:
    """The relation ``salesforce_<object>``: one row and one final outcome per row of the plan.

    ``unsent_code`` and ``unsent_why`` are said of rows that would have been sent, or sent again.
    """
    columns = ", ".join(f"null::{kind} as {name}" for name, kind in ANSWERS.items())
    nothing = f"(select {columns}, null::boolean as again where false)"
    return _OUTCOMES.format(
        plan_id=literal(plan_id),
        sent=", ".join(map(literal, SENT)),
        unsent_code=literal(unsent_code),
        unsent_message=literal(unsent_message),
        answers="answers" if answered else nothing,
    )


_OUTCOMES = """\
select
    {plan_id} as plan_id,
    payload.key,
    payload.action,
    case
        when payload.action = 'skip' then 'skipped'
        when payload.action = 'hold' or payload._waits is not null then 'held'
        when not answers.again then answers.outcome
        when payload._outcome is not null then payload._outcome
        when payload.action not in ({sent}) then 'unchanged'
        else 'held'
    end as outcome,
    coalesce(answers.sf_id, payload.sf_id) as sf_id,
    case
        when payload.action in ('hold', 'skip') then null
        when payload._waits is not null then 'PARENT'
        when not answers.again then answers.code
        when payload._outcome is not null then payload._code
        when payload.action not in ({sent}) then null
        else {unsent_code}
    end as code,
    case
        when payload.action in ('hold', 'skip') then payload.reason
        when payload._waits is not null then payload._waits
        when not answers.again then answers.message
        when payload._outcome is not null then payload._why
        when payload.action not in ({sent}) then null
        when answers.key is null then {unsent_message}
        when answers.code is null then {unsent_message} || '; it was undeleted before'
        else {unsent_message} || '; before, the org said: '
            || answers.code || ' ' || coalesce(answers.message, '')
    end as message,
    coalesce(answers.fields, []) as fields,
    coalesce(answers.attempt, 0)::integer as attempts
from payload
left join {answers} as answers on answers.key = payload.key
"""


def _refused_sql(
    part: ObjectPlan, table: str, actions: Sequence[str], *, code: str, message: str, fields: str
) -> str:
    answer = f"'rejected' as outcome, %s as sf_id, {code} as code, {message} as message, {fields}"
    if "create" in actions:
        key = quoted(part.key_field)
        return f"select {key} as key, {answer % 'null::varchar'} as fields from {table}"
    return (
        f"select payload.key, {answer % 'payload.sf_id'} as fields "
        f'from {table} as result join payload on payload.sf_id = result."Id"'
    )
