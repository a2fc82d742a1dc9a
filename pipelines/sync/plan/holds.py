"""Why a row of a plan waits, and which line of ``decisions.csv`` lets it go, where one can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.sync.mapping.compile import HELD_NEW
from pipelines.sync.mapping.fields import OPT_OUTS, Field
from pipelines.sync.mapping.matched import AMBIGUOUS, CONVERTED, DELETED, MERGED, PERSON, UNCLEAR
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.wire import PENDING, quoted
from pipelines.sync.plan.renames import RENAMES, rename_ok_sql
from pipelines.warehouse import literal

REFERENCE = "coalesce(_reference, key)"
"""How a decision names the person or account of a row."""


NEEDED, CHILD, CHILD_SKIPS, NOBODY = "_needed", "_child", "_child_skips", "_nobody"
"""Columns of the plan's work: whether somebody of the plan belongs to a parent that is not there
yet, why all of them wait, and why all are left out of the run, or wait; of one that is there and
has nobody, why nobody comes."""

FREE = (
    f"true as {NEEDED}, null::varchar as {CHILD}, null::varchar as {CHILD_SKIPS},"
    f" null::varchar as {NOBODY}"
)
"""Those columns of an object that is nobody's parent."""

UNNEEDED = f"(sf_id is null and note is null and not {NEEDED})"
"""Whether a record that is not in the org is not made, because nobody would belong to it."""


@dataclass(frozen=True)
class Hold:
    """One reason why rows wait, in SQL.

    Attributes:
        condition: the condition.
        reason: the text that people read.
        decide: the lines that let the row go, one or several to choose from; none where no
            decision can.
    """

    condition: str
    reason: str
    decide: str = "null::varchar"


@dataclass(frozen=True)
class DeletedRecords:
    """What becomes of entities whose record of the org is gone.

    Attributes:
        sf_id: the Id of the record that is written, if there is one.
        holds: why a row waits.
        notes: cases with what is said of a record that is made again.
    """

    sf_id: str
    holds: Sequence[Hold]
    notes: Sequence[str] = ()


def reason_sql(holds: Iterable[Hold]) -> str:
    """The first reason that holds."""
    cases = "\n    ".join(f"when {hold.condition} then {hold.reason}" for hold in holds)
    return f"case\n    {cases}\nend"


def decide_sql(holds: Iterable[Hold]) -> str:
    """The lines to add to ``decisions.csv`` where ``reason_sql`` gives a reason, or null."""
    cases = "\n    ".join(f"when {hold.condition} then {hold.decide}" for hold in holds)
    return f"case\n    {cases}\nend"


def holds(
    mapping: ObjectMapping, schema: Mapping[str, Field], deleted: DeletedRecords, *, parent: bool
) -> list[Hold]:
    """Why rows wait, the first that holds counts."""
    child = Hold(f"sf_id is null and {CHILD} is not null", CHILD)
    return [
        Hold("_undone", "null"),
        Hold("_wrong is not null", "_wrong"),
        Hold("_held is not null", "_held"),
        Hold(f"sf_id is null and {HELD_NEW} is not null", HELD_NEW),
        *deleted.holds,
        Hold("_open is not null", "_open", "_open_decide"),
        Hold(f"{RENAMES} is not null", RENAMES, rename_ok_sql(REFERENCE)),
        *_missing(mapping, schema),
        *([child] if parent else []),
    ]


def skip_sql(opt_outs: str) -> str:
    """Why a row that would be written, and waits for nothing, is left out of the run; else null.

    Args:
        opt_outs: the fields by which somebody is to be opted out, as a list in SQL. A row that
            changes nothing else is never left out.
    """
    more = f"len(_changed) > len({opt_outs})"
    written = f"sf_id is null or _adopt or _rule = {literal(DELETED)} or {more}"
    sends = f"{SKIP_FIELDS} is null or sf_id is null or list_has_any(_changed, {SKIP_FIELDS})"
    return (
        f"case\n    when {SKIPS} is not null and ({written}) and ({sends}) then {SKIPS}\n"
        f"    when sf_id is null then {CHILD_SKIPS}\nend"
    )


SKIPS, SKIP_FIELDS = "_skips", "_skip_fields"
"""Columns of the plan's work: why the choice of the run leaves a row out, and by which fields."""


def needed_sql(mapping: ObjectMapping, children: Mapping[str, ObjectMapping]) -> str:
    """The relation ``needed_<object>``: ``key`` of each record that rows of ``children`` look up.

    ``waits`` says why all of these wait, and ``skips`` why all wait or are left out of the run;
    null where one of them is written. It reads the relations ``plan_<object>`` of the children.

    Args:
        mapping: of the parent.
        children: by stem, with look-ups to it.
    """
    mark = f"{PENDING}{mapping.object.lower()}:"
    queries = [
        _NEEDED.format(
            field=quoted(name),
            listed=literal(name),
            mark=literal(mark),
            length=len(mark) + 1,
            child=literal(f"its {child_mapping.object} waits: "),
            plan=relation("plan", child),
        )
        for child, child_mapping in children.items()
        for name, looked_up in child_mapping.lookups().items()
        if looked_up == mapping.object
    ]
    rows = "\nunion all\n".join(queries)
    return (
        "select\n    key,\n"
        "    case when bool_and(waits is not null) then min(waits) end as waits,\n"
        "    case when bool_and(coalesce(waits, skips) is not null) then min(skips) end as skips\n"
        f"from (\n{rows}\n)\ngroup by key"
    )


_NEEDED = """\
select
    substr({field}, {length}) as key,
    case when action = 'hold' then {child} || coalesce(reason, 'held') end as waits,
    case when action = 'skip' then {child} || reason end as skips
from {plan}
where
    starts_with({field}, {mark})
    and (
        action = 'hold'
        or (action = 'skip' and sf_id is null)
        or list_contains(changed, {listed})
    )"""


def deleted_records(mapping: ObjectMapping, policies: Policies) -> DeletedRecords:
    """What an undo deleted was no decision of the org's people: it is made again in any case."""
    name, policy = mapping.object, policies.deleted_in_org
    deleted = f"its {name} was deleted in the org"
    is_deleted = f"_rule = {literal(DELETED)}"
    holds = list(_unclear_matches(mapping, policies))
    if policy == "leave":
        policy_note = f"(deleted_in_org: {policy})"
        holds += [
            Hold(f"{is_deleted} and not _was_undone", literal(f"{deleted} {policy_note}")),
            Hold("_lost and not _was_undone", literal(f"{deleted}, for good {policy_note}")),
        ]
        return DeletedRecords("matched.sf_id", holds)
    holds += _opted_out(mapping, f"{deleted}, where it had opted out of e-mail")
    again = f"so it is made again (deleted_in_org: {policy})"
    notes = [
        f"when _lost then {literal(f'{deleted}, for good, {again}')}",
        f"when {is_deleted} then {literal(f'{deleted}, {again}')}",
    ]
    if policy == "recreate":
        return DeletedRecords("matched.sf_id", holds, notes)
    sf_id = "case when not ({}) then matched.sf_id end".format(
        f"matched.rule is not distinct from {literal(DELETED)}"
        f" and (undone.key is not null or {_lost_in_bin(mapping.stem)})"
    )
    in_bin = f"{deleted}, and its recycle bin has it no more, {again}"
    return DeletedRecords(sf_id, holds, [notes[0], f"when {is_deleted} then {literal(in_bin)}"])


def several_records_sql(mapping: ObjectMapping, policies: Policies) -> str:
    """What is said of further records that the org has for one of ours."""
    name = mapping.object
    policy = policies.duplicates.of(name)
    label = literal(f"the org has more than one {name} for it, also ")
    policy_note = f" || {literal(f' (duplicates.{name.lower()}: {policy})')}" if policy else ""
    return f"{label} || array_to_string(_others, ', '){policy_note}"


def _unclear_matches(mapping: ObjectMapping, policies: Policies) -> Iterator[Hold]:
    """Rows whose record is not surely theirs."""
    name = mapping.object
    if policies.duplicates.of(name) == "review":
        chosen = f"array_to_string(list_transform(list_concat([sf_id], _others), {_USE}), chr(10))"
        several = several_records_sql(mapping, policies)
        yield Hold("len(_others) > 0 and _decision is null", several, chosen)
    ambiguous = f"ambiguous: somebody else of ours matches the same {name} of the org"
    use_line = f"list_transform([_gone_id], {_USE})[1]"
    yield Hold(f"_rule = {literal(AMBIGUOUS)}", literal(ambiguous), use_line)
    unclear = f"{literal(f'the {name} ')} || _gone_id || " + literal(
        " of the org has the same e-mail address, and a name that agrees in part"
    )
    yield Hold(f"_rule = {literal(UNCLEAR)}", unclear, f"{use_line} || chr(10) || {_DIFFERENT}")
    person = f"{literal(f'the {name} ')} || _gone_id || " + literal(
        " of the org is a person account, and these are not written yet"
    )
    yield Hold(f"_rule = {literal(PERSON)}", person)
    merged = f"{literal(f'its {name} was merged into ')} || _gone_id || {literal(' in the org')}"
    yield Hold(f"_rule = {literal(MERGED)}", merged, use_line)
    converted = literal(f"its {name} was converted in the org")
    yield Hold(f"_rule = {literal(CONVERTED)}", converted)


_DIFFERENT = f"csv_line('different', {REFERENCE}, _gone_id)"
_USE = f"lambda id: concat_ws(',', 'use', csv_cell({REFERENCE}), id)"


def _opted_out(mapping: ObjectMapping, label: str) -> Iterator[Hold]:
    """A record that is made again must not forget a consent that was withdrawn on the old one."""
    for field in sorted(OPT_OUTS.intersection(mapping.enabled())):
        name = quoted(field)
        org = relation("org", mapping.object)
        reason = f"{label} ({field}); undelete it there, or let a source say so"
        yield Hold(
            f"sf_id is null and not _was_undone and {name} is distinct from 'true'"
            f" and _gone_id in (select \"Id\" from {org} where {name} = 'true')",
            literal(reason),
        )


def _lost_in_bin(stem: str) -> str:
    """The org shows some records as deleted that its recycle bin has lost; it said so before."""
    condition = "code = 'UNDELETE_FAILED' and contains(message, 'recycle bin')"
    return f"desired.key in (select key from {relation('refused', stem)} where {condition})"


def _missing(mapping: ObjectMapping, schema: Mapping[str, Field]) -> Iterator[Hold]:
    for name in mapping.enabled():
        if schema[name].required:
            missing = f"{name} is empty, and Salesforce demands it"
            yield Hold(f"sf_id is null and {quoted(name)} is null", literal(missing))
