"""One record, fast: the same rules as for sets, in statements whose plans are kept.

Planning costs far more than running when there is one row. A statement that reads no table keeps
its plan, so the lines that the rules look up are fetched first, one small statement each, and
handed to the rules as parameters.
"""

import datetime as dt
import re
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.catalog.model import Catalog, literal
from pipelines.local_org.dml.changes import (
    changed_fields_sql,
    changing_fields,
    insert_sql,
    note_write,
    update_sql,
)
from pipelines.local_org.dml.lookups import Join, joins_of
from pipelines.local_org.dml.outcome import CLEAR, Outcome, parse_errors
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.dml.work import keys_sql, one_sql
from pipelines.local_org.moments import now
from pipelines.local_org.store.store import Store

Typed = tuple[Any, str]
"""A value and the DuckDB type of the parameter that takes it."""
_BY_ID = re.compile(r'(\w)\."Id" in \(\{keys\}\)')


class SingleWriter:
    """Writes one row inside the caller's transaction."""

    def __init__(self, store: Store, catalog: Catalog, *, lower_case_email: bool) -> None:
        self._store, self._catalog = store, catalog
        self._lower_case_email = lower_case_email

    def write(self, request: WriteRequest, texts: dict[int, str], user: str) -> Outcome:
        """Write the row whose columns have these texts, and tell its fate."""
        given = [texts.get(column.position) for column in request.columns]
        sql = one_sql(self._catalog, request, lower_case_email=self._lower_case_email)
        texts_given = [(text, "varchar") for text in given]
        line = self._run(sql, [*texts_given, *self._found(request, given)])[0]
        created, error, record_id, number = line[:4]
        if error:
            known = None if created else record_id
            return Outcome(0, known, created=False, errors=parse_errors(error))
        if created:
            prefix = request.sobject.prefix
            number = self._store.numbers(prefix)
            record_id = ids.record_id(prefix, self._store.pod, number)
        write = note_write(self._store, request, user, number, int(created))
        self._put(request, created, [write, number, record_id, user, now(), *line[4:]])
        return Outcome(0, record_id, created=created)

    def _found(self, request: WriteRequest, given: list[str | None]) -> list[Typed]:
        """The line of each join, flat; nulls where there is none."""
        joins = joins_of(self._catalog, request)
        if not joins:
            return []
        texts: list[Typed] = [(text, "varchar") for text in given]
        found: list[Typed] = []
        known = 0
        while known < len(joins):
            # The key of a whole join may need the line before it.
            chained = joins[known].whole
            ready = joins[known : known + 1] if chained else [j for j in joins if not j.whole]
            sql = keys_sql(request, ready, joins[:known], lower_case_email=self._lower_case_email)
            keys = self._run(sql, [*texts, *found])[0]
            for join, key in zip(ready, keys, strict=True):
                lines = self._look_up(join, key) if key is not None else []
                values = lines[0] if lines else (None,) * len(join.columns)
                found += zip(values, join.columns.values(), strict=True)
            known += len(ready)
        return found

    def _look_up(self, join: Join, key: Any) -> list[tuple[Any, ...]]:
        by_id = _BY_ID.search(join.found) is not None
        kind = join.columns[join.held]
        if join.whole:
            sql = f"select * from ({join.found}) where {join.held} = $1::{kind}"
            return self._run(sql, [(key, kind)])
        if not by_id:
            lines = self._run(join.found.replace("{keys}", f"$1::{kind}"), [(key, kind)])
            # Merging lines is dear, and hardly ever needed.
            return self._run(join.lines(f"$1::{kind}"), [(key, kind)]) if lines[1:] else lines
        if not ids.is_id(key):
            return []
        # Numbers grow with the table, so they lead to the few blocks where the record can be.
        sql = _BY_ID.sub(r'\1._n = $2::bigint and \1."Id" in ($1::varchar)', join.found)
        return self._run(sql, [(key, kind), (ids.record_number(key), "bigint")])

    def _put(self, request: WriteRequest, created: bool, values: list[Any]) -> None:
        kinds = ["bigint", "bigint", "varchar", "varchar", "timestamp"]
        names = ["_write", "_n", "_id", "_user", "_now"]
        for column in request.columns:
            kinds.append(column.field.column_type)
            names.append(column.value)
        for column in request.columns:
            kinds.append("boolean")
            names.append(f"g{column.position}")
        casts = [
            f"${place}::{kind} as {name}"
            for place, (kind, name) in enumerate(zip(kinds, names, strict=True), start=1)
        ]
        work = f"select {', '.join(casts)}, null as _error, {str(created).lower()} as _created"
        statements = [insert_sql(request)] if created else [update_sql(request)]
        if not created and changing_fields(request):
            statements.insert(0, changed_fields_sql(request))
        for statement in statements:
            sql = statement.replace("from work w", f"from ({work}) w")
            for parameter in ("user", "now", "write"):
                sql = sql.replace(f"${parameter}", f"w._{parameter}")
            self._run(sql, list(zip(values, kinds, strict=True)))

    def _run(self, sql: str, values: list[Typed]) -> list[tuple[Any, ...]]:
        # A constant of another type than the parameter's would have the statement planned again.
        constants = [f"{_constant(value)}::{kind}" for value, kind in values]
        return self._store.run_kept(sql, ", ".join(constants))


def _constant(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return f"'{value.isoformat(sep=' ') if isinstance(value, dt.datetime) else value}'"
    if value == CLEAR:
        return "chr(0)"
    return literal(value)
