"""What Salesforce is going to refuse, said before it is asked, with the code it will give.

*Certain* is what its describe and its own records rule out (of a text that is too long the row is
held before it comes to that); *likely* is what it refused of the same
record last time. Validation rules, triggers and duplicate rules are not knowable beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.salesforce.rows import ROW_CODES, Verdict
from pipelines.sync.mapping.fields import IDS, INTEGERS, NUMBERS, Field
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# An address without a sign, a domain or a dot in it is none by any rule (api-facts, 5.4).
EMAIL = r"^[^\s@]+@[^\s@]+\.[^\s@]+$"


@dataclass(frozen=True)
class Score:
    """How a forecast compares with what Salesforce said; rows that were not sent do not count.

    Attributes:
        foretold: rows of which the plan said that they would be refused.
        rejected: rows that were.
        both: rows that the plan foretold and Salesforce rejected.
        wrong: rows called certain that were written all the same.
        missed: code → rejected rows that nobody foretold, the most frequent first.
    """

    foretold: int
    rejected: int
    both: int
    wrong: int
    missed: Mapping[str, int]

    @property
    def precision(self) -> float:
        """The share of the foretold rows that were refused; 1 where nothing was foretold."""
        return self.both / self.foretold if self.foretold else 1.0

    @property
    def recall(self) -> float:
        """The share of the refused rows that were foretold; 1 where nothing was refused."""
        return self.both / self.rejected if self.rejected else 1.0


def certain_sql(mapping: ObjectMapping, schema: Mapping[str, Field]) -> str:
    """The first certain reason as ``{code, message}``, over a row with its ``changed``; or null."""
    reasons = [
        f"when list_contains(changed, {literal(name)}) and {condition}\n"
        f"then {_reason(code, message)}"
        for name in mapping.enabled()
        for condition, code, message in _reasons(schema[name])
    ]
    listed = "".join(f"\n{reason}" for reason in reasons)
    none = "null::struct(code varchar, message varchar)"
    return f"case{listed}\nend" if reasons else none


def holder_ctes(mapping: ObjectMapping, schema: Mapping[str, Field]) -> dict[str, str]:
    """For each mapped field that must be unique, which record of the org holds which value."""
    return {
        _holder(name): (
            f'select lower({quoted(name)}) as value, min("Id") as sf_id\n'
            f"from {relation('org', mapping.object)}\n"
            f"where {quoted(name)} is not null and \"IsDeleted\" = 'false'\n"
            f"group by lower({quoted(name)})"
        )
        for name in _unique(mapping, schema)
    }


def holder_joins(mapping: ObjectMapping, schema: Mapping[str, Field]) -> Iterator[str]:
    """The joins for the columns that ``certain_sql`` reads."""
    for name in _unique(mapping, schema):
        table = _holder(name)
        yield f"left join {table} on {table}.value = lower(desired.{quoted(name)})"


def holder_columns(mapping: ObjectMapping, schema: Mapping[str, Field]) -> Iterator[str]:
    """``_holder_<Field>`` and ``_twice_<Field>``, which ``holder_joins`` makes possible."""
    for name in _unique(mapping, schema):
        yield f"{_holder(name)}.sf_id as {quoted(f'_holder_{name}')}"
        value = f"lower(desired.{quoted(name)})"
        yield f"count({value}) over (partition by {value}) > 1 as {quoted(f'_twice_{name}')}"


def transient_sql() -> str:
    """Codes that say nothing of a row, as an SQL list."""
    return ", ".join(
        literal(code) for code, verdict in ROW_CODES.items() if verdict is Verdict.TRANSIENT
    )


def score(connection: DuckDBPyConnection, payload: Path, outcomes: Path) -> Score:
    """Hold the forecast of one object's rows against their outcomes.

    Args:
        connection: any.
        payload: the plan's rows.
        outcomes: relation ``salesforce_<object>`` of the same plan.
    """
    [(foretold, rejected, both, wrong)] = connection.execute(
        _score_sql(payload, outcomes)
    ).fetchall()
    missed = connection.execute(_missed_sql(payload, outcomes)).fetchall()
    return Score(foretold, rejected, both, wrong, dict(missed))


def _reasons(field: Field) -> Iterator[tuple[str, str, str]]:
    """Condition, code and message (SQL) of everything that describe rules out."""
    value, label = quoted(field.field), field.label
    if field.type == "email":
        message = f"{literal(f'{label}: invalid email address: ')} || {value}"
        condition = f"not regexp_matches({value}, {literal(EMAIL)})"
        yield condition, "INVALID_EMAIL_ADDRESS", message
    if field.restricted_picklist and field.picklist_values and field.type == "picklist":
        choices = ", ".join(literal(choice.lower()) for choice in field.picklist_values)
        message = f"{literal(f'{label}: bad value for restricted picklist field: ')} || {value}"
        code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        yield f"lower({value}) not in ({choices})", code, message
    if field.type in NUMBERS | INTEGERS and field.precision > field.scale:
        message = (
            f"{literal(f'{label}: value outside of valid range on numeric field: ')} || {value}"
        )
        whole = field.precision - field.scale
        condition = f"abs(try_cast({value} as decimal(38, 9))) >= 1e{whole}"
        yield condition, "NUMBER_OUTSIDE_VALID_RANGE", message
    if field.type in IDS:
        message = f"{literal(f'{label}: id value of incorrect type: ')} || {value}"
        condition = f"not regexp_matches({value}, '^(@.*|[0-9A-Za-z]{{15}}|[0-9A-Za-z]{{18}})$')"
        yield condition, "MALFORMED_ID", message
    if _must_be_unique(field):
        holder, twice = quoted(f"_holder_{field.field}"), quoted(f"_twice_{field.field}")
        message = f"'duplicate value found: {field.field} duplicates value on record with id: '"
        yield (
            f"{holder} is distinct from sf_id and {holder} is not null",
            "DUPLICATE_VALUE",
            (f"{message} || {holder}"),
        )
        message = literal(f"duplicate value found: {field.field} stands twice in this plan")
        yield twice, "DUPLICATE_VALUE", message


def _reason(code: str, message: str) -> str:
    return f"{{'code': {literal(code)}, 'message': {message}}}"


def _unique(mapping: ObjectMapping, schema: Mapping[str, Field]) -> list[str]:
    return [name for name in mapping.enabled() if _must_be_unique(schema[name])]


def _must_be_unique(field: Field) -> bool:
    return field.unique and field.type not in IDS


def _holder(name: str) -> str:
    return f"holder_{name.lower()}"


def _score_sql(payload: Path, outcomes: Path) -> str:
    return f"""\
select
    count(*) filter (where forecast is not null),
    count(*) filter (where outcome = 'rejected'),
    count(*) filter (where forecast is not null and outcome = 'rejected'),
    count(*) filter (where forecast = 'certain' and outcome <> 'rejected')
{_sent_sql(payload, outcomes)}"""


def _missed_sql(payload: Path, outcomes: Path) -> str:
    return f"""\
select coalesce(code, 'no code'), count(*)
{_sent_sql(payload, outcomes)} and forecast is null and outcome = 'rejected'
group by 1
order by 2 desc, 1"""


def _sent_sql(payload: Path, outcomes: Path) -> str:
    return f"""\
from (
    select planned.forecast, outcome.outcome, outcome.code
    from {parquet_sql(payload)} as planned
    join {parquet_sql(outcomes)} as outcome on outcome.key = planned.key
)
where outcome in ('created', 'updated', 'deleted', 'rejected')"""
