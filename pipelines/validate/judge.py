"""Every row of a batch gets its verdict: valid, or rejected with every reason.

The rules about a row are pandera's, in ``schemas/``; they judge Arrow batches and only what failed
is kept. The rules about many rows (duplicates, references) are SQL, run on what the schemas left.
Good rows are never copied through Python: they are the staged rows without the failed ones.

    stg_X ──► schemas ──► failures ◄── unreadable lines, duplicates, references
      │                      │
      └──── anti-join ───────┴── join, with the row as landed
               ▼                    ▼
            valid_X             rejected_X
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import date
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.errors import InternalError
from pipelines.validate import judge_sql as sql
from pipelines.validate.cells import check_judged, check_staged
from pipelines.validate.judge_sql import ORIGIN, Rule
from pipelines.validate.rules import (
    DEFECT,
    DUPLICATE,
    REFERENCES,
    all_rules,
    mandatory_schema_of,
    rule_of,
    rules,
    schema_of,
)
from pipelines.warehouse import Warehouse, Written

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch

FORMAT = "Data Format"  # of KINDS; schemas need not be loaded
REJECT = "reject"

OnBad = Mapping[str, Mapping[str, str]]
"""Source → column → what a bad value of it costs, where that differs from the schema."""

BATCH_ROWS = 250_000
SAMPLE = 20  # rejected rows that are shown


@dataclass(frozen=True)
class Rejection:
    """One rejected row: where it stands and its reasons, ready to be shown."""

    file: str
    row: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Validated:
    """What became of one relation of one batch.

    Attributes:
        staged: rows that were judged; always ``valid.rows + rejected.rows``.
        kinds: rows rejected per kind of validation; a row counts once under each of its kinds.
        broken: rules that rejected rows, and how many; a row counts under each of its reasons.
        warned: rules that only warn, and how many rows they met.
        sample: the first rejected rows by file and line, at most ``SAMPLE``.
        rules: column → what is asked of it, in words.
    """

    entity: str
    staged: int
    valid: Written
    rejected: Written
    kinds: dict[str, int]
    broken: dict[Rule, int]
    warned: dict[Rule, int]
    sample: tuple[Rejection, ...]
    rules: dict[str, list[str]]


def validated(batch: Batch, entity: str) -> Validated:
    """``validate`` one relation of one day, or tell again what was found when nothing changed."""
    warehouse, valid, rejected = batch.project.warehouse, f"valid_{entity}", f"rejected_{entity}"
    on_bad = {name: source.on_bad for name, source in batch.project.sources.sources.items()}
    inputs = [on_bad, *_inputs(warehouse, entity, batch.day)]
    memo = batch.memo(valid, inputs, rejected)
    facts = memo.cached()
    if facts is not None:
        return _remembered(facts, batch.written(valid), batch.written(rejected))
    with batch.connect() as connection:
        verdict = validate(warehouse, connection, entity, batch.day, on_bad)
    memo.keep(_facts(verdict))
    return verdict


def _inputs(warehouse: Warehouse, entity: str, day: date) -> list[Path]:
    own = [warehouse.path(f"{stage}_{entity}", day) for stage in ("raw", "stg")]
    return own + [
        warehouse.path(f"valid_{parent}", parent_day)
        for parent, parent_day in _parents(warehouse, entity, day)
    ]


def _facts(verdict: Validated) -> dict[str, Any]:
    return {
        "entity": verdict.entity,
        "staged": verdict.staged,
        "kinds": verdict.kinds,
        "broken": [[astuple(rule), rows] for rule, rows in verdict.broken.items()],
        "warned": [[astuple(rule), rows] for rule, rows in verdict.warned.items()],
        "sample": [astuple(rejection) for rejection in verdict.sample],
        "rules": verdict.rules,
    }


def _remembered(facts: dict[str, Any], valid: Written, rejected: Written) -> Validated:
    broken, warned = (
        {Rule(*rule): rows for rule, rows in facts[name]} for name in ("broken", "warned")
    )
    return Validated(
        facts["entity"],
        facts["staged"],
        valid,
        rejected,
        facts["kinds"],
        broken,
        warned,
        tuple(Rejection(file, row, tuple(reasons)) for file, row, reasons in facts["sample"]),
        facts["rules"],
    )


def validate(
    warehouse: Warehouse,
    connection: DuckDBPyConnection,
    entity: str,
    day: date,
    on_bad: OnBad = MappingProxyType({}),
) -> Validated:
    """Judge ``stg_<entity>`` of one day; write ``valid_<entity>`` and ``rejected_<entity>``.

    Reads the relations of the day through ``warehouse`` and the table ``config_sources``, which the
    connection holds already. An entity that refers to another is validated after it (``ENTITIES``).

    Raises:
        InternalError: rows landed, staged and judged differ in number, or a rule could not run.
    """
    landed, staged = (
        warehouse.describe(connection, f"{stage}_{entity}", day).rows for stage in ("raw", "stg")
    )
    if landed == staged == 0:
        return _nothing(warehouse, connection, entity, day)
    warehouse.bind(connection, f"raw_{entity}", [day])
    warehouse.bind(connection, f"stg_{entity}", [day])
    check_staged(warehouse, connection, entity, day)
    connection.execute(sql.failures_sql())
    connection.execute(sql.blanks_sql())
    warned = _judge(connection, entity, on_bad)
    connection.execute(sql.unreadable_sql(entity, DEFECT))
    connection.execute(sql.repeated_sql(entity))
    connection.execute(sql.duplicates_sql(entity, DUPLICATE))
    _check_references(warehouse, connection, entity, day)

    valid = _write_valid(warehouse, connection, entity, day)
    rejected = warehouse.write(connection, f"rejected_{entity}", day, sql.rejected_sql(entity))
    staged = _conserved(connection, entity, valid.rows, rejected.rows)
    return Validated(
        entity,
        staged,
        valid,
        rejected,
        dict(connection.execute(sql.kinds_sql()).fetchall()),
        _broken(connection, entity),
        warned,
        _sample(connection, rejected),
        rules(entity),
    )


def _nothing(
    warehouse: Warehouse, connection: DuckDBPyConnection, entity: str, day: date
) -> Validated:
    """The verdict on no rows at all, as of most entities in most batches."""
    valid, rejected = (
        warehouse.link(connection, name, day, warehouse.schema_file(name))
        for name in (f"valid_{entity}", f"rejected_{entity}")
    )
    return Validated(entity, 0, valid, rejected, {}, {}, {}, (), rules(entity))


def _write_valid(
    warehouse: Warehouse, connection: DuckDBPyConnection, entity: str, day: date
) -> Written:
    """The rows that did not fail, without their bad cells.

    Where there are neither, they are the staged file, and are not copied. Rows that have one id get
    ids of their own, see ``versions_sql``.
    """
    valid = f"valid_{entity}"
    good = _good_sql(connection, entity)
    if entity in sql.VERSIONED:
        query = _renamed_sql(warehouse, connection, entity, day, good or sql.valid_sql(entity))
        good = query or good
    if good is None:
        return warehouse.link(connection, valid, day, warehouse.path(f"stg_{entity}", day))
    written = warehouse.write(connection, valid, day, good)
    check_judged(warehouse, connection, entity, day)
    return written


def _good_sql(connection: DuckDBPyConnection, entity: str) -> str | None:
    """The good rows without their bad cells; None where that is all that was staged."""
    if _count(connection, "blanks"):
        connection.execute(sql.blanked_sql(entity))
        fields = [field for (field,) in connection.execute(sql.blank_fields_sql()).fetchall()]
        return sql.valid_sql(entity, fields)
    return sql.valid_sql(entity) if _count(connection, "failures") else None


def _renamed_sql(
    warehouse: Warehouse, connection: DuckDBPyConnection, entity: str, day: date, good: str
) -> str | None:
    """The good rows, where some have one id, or had another when the day was validated last."""
    [(renamed,)] = connection.execute(sql.renamed_sql(entity)).fetchall()
    query = sql.versions_sql(good) if renamed else None
    if not warehouse.path(f"valid_{entity}", day).exists():
        return query
    warehouse.bind(connection, f"valid_{entity}", [day], "former")
    query = sql.former_sql(query or good)
    [(known,)] = connection.execute(f"select count(alias_ids) from ({query})").fetchall()
    return query if known or renamed else None


def _judge(connection: DuckDBPyConnection, entity: str, on_bad: OnBad) -> dict[Rule, int]:
    """Put what the schema refuses into ``failures``, and the cells that go without into ``blanks``.

    Returns:
        The rows that rules warn about.
    """
    import pyarrow

    found: dict[tuple[Rule, bool], list[Any]] = {}
    warned: Counter[Rule] = Counter()
    for violation in _violations(connection, entity, on_bad):
        if violation.rule.warns:
            warned[violation.rule] += violation.rows.num_rows
        elif violation.rows.num_rows:
            found.setdefault((violation.rule, violation.blanks), []).append(violation.rows)
    for (rule, blanks), batches in found.items():
        connection.register("violation", pyarrow.Table.from_batches(batches))
        connection.execute(sql.blank_sql(rule) if blanks else sql.violation_sql(rule))
        connection.unregister("violation")
    return dict(warned)


class _Violation(NamedTuple):
    """A broken rule, the rows that break it (origin and value), and whether that costs the cell."""

    rule: Rule
    rows: Any
    blanks: bool = False


def _violations(connection: DuckDBPyConnection, entity: str, on_bad: OnBad) -> Iterator[_Violation]:
    """Each broken rule with the rows that break it, one Arrow batch at a time.

    Only the columns of the schema are read, and they reach pandas as they are, without a copy.
    """
    if not _count(connection, f"stg_{entity}"):
        return  # pandas and pandera need not be loaded for nothing
    import pandas as pd

    schema = schema_of(entity)
    names = list(schema.columns)
    for batch in connection.sql(sql.judged_sql(entity, names)).to_arrow_reader(BATCH_ROWS):
        frame = batch.select(names).to_pandas(types_mapper=pd.ArrowDtype)
        yield from _batch_violations(entity, schema, batch, frame, on_bad)


def _batch_violations(
    entity: str, schema: Any, batch: Any, frame: Any, on_bad: OnBad
) -> Iterator[_Violation]:
    missing: dict[Rule, Any] = {}
    blanked: dict[str, Any] = {}
    for rule, index in _broken_rules(entity, schema, frame):
        if rule.warns or rule.kind != FORMAT:
            missing[rule] = index
            yield _Violation(rule, _rows(batch, rule, index))
            continue
        rejects = _rejects(schema, rule, batch, index, on_bad)
        yield _Violation(rule, _rows(batch, rule, index[rejects]))
        yield _Violation(rule, _rows(batch, rule, index[~rejects]), blanks=True)
        blanked[rule.field] = index[~rejects].union(blanked.get(rule.field, index[:0]))
    rows = reduce(lambda one, other: one.union(other), blanked.values(), frame.index[:0])
    if not len(rows):
        return
    # A row may have had nothing but the value that it goes without.
    without = frame.loc[rows]
    for field, index in blanked.items():
        without.loc[index, field] = None
    for rule, index in _broken_rules(entity, mandatory_schema_of(entity), without):
        more = index.difference(missing.get(rule, index[:0]))
        yield _Violation(rule, _rows(batch, rule, more))


def _broken_rules(entity: str, schema: Any, frame: Any) -> Iterator[tuple[Rule, Any]]:
    """Each rule that rows of the frame break, with the index of these rows."""
    from pandera.errors import SchemaErrors

    try:
        schema.validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            passed = error.check_output
            if passed is None or isinstance(error.check, str):  # a wrong type, a check that raised
                raise InternalError(f"a rule about {entity} could not run: {error}") from None
            yield rule_of(error.check, error.schema.name), passed.index[~passed.astype(bool)]


def _rejects(schema: Any, rule: Rule, batch: Any, index: Any, on_bad: OnBad) -> Any:
    """For each of the rows, whether this bad value costs it: as its source says, or the schema."""
    import numpy

    usual = schema.columns[rule.field].metadata["on_bad"]
    sources = batch.column("_source").take(_places(index)).to_pylist()
    costs = [on_bad.get(source, {}).get(rule.field, usual) for source in sources]
    return numpy.array([cost == REJECT for cost in costs], dtype=bool)


def _rows(batch: Any, rule: Rule, index: Any) -> Any:
    """The origin of these rows of a batch, and the value that the rule blames."""
    import pyarrow

    # What stands in the file says more than the null that a failed cast left.
    value_column = (
        f"{rule.field}_text" if f"{rule.field}_text" in batch.schema.names else rule.field
    )
    rows = batch.select([*ORIGIN, value_column]).take(_places(index))
    values = rows.column(value_column).cast(pyarrow.string())
    origin = [rows.column(name) for name in ORIGIN]
    return pyarrow.RecordBatch.from_arrays([*origin, values], [*ORIGIN, "value"])


def _places(index: Any) -> Any:
    import pyarrow

    return pyarrow.array(index, type=pyarrow.int64())


def _check_references(
    warehouse: Warehouse, connection: DuckDBPyConnection, entity: str, day: date
) -> None:
    """Reject rows that name what no valid row of this batch or an earlier one is."""
    reference = REFERENCES.get(entity)
    if reference is None or not _count(connection, f"stg_{entity}", reference.field):
        return
    days = [parent_day for _, parent_day in _parents(warehouse, entity, day)]
    warehouse.bind(connection, f"valid_{reference.parent}", days, "valid_parents")
    connection.execute(sql.references_sql(entity, reference))


def _parents(warehouse: Warehouse, entity: str, day: date) -> list[tuple[str, date]]:
    """The entity that rows may refer to, with each batch whose valid rows count."""
    reference = REFERENCES.get(entity)
    if reference is None:
        return []
    days = [other for other in warehouse.days(f"valid_{reference.parent}") if other <= day]
    if reference.parent == entity:  # this day's valid rows are only now being found
        days = [other for other in days if other < day]
    return [(reference.parent, other) for other in days]


def _conserved(connection: DuckDBPyConnection, entity: str, valid: int, rejected: int) -> int:
    landed = _count(connection, f"raw_{entity}")
    staged = _count(connection, f"stg_{entity}")
    if not landed == staged == valid + rejected:
        raise InternalError(
            f"rows of {entity} went astray: {landed} landed, {staged} staged, but {valid} valid + "
            f"{rejected} rejected; nothing built on them can be trusted"
        )
    return staged


def _broken(connection: DuckDBPyConnection, entity: str) -> dict[Rule, int]:
    counts = connection.execute(sql.counts_sql()).fetchall()
    if not counts:
        return {}
    by_key = {(rule.kind, rule.name, rule.field): rule for rule in all_rules(entity)}
    return {by_key[kind, name, field]: rows for kind, name, field, rows in counts}


def _sample(connection: DuckDBPyConnection, rejected: Written) -> tuple[Rejection, ...]:
    lines = connection.execute(sql.sample_sql(rejected.path, SAMPLE)).fetchall()
    return tuple(Rejection(file, row, tuple(reasons)) for file, row, reasons in lines)


def _count(connection: DuckDBPyConnection, relation: str, column: str = "*") -> int:
    [(rows,)] = connection.execute(sql.count_sql(relation, column)).fetchall()
    return int(rows)
