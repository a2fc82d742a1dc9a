"""What became of every value that a plan wrote, once its records were read back.

A value is *stored as sent* when it equals what was sent in the normal form in which plans compare,
*changed by automation* when the org made something else of it, and *not stored* when the org holds
nothing, or still what it held before. When somebody else was the last to touch the record, what
differs is theirs and no automation's: it is told, but stays a difference for the next plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.sync.ledger_sql import SENT
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.wire import normal_sql, quoted
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal, parquet_sql

AS_SENT = "stored as sent"
BY_AUTOMATION = "changed by automation"
BY_OTHERS = "changed by somebody else"
NOT_STORED = "not stored"
RECORD = "(record)"
"""Stands where a field does for a record that was to be deleted."""


@dataclass(frozen=True)
class FieldProof:
    """What became of one field of one object.

    Attributes:
        written: values sent and accepted.
        by_automation: values that the org changed when it stored them.
        by_others: values that another user has changed since.
        not_stored: values that the org does not hold.
        example: what was sent and what is stored, of the worst that happened.
    """

    field: str
    written: int
    by_automation: int = 0
    by_others: int = 0
    not_stored: int = 0
    example: tuple[str | None, str | None] | None = None

    @property
    def as_sent(self) -> int:
        """Values that are stored as they were sent."""
        return self.written - self.by_automation - self.by_others - self.not_stored


@dataclass(frozen=True)
class Proof:
    """What became of all values that a plan wrote by one mapping.

    Attributes:
        object: whose records they are.
        fields: those that were written, in the order of the plan.
        path: Parquet with every value that is not stored as sent: ``key``, ``sf_id``, ``field``,
            ``sent``, ``stored``, ``verdict``, ``touched_by`` (Id of the last user).
    """

    plan_id: str
    object: str
    fields: tuple[FieldProof, ...]
    path: Path

    @property
    def written(self) -> int:
        """Values that were sent and accepted."""
        return sum(field.written for field in self.fields)

    @property
    def as_sent(self) -> int:
        """Values that are stored as they were sent."""
        return sum(field.as_sent for field in self.fields)

    @property
    def not_stored(self) -> int:
        """Values that the org does not hold."""
        return sum(field.not_stored for field in self.fields)

    def sentences(self) -> Iterator[str]:
        """What is not stored as sent, field by field, for people."""
        for field in self.fields:
            example = _example(field)
            for count, verdict in (
                (field.not_stored, "not stored"),
                (field.by_automation, "changed by the org after we wrote them"),
                (field.by_others, "changed by somebody else since we wrote them"),
            ):
                if count:
                    values = "1 value" if count == 1 else f"{count:,} values"
                    verdict_text = verdict.replace("them", "it") if count == 1 else verdict
                    yield f"{self.object}.{field.field}: {values} {verdict_text}{example}"
                    example = ""  # the example is of the first


def counts_sql(segment: Path, part: ObjectPlan) -> str:
    """How many values of each field a segment says were written; records that were deleted, too."""
    key = f"case when action in ('create', 'adopt', 'clear_key') then [{literal(part.key_field)}]"
    deleted = f"when action = 'delete' then [{literal(RECORD)}] else [] end"
    return (
        "select field, count(*)::bigint as written\n"
        f"from (select unnest(fields || {key} {deleted}) as field\n"
        f"    from {parquet_sql(segment)})\n"
        "group by field"
    )


def differing_sql(
    segment: Path,
    payload: Path,
    part: ObjectPlan,
    schema: Mapping[str, Field],
    *,
    records: str,
    user_id: str,
) -> str:
    """Every value of a segment that is not stored as sent; columns as ``Proof.path`` has them.

    Args:
        segment: what the plan wrote.
        payload: the plan's rows, for what stood there before.
        part: the object's part of the plan.
        schema: the fields of the object.
        records: relation of what the org holds.
        user_id: Id of the user we write as.
    """
    cells = [_cell_sql(schema[name]) for name in part.types if name in schema]
    cells += [_key_sql(part.key_field), _deleted_sql()]
    return _DIFFERING.format(
        segment=parquet_sql(segment),
        payload=parquet_sql(payload),
        records=records,
        cells=",\n            ".join(cells),
        not_stored=literal(NOT_STORED),
        by_others=literal(BY_OTHERS),
        by_automation=literal(BY_AUTOMATION),
        user_id=literal(user_id),
    )


_DIFFERING = """\
with

written as (select * from {segment}),

records as (select * from {records}),

befores as (
    select key, before
    from {payload}
    where action <> 'create'
),

read_back as (
    select
        written.key,
        written.sf_id,
        records."LastModifiedById" as touched_by,
        list_filter([
            {cells}
        ], lambda cell: cell is not null) as cells
    from written
    left join records on records."Id" = written.sf_id and records."IsDeleted" = 'false'
    left join befores on befores.key = written.key
),

cells as (
    select key, sf_id, touched_by, unnest(cells) as cell
    from read_back
    where len(cells) > 0
)

select
    key,
    sf_id,
    cell.field as field,
    cell.sent as sent,
    cell.stored as stored,
    case
        when cell.lost then {not_stored}
        when touched_by is distinct from {user_id} then {by_others}
        else {by_automation}
    end as verdict,
    touched_by
from cells"""


def _cell_sql(field: Field) -> str:
    """The struct of a value that is not as sent, else null; the cheap questions come first.

    A value is lost when nothing is there, or what was there before, unless that is what was sent
    in other letters: an automation that writes in capitals does so every time.
    """
    sent, stored = f"written.{quoted(SENT + field.field)}", f"records.{quoted(field.field)}"
    before = f"befores.before[{literal(field.field)}]"
    lost = (
        f"({stored} is null and {sent} is not null) or ({same_sql(field, stored, before)}"
        f" and lower({stored}) is distinct from lower({sent}))"
    )
    return (
        f"case when list_contains(written.fields, {literal(field.field)})"
        f" and {stored} is distinct from {sent}"
        f" and not {same_sql(field, sent, stored)}"
        f" then {_struct(literal(field.field), sent, stored, lost)} end"
    )


def same_sql(field: Field, left: str, right: str) -> str:
    """Whether two wire values mean the same in the normal form in which plans compare."""
    if field.type == "boolean":  # an unticked box is no blank
        left, right = f"coalesce({left}, 'false')", f"coalesce({right}, 'false')"
    return f"({normal_sql(field, left)} is not distinct from {normal_sql(field, right)})"


def _key_sql(key_field: str) -> str:
    stored = f"records.{quoted(key_field)}"
    sent = "case when written.action in ('create', 'adopt') then written.key end"
    return (
        "case when written.action in ('create', 'adopt', 'clear_key')"
        f" and lower({stored}) is distinct from lower({sent})"
        f" then {_struct(literal(key_field), sent, stored, 'true')} end"
    )


def _deleted_sql() -> str:
    still_there = "case when written.action = 'delete' and records.\"Id\" is not null"
    cell = _struct(literal(RECORD), "null::varchar", "written.sf_id", "true")
    return f"{still_there} then {cell} end"


def _struct(field: str, sent: str, stored: str, lost: str) -> str:
    return f"{{'field': {field}, 'sent': {sent}, 'stored': {stored}, 'lost': {lost}}}"


def tally_sql(differing: str) -> str:
    """Field → values by verdict, and what was sent and stored of the worst of them."""
    worst = f"(verdict = {literal(NOT_STORED)}, verdict = {literal(BY_AUTOMATION)}, key)"
    counts = ", ".join(
        f"count(*) filter (where verdict = {literal(verdict)})::bigint as {name}"
        for name, verdict in (
            ("by_automation", BY_AUTOMATION),
            ("by_others", BY_OTHERS),
            ("not_stored", NOT_STORED),
        )
    )
    return (
        f"select field, {counts}, arg_max([sent, stored], {worst}) as example\n"
        f"from {differing}\ngroup by field"
    )


def _example(field: FieldProof) -> str:
    if field.example is None:
        return ""
    sent, stored = (_shortened(value) for value in field.example)
    return f", e.g. {sent} → {stored}"


def _shortened(value: str | None) -> str:
    if value is None:
        return "blank"
    return f"'{value}'" if len(value) <= 60 else f"'{value[:59]}…'"


def later_too_sql(proof: Path, payload: Path, plan_id: str, user_id: str) -> str:
    """A part's values that are not as sent, with those of the table ``later``; as ``Proof.path``.

    What the org has set back to what was sent is as sent again. Of the table, which is of an
    object, only the rows of the part's ``payload`` count.
    """
    return (
        f"with newer as (select * from later where plan_id = {literal(plan_id)}"
        f" and key in (select key from {parquet_sql(payload)}))\n"
        f"select * from {parquet_sql(proof)} anti join newer using (key, field)\n"
        "union all by name\n"
        "select key, sf_id, field, sent, stored,"
        f" {literal(BY_AUTOMATION)} as verdict, {literal(user_id)} as touched_by\n"
        "from newer where stored is distinct from sent\n"
        "order by field, key"
    )
