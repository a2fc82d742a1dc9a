"""SQL of what is sent: a plan's rows with their look-ups answered, as files and as records.

All of it reads the view ``payload``, which ``payload_sql`` makes, and the table ``barred``: rows of
the plan that are not sent after all, with their ``outcome``, ``code`` and ``message``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.salesforce.rows import DUPLICATES
from pipelines.sync.mapping.wire import PENDING, quoted
from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from pipelines.sync.plan.saved import ObjectPlan

CREATES, CHANGES, DELETES, UNDELETES = (
    ("create",),
    ("adopt", "update", "move", "reassign", "restore", "clear_key"),
    ("delete",),
    ("undelete",),
)
WAYS = (UNDELETES, CREATES, CHANGES, DELETES)
"""The actions that are carried out together: upserts by External Id, updates by Id, deletes.

What was undeleted goes on as an update, where there is something to change.
"""
SENT = tuple(action for way in WAYS for action in way)
KEYED = ("adopt", "clear_key")
"""The actions that write or clear our key on a record which is found by its Id."""

BARRED = {"key": "varchar", "outcome": "varchar", "code": "varchar", "message": "varchar"}
MANY_CHILDREN = 2_000  # of one parent; more of them go through one sequential stream
STREAM = 10_000  # rows of a job that Salesforce carries out as a single internal batch


@dataclass(frozen=True)
class Shape:
    """What some rows have in common.

    Attributes:
        actions: one of ``WAYS``.
        fields: those that at least one row sends.
        alike: whether every row sends all of them.
        keys: whether some row writes the key field, other than to be found by it.
    """

    actions: tuple[str, ...]
    fields: tuple[str, ...]
    alike: bool
    keys: bool


def payload_sql(
    part: ObjectPlan, payload: Path, parents: Mapping[str, Sequence[Path]], *, barred: bool
) -> str:
    """The plan's rows with ``@account:<key>`` replaced by the Id that the earlier phase got.

    A row that is not sent has an ``_outcome``, a ``_code`` and a ``_why``; so has one whose parent
    has no Id.
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
            f"left join {parquet_sql(*parents[parent])} as {source}\n"
            f"    on {pending} and {source}.key = substr({column}, {len(mark) + 1})"
        )
        label = literal(f"its {parent} ")
        reason = f"coalesce({source}.message, {source}.outcome, 'no outcome')"
        message = (
            f"{label} || substr({column}, {len(mark) + 1}) || ' was not written: ' || {reason}"
        )
        sent = f"list_contains(planned.changed, {literal(name)})"
        not_undeleted = f"({source}.action = 'undelete' and {source}.outcome <> 'updated')"
        missing = f"({source}.sf_id is null or {not_undeleted})"
        waits.append(f"when {sent} and {pending} and {missing} then {message}")
    waiting = f"case {' '.join(waits)} end" if waits else "null::varchar"
    columns = [
        *(f"planned.{column}" for column in ("key", "action", "sf_id", "reason", "changed")),
        *fields,
        f"{waiting} as _waits",
    ]
    if barred:
        columns += ["barred.outcome as _outcome", "barred.code as _code", "barred.message as _why"]
        joins.append("left join barred on barred.key = planned.key")
    else:
        columns += [f"null::varchar as {name}" for name in ("_outcome", "_code", "_why")]
    listed = ",\n    ".join(columns)
    joined = "".join(f"\n{join}" for join in joins)
    return f"select\n    {listed}\nfrom {parquet_sql(payload)} as planned{joined}"


def unanswered_sql(part: ObjectPlan, payload: Path, parents: Mapping[str, Sequence[Path]]) -> str:
    """Objects that rows to be sent wait for, though nothing is known of their phase."""
    missing = [
        f"select {literal(parent)} as parent from {parquet_sql(payload)}\n"
        f"where action in ({_texts(SENT)})"
        f" and list_contains(changed, {literal(name)})"
        f" and starts_with({quoted(name)}, {literal(_mark(parent))})"
        for name, parent in part.references.items()
        if parent not in parents
    ]
    nothing = "select null::varchar as parent where false"
    rows = "\nunion all\n".join((nothing, *missing))
    return f"select distinct parent from ({rows}) order by parent"


def part_sql(attempt: int, size: int | None, way: str | None) -> str:
    """The rows of the table ``pending`` that are sent alike, as a part of ``payload``."""
    sized = "size is null" if size is None else f"size = {size}"
    alike = "way is null" if way is None else f"way = {literal(way)}"
    chosen = f"select key, undeleted from pending where attempt = {attempt} and {sized} and {alike}"
    action = "if(chosen.undeleted, 'update', action) as action"
    return (
        f"(select payload.* replace ({action}) from payload join ({chosen}) as chosen using (key))"
    )


def shapes_sql(rows: str) -> str:
    """Each kind of row to be sent: its action, the fields it sends, and how many there are."""
    return (
        f"select action, changed, count(*) as rows\nfrom {rows}\n"
        f"where {sendable(SENT)}\ngroup by action, changed\norder by action, changed"
    )


def count_sql() -> str:
    """How many rows there are to be sent."""
    return f"select count(*) from payload where {sendable(SENT)}"


def records_sql(part: ObjectPlan, shape: Shape, rows: str) -> str:
    """The rows to send: how each is found, then its fields as wired; those of one parent together.

    ``rows`` is ``payload`` or a part of it.
    """
    columns = ", ".join(("key", "action", "sf_id", "changed", *map(quoted, shape.fields)))
    order = f"{_parent(part)}, key" if part.parent_field else "key"
    return f"select {columns}\nfrom {rows}\nwhere {sendable(shape.actions)}\norder by {order}"


def size_sql(shape: Shape, rows: str) -> str:
    """About how many bytes of CSV a row makes: as many as the first ones, and a quarter more."""
    values = (f" + coalesce(strlen({quoted(name)}), 4) + 3" for name in shape.fields)
    sizes = f"60{''.join(values)}"
    first = f"select * from {rows} where {sendable(shape.actions)} limit 5000"
    return f"select coalesce(1.25 * avg({sizes}), 0)::bigint from ({first})"


def file_sql(
    part: ObjectPlan, shape: Shape, rows: str, bucket: tuple[int, int], *, big: bool = False
) -> str:
    """One Bulk file: what is not to be sent is empty, what is to be cleared is ``#N/A``.

    All rows of one parent stand in one file, one after the other: two jobs that write children of
    one Account at the same time lock each other out. The children of `big` parents, which the table
    of that name lists, have a stream of their own.
    """
    place, buckets = bucket
    parent = _parent(part)
    conditions = [f"hash({parent}) % {buckets} = {place}"] if buckets > 1 else []
    if big:
        conditions.append(f"{parent} not in (select parent from big)")
    order = f"\norder by {parent}, key" if part.parent_field else ""
    return _lines_sql(part, shape, rows, conditions) + order


def big_parents_sql(part: ObjectPlan, shape: Shape, rows: str) -> str:
    """Parents with so many children that these go one job after the other: ``parent``, ``rows``."""
    parent = _parent(part)
    return (
        f"select {parent} as parent, count(*) as rows\nfrom {rows}\n"
        f"where {sendable(shape.actions)}\n"
        f"group by {parent} having count(*) > {MANY_CHILDREN} order by parent"
    )


def stream_sql(part: ObjectPlan, shape: Shape, rows: str, place: int) -> str:
    """The ``place``-th file of the stream of children of big parents."""
    parent = _parent(part)
    inner = _lines_sql(part, shape, rows, [f"{parent} in (select parent from big)"])
    return f"{inner}\norder by {parent}, key\nlimit {STREAM} offset {place * STREAM}"


def digests_sql(part: ObjectPlan, duplicate_rules: str) -> str:
    """Key and ``digest`` of the rows of the relation ``outcomes`` that the org refused."""
    refused = f"outcome = 'rejected' or (outcome = 'held' and code = {literal(DUPLICATES)})"
    chosen = f"select key from outcomes where {refused}"
    sent = digest(part.types, duplicate_rules)
    return f"select key, {sent} as digest from payload where key in ({chosen})"


def digest(fields: Iterable[str], duplicate_rules: str) -> str:
    """A row's payload as one short text: equal when the same would be sent in the same way.

    Args:
        fields: that a row may send.
        duplicate_rules: the policy; where it changes, what was refused may go again.
    """
    policy = "" if duplicate_rules == "reject" else f", {literal(duplicate_rules)}"
    values = "".join(
        f", case when list_contains(changed, {literal(name)})"
        f" then {literal(name)} || '=' || coalesce({quoted(name)}, '#N/A') else '' end"
        for name in sorted(fields)
    )
    return f"md5(concat_ws(chr(31), action, coalesce(sf_id, ''){policy}{values}))"


def sendable(actions: Sequence[str]) -> str:
    """The condition under which a row of the payload goes out."""
    return f"action in ({_texts(actions)}) and _waits is null and _outcome is null"


def _lines_sql(part: ObjectPlan, shape: Shape, rows: str, conditions: Sequence[str] = ()) -> str:
    fields = [f"{_value(name, alike=shape.alike)} as {quoted(name)}" for name in shape.fields]
    listed = ",\n    ".join((*_identity(part, shape), *fields))
    condition = " and ".join((sendable(shape.actions), *conditions))
    return f"select\n    {listed}\nfrom {rows}\nwhere {condition}"


def _value(name: str, *, alike: bool) -> str:
    value = f"coalesce({quoted(name)}, '#N/A')"
    return value if alike else f"case when list_contains(changed, {literal(name)}) then {value} end"


def _identity(part: ObjectPlan, shape: Shape) -> list[str]:
    """How the org finds a row: by key for creates, else by Id; an adopted record gets our key."""
    key = quoted(part.key_field)
    if shape.actions == CREATES:
        return [f"key as {key}"]
    if not shape.keys:
        return ['sf_id as "Id"']
    key_value = "case action when 'adopt' then key when 'clear_key' then '#N/A' end"
    return ['sf_id as "Id"', f"{key_value} as {key}"]


def _mark(parent: str) -> str:
    """How a look-up that waits for the Id of a parent begins; the parent's key follows."""
    return f"{PENDING}{parent.lower()}:"


def _parent(part: ObjectPlan) -> str:
    """What a write of the row locks; one without a parent stands for itself."""
    return "key" if part.parent_field is None else f"coalesce({quoted(part.parent_field)}, key)"


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(literal, values))
