"""One record, fast: the same rules as for sets, in statements whose plans are kept.

Planning costs far more than running when there is one row. A statement that reads no table keeps
its plan, so the lines that the rules look up are fetched first, one small statement each, and
handed to the rules as parameters.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.catalog.model import Catalog, SObject, literal
from pipelines.local_org.dml.changes import STAMPS, note_write
from pipelines.local_org.dml.delete import alone_sql
from pipelines.local_org.dml.kept import WORK_STAMPS, Filled, LookUp, Round, Shape, filled, shape_of
from pipelines.local_org.dml.outcome import CLEAR, Outcome, parse_errors
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import CHANGE, Write, note
from pipelines.local_org.store.store import Store

Typed = tuple[Any, str]
"""A value and the DuckDB type of the parameter that takes it."""


class SingleWriter:
    """Writes one row inside the caller's transaction."""

    def __init__(self, store: Store, catalog: Catalog, *, lower_case_email: bool) -> None:
        self._store, self._catalog = store, catalog
        self._lower_case_email = lower_case_email
        self._before: tuple[Any, ...] = ()
        """Of the record to change: the fields that may change, first as they are, then as texts."""

    def write(self, request: WriteRequest, texts: dict[int, str], user: str) -> Outcome:
        """Write the row whose columns have these texts, and tell its fate."""
        shape = shape_of(self._catalog, request, lower_case_email=self._lower_case_email)
        typed: list[Typed] = [(texts.get(c.position), "varchar") for c in request.columns]
        line = self._run(shape.judge, [*typed, *self._join_values(shape, typed)])[0]
        created, error, record_id, number = line[:4]
        if error:
            existing_id = None if created else record_id
            return Outcome(0, existing_id, created=False, errors=parse_errors(error))
        if created:
            prefix = request.sobject.prefix
            number = self._store.numbers(prefix)
            record_id = ids.record_id(prefix, self._store.pod, number)
        row = _row(shape, line, user) | {"_n": number, "_id": record_id}
        write = note_write(self._store, shape.request, user, number, int(created))
        if created:
            self._run_over(shape.insert, row, shape.kinds)
        else:
            self._note_changes(shape, write, row)
            self._run_over(shape.update, row, shape.kinds)
        return Outcome(0, record_id, created=created)

    def delete(self, sobject: SObject, record_id: str, user: str) -> bool:
        """Put a live record that nothing hangs on into the recycle bin; whether it was one."""
        number = ids.record_number(record_id)
        where: list[Typed] = [(record_id, "varchar"), (number, "bigint")]
        if not self._run(alone_sql(self._catalog, sobject), where):
            return False
        write = note(self._store, Write(sobject.name, "delete", user, ["IsDeleted"]))
        self._note_change(write, number, [0], ["false"])
        stamps = "".join(f', "{name}" = w._now' for name in STAMPS)
        buried = filled(
            f'update {sobject.table} set "IsDeleted" = true{stamps}, "LastModifiedById" = w._user '
            "where _n = w._n",
            WORK_STAMPS,
        )
        self._run_over(buried, {"_n": number, "_user": user, "_now": now()}, WORK_STAMPS)
        return True

    def _join_values(self, shape: Shape, typed: list[Typed]) -> list[Typed]:
        """The line of each join, flat; nulls where there is none."""
        joined: list[Typed] = []
        for step in shape.rounds:
            keys = self._keys(step, [*typed, *joined])
            for look_up, key in zip(step.look_ups, keys, strict=True):
                kinds = look_up.join.columns.values()
                lines = self._look_up(look_up, key) if key is not None else []
                joined += zip(lines[0] if lines else (None,) * len(kinds), kinds, strict=True)
        return joined

    def _keys(self, step: Round, row: list[Typed]) -> tuple[Any, ...]:
        if step.id_at is not None:
            record_id = row[step.id_at][0]
            if record_id is not None and len(record_id) == 18 and ids.is_id(record_id):
                return (record_id,)
        return self._run(step.keys, row)[0]

    def _look_up(self, look_up: LookUp, key: Any) -> list[tuple[Any, ...]]:
        join = look_up.join
        if look_up.place:
            return self._store.places.get(key, [])
        parameters: list[Typed] = [(key, join.columns[join.key_column])]
        if look_up.by_id:
            if not ids.is_id(key):
                return []
            parameters.append((ids.record_number(key), "bigint"))
        lines = self._run(look_up.sql, parameters)
        if lines[1:]:  # merging lines is dear, and hardly ever needed
            return self._run(look_up.several, parameters[:1])
        if lines and join.name == "target":
            self._before = lines[0][len(join.columns) :]
        return [line[: len(join.columns)] for line in lines]

    def _note_changes(self, shape: Shape, write: int, row: Mapping[str, Any]) -> None:
        """Note which fields change, and the texts that stood there."""
        names = shape.changing
        olds, texts = self._before[: len(names)], self._before[len(names) :]
        changed = []
        for place, name in enumerate(names):
            column = shape.request.by_field[name]
            if row[f"g{column.position}"] and row[column.value] != olds[place]:
                changed.append(place)
        if changed:
            self._note_change(write, row["_n"], changed, [texts[place] for place in changed])

    def _note_change(
        self, write: int, number: int, changed: list[int], olds: list[str | None]
    ) -> None:
        texts = f"[{', '.join(map(_constant, olds))}]::varchar[]"
        places = f"{changed}::usmallint[]"
        constants = f"{write}::bigint, {number}::bigint, {places}, {texts}"
        self._store.run_kept(CHANGE, constants)

    def _run_over(
        self, statement: Filled, row: Mapping[str, Any], kinds: Mapping[str, str]
    ) -> None:
        self._run(statement.sql, [(row[name], kinds[name]) for name in statement.names])

    def _run(self, sql: str, values: list[Typed]) -> list[tuple[Any, ...]]:
        # A constant of another type than the parameter's would have the statement planned again.
        constants = [f"{_constant(value)}::{kind}" for value, kind in values]
        return self._store.run_kept(sql, ", ".join(constants))


def _row(shape: Shape, line: tuple[Any, ...], user: str) -> dict[str, Any]:
    """A judged row by the names that it has in `work`, and who writes it when."""
    names = [column.value for column in shape.request.columns]
    names += [f"g{column.position}" for column in shape.request.columns]
    stamps = {"_row": 0, "_created": line[0], "_user": user, "_now": now()}
    return stamps | dict(zip(names, line[4:], strict=True))


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
