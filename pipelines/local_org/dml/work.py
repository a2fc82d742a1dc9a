"""The statement that judges incoming rows: finds their records and parents, applies every rule.

`work_sql` gives one select over the relation `incoming(_row, c0, c1, …)` (texts) and the record
tables. Its result has a row per incoming row:

    _row, _id, _n       the row, and the id and number of the record it makes or changes
    _created            whether it makes a new record
    v0, v1, …  g0, …    typed values, and whether the row says anything about the field
    _error              packed errors of the earliest phase that found any, or null
"""

from dataclasses import dataclass

from pipelines.local_org.catalog.model import Catalog
from pipelines.local_org.dml.judging import error_of_row_sql
from pipelines.local_org.dml.lookups import Join, created_sql, is_named, joins_of, value_of
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.dml.values import value_sql
from pipelines.local_org.ids import record_id_sql


@dataclass(frozen=True)
class Numbers:
    """Where new records get their ids from: row `first_row` takes number `first`, and so on."""

    pod: str
    first: int
    first_row: int

    def offset_sql(self) -> str:
        """SQL for how far a row is from the first."""
        return f"(typed._row - {self.first_row})"


def work_sql(
    catalog: Catalog, request: WriteRequest, numbers: Numbers, *, lower_case_email: bool
) -> str:
    """SQL that judges the rows of `incoming`; see the module's docstring for its columns."""
    joins = joins_of(catalog, request)
    bodies = {join.name: join.body() for join in joins}
    typed = typed_sql(request, "incoming", lower_case_email=lower_case_email)
    created = created_sql(request)
    offset = numbers.offset_sql()
    new_id = record_id_sql(request.sobject.prefix, numbers.pod, numbers.first, offset)
    ids = {"_id": new_id, "_n": f"{numbers.first} + {offset}"}
    if request.operation != "insert" and request.key_column is not None:
        new_ids = {"_id": f"case when {created} then {new_id} else target.id end"}
        new_ids["_n"] = f"case when {created} then {ids['_n']} else target.n end"
        ids = new_ids if request.operation == "upsert" else {"_id": "target.id", "_n": "target.n"}
    elif request.operation != "insert":
        ids = {"_id": "null::varchar", "_n": "null::bigint"}
    outputs = [
        "typed._row",
        *(f"{sql} as {name}" for name, sql in ids.items()),
        f"{created} as _created",
        *(f"{value_of(request, c)} as {c.value}" for c in request.columns),
        *(f"{is_named(request, c)} as g{c.position}" for c in request.columns),
        f"{error_of_row_sql(catalog, request)} as _error",
    ]
    return _judged(typed, bodies, outputs, joins)


def one_sql(catalog: Catalog, request: WriteRequest, *, lower_case_email: bool) -> str:
    """SQL that judges one row without reading a table, so that its plan can be kept.

    Parameters, by position: the row's texts, then the line found for each join (all null: none).
    Columns: `_created`, `_error`, the record's `id` and `n` (null: a new one), `v0`, … `g0`, …
    """
    joins = joins_of(catalog, request)
    typed = _one_typed_sql(request, joins, lower_case_email=lower_case_email)
    target = request.operation != "insert" and request.key_column is not None
    outputs = [
        f"{created_sql(request)} as _created",
        f"{error_of_row_sql(catalog, request)} as _error",
        f"{'target.id' if target else 'null::varchar'} as id",
        f"{'target.n' if target else 'null::bigint'} as n",
        *(f"{value_of(request, c)} as {c.value}" for c in request.columns),
        *(f"{is_named(request, c)} as g{c.position}" for c in request.columns),
    ]
    return f"select {', '.join(outputs)} from ({typed}) typed"


def keys_sql(
    request: WriteRequest, joins: list[Join], earlier: list[Join], *, lower_case_email: bool
) -> str:
    """SQL for the keys that one row looks for, one per wanted join.

    Parameters, by position: the row's texts, then the lines of the joins that are known.
    """
    typed = _one_typed_sql(request, earlier, lower_case_email=lower_case_email)
    return f"select {', '.join(join.key for join in joins)} from ({typed}) typed"


def _one_typed_sql(request: WriteRequest, joins: list[Join], *, lower_case_email: bool) -> str:
    """SQL for one row given as parameters: its texts, typed values and the lines it found."""
    texts = [f"${c.position + 1}::varchar as {c.raw}" for c in request.columns]
    number = len(texts)
    lines = []
    for join in joins:
        members = []
        for name, kind in join.columns.items():
            number += 1
            members.append(f"'{name}': ${number}::{kind}")
        # A struct is addressed like a joined line (`target.id`), and costs no join.
        lines.append(f"{{{', '.join(members)}}} as {join.name}")
    source = f"(select {', '.join(['0 as _row', *texts])})"
    typed = typed_sql(request, source, lower_case_email=lower_case_email)
    return f"select {', '.join(['t.*', *lines])} from ({typed}) t"


def typed_sql(request: WriteRequest, source: str, *, lower_case_email: bool) -> str:
    """SQL for the rows of a relation of texts, with their typed values."""
    typed = [
        f"{value_sql(c.field, f'i.{c.raw}', lower_case_email=lower_case_email)} as {c.value}"
        for c in request.columns
        if c.via is None
    ]
    return f"select {', '.join(['i.*', *typed])} from {source} i"


def _judged(typed: str, bodies: dict[str, str], outputs: list[str], joins: list[Join]) -> str:
    # Each reader gets the rows anew: a shared CTE would be written to memory with every column.
    source = f"({typed}) typed"
    ctes = [
        f"{name} as ({body.replace('from typed', f'from {source}')})"
        for name, body in bodies.items()
    ]
    lines = [f"left join {join.name} on {join.on}" for join in joins]
    head = f"with {', '.join(ctes)} " if ctes else ""
    return f"{head}select {', '.join(outputs)} from {source} {' '.join(lines)}"
