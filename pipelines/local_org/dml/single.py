"""One record, fast: the same rules as for sets, in statements whose plans are kept.

Planning costs far more than running when there is one row. A statement that reads no table keeps
its plan, so the lines that the rules look up are fetched first, one small statement each, and
handed to the rules as parameters.
"""

import datetime as dt
import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.catalog.model import Catalog, SObject, literal
from pipelines.local_org.dml.addresses import PLACES
from pipelines.local_org.dml.changes import (
    STAMPS,
    changing_fields,
    insert_sql,
    note_write,
    update_sql,
)
from pipelines.local_org.dml.delete import alone_sql
from pipelines.local_org.dml.lookups import Join, joins_of
from pipelines.local_org.dml.outcome import CLEAR, Outcome, parse_errors
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.dml.work import keys_sql, one_sql
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import CHANGE, Write, note
from pipelines.local_org.store.store import Store

Typed = tuple[Any, str]
"""A value and the DuckDB type of the parameter that takes it."""
_BY_ID = re.compile(r'(\w)\."Id" in \(\{keys\}\)')


class SingleWriter:
    """Writes one row inside the caller's transaction."""

    def __init__(self, store: Store, catalog: Catalog, *, lower_case_email: bool) -> None:
        self._store, self._catalog = store, catalog
        self._lower_case_email = lower_case_email
        self._before: tuple[Any, ...] = ()
        """Of the record to change: the fields that may change, first as they are, then as texts."""

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
        row = _row(request, line, user)
        if created:
            prefix = request.sobject.prefix
            number = self._store.numbers(prefix)
            record_id = ids.record_id(prefix, self._store.pod, number)
            row |= {"_n": (number, "bigint"), "_id": (record_id, "varchar")}
        write = note_write(self._store, request, user, number, int(created))
        if created:
            self._run_over(insert_sql(request).partition(" from work w")[0], row)
        else:
            self._note_changes(request, write, row)
            changes = update_sql(request).partition(" from work w")[0]
            self._run_over(f"{changes} where t._n = w._n", row)
        return Outcome(0, record_id, created=created)

    def delete(self, sobject: SObject, record_id: str, user: str) -> bool:
        """Put a live record that nothing hangs on into the recycle bin; whether it was one."""
        where: list[Typed] = [(record_id, "varchar"), (ids.record_number(record_id), "bigint")]
        if not self._run(alone_sql(self._catalog, sobject), where):
            return False
        write = note(self._store, Write(sobject.name, "delete", user, ["IsDeleted"]))
        self._note_change(write, where[1][0], [0], ["false"])
        stamps = "".join(f', "{name}" = w._now' for name in STAMPS)
        self._run_over(
            f'update {sobject.table} set "IsDeleted" = true{stamps}, "LastModifiedById" = w._user '
            "where _n = w._n",
            {"_n": where[1], "_user": (user, "varchar"), "_now": (now(), "timestamp")},
        )
        return True

    def _found(self, request: WriteRequest, given: list[str | None]) -> list[Typed]:
        """The line of each join, flat; nulls where there is none."""
        joins = joins_of(self._catalog, request)
        if not joins:
            return []
        texts: list[Typed] = [(text, "varchar") for text in given]
        found: list[Typed] = []
        known = 0
        for _, group in groupby(joins, key=lambda join: join.round):
            ready = list(group)
            keys = self._keys(request, ready, joins[:known], [*texts, *found])
            for join, key in zip(ready, keys, strict=True):
                lines = self._look_up(request, join, key) if key is not None else []
                values = lines[0] if lines else (None,) * len(join.columns)
                found += zip(values, join.columns.values(), strict=True)
            known += len(ready)
        return found

    def _keys(
        self, request: WriteRequest, wanted: list[Join], known: list[Join], row: list[Typed]
    ) -> tuple[Any, ...]:
        key = request.key_column
        if key is not None and key.field.name == "Id" and [j.name for j in wanted] == ["target"]:
            record_id = row[key.position][0]
            if record_id is not None and len(record_id) == 18 and ids.is_id(record_id):
                return (record_id,)
        sql = keys_sql(request, wanted, known, lower_case_email=self._lower_case_email)
        return self._run(sql, row)[0]

    def _look_up(self, request: WriteRequest, join: Join, key: Any) -> list[tuple[Any, ...]]:
        by_id = _BY_ID.search(join.found) is not None
        kind = join.columns[join.held]
        if join.found == PLACES:
            return self._store.places.get(key, [])
        found = join.found
        if join.whole:
            sql = f"select * from ({found}) where {join.held} = $1::{kind}"
            return self._run(sql, [(key, kind)])
        if join.name == "target":
            columns = [request.sobject[name].column for name in changing_fields(request)]
            olds = [f"t.{c}" for c in columns] + [f"t.{c}::varchar" for c in columns]
            table = f" from {request.sobject.table} t where "
            found = found.replace(table, "".join(f", {old}" for old in olds) + table, 1)
        if by_id:
            if not ids.is_id(key):
                return []
            # Numbers grow with the table, so they lead to the few blocks that may hold the record.
            sql = _BY_ID.sub(r'\1._n = $2::bigint and \1."Id" in ($1::varchar)', found)
            lines = self._run(sql, [(key, kind), (ids.record_number(key), "bigint")])
        else:
            # An equation finds its way through an index, a list of one does not.
            lines = self._run(found.replace("in ({keys})", f"= $1::{kind}"), [(key, kind)])
            if lines[1:]:  # merging lines is dear, and hardly ever needed
                return self._run(join.lines(f"$1::{kind}"), [(key, kind)])
        if lines and join.name == "target":
            self._before = lines[0][len(join.columns) :]
        return [line[: len(join.columns)] for line in lines]

    def _note_changes(self, request: WriteRequest, write: int, row: Mapping[str, Typed]) -> None:
        """Note which fields change, and the texts that stood there."""
        names = changing_fields(request)
        olds, texts = self._before[: len(names)], self._before[len(names) :]
        changed = []
        for place, name in enumerate(names):
            column = request.by_field[name]
            said, new = row[f"g{column.position}"][0], row[column.value][0]
            if said and new != olds[place]:
                changed.append(place)
        if changed:
            self._note_change(write, row["_n"][0], changed, [texts[place] for place in changed])

    def _note_change(
        self, write: int, number: int, changed: list[int], olds: list[str | None]
    ) -> None:
        texts = f"[{', '.join(map(_constant, olds))}]::varchar[]"
        places = f"{changed}::usmallint[]"
        constants = f"{write}::bigint, {number}::bigint, {places}, {texts}"
        self._store.run_kept(CHANGE, constants)

    def _run_over(self, sql: str, row: Mapping[str, Typed]) -> list[tuple[Any, ...]]:
        """Run a statement that speaks of one row of `work w` as if it were a relation."""
        used: list[str] = []

        def parameter(match: re.Match[str]) -> str:
            name = match[1]
            if name not in used:
                used.append(name)
            return f"${used.index(name) + 1}::{row[name][1]}"

        stamped = re.sub(r"\$(user|now)\b", r"w._\1", sql)
        names = "|".join(map(re.escape, row))
        filled = re.sub(rf"\bw\.({names})\b", parameter, stamped)
        return self._run(filled, [row[name] for name in used])

    def _run(self, sql: str, values: list[Typed]) -> list[tuple[Any, ...]]:
        # A constant of another type than the parameter's would have the statement planned again.
        constants = [f"{_constant(value)}::{kind}" for value, kind in values]
        return self._store.run_kept(sql, ", ".join(constants))


def _row(request: WriteRequest, line: tuple[Any, ...], user: str) -> dict[str, Typed]:
    """A judged row by the names that it has in `work`, and who writes it when."""
    created, _, record_id, number = line[:4]
    names = [column.value for column in request.columns]
    names += [f"g{column.position}" for column in request.columns]
    kinds = [column.field.column_type for column in request.columns]
    kinds += ["boolean"] * len(request.columns)
    return {
        "_row": (0, "bigint"),
        "_n": (number, "bigint"),
        "_id": (record_id, "varchar"),
        "_created": (created, "boolean"),
        "_user": (user, "varchar"),
        "_now": (now(), "timestamp"),
        **dict(zip(names, zip(line[4:], kinds, strict=True), strict=True)),
    }


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
