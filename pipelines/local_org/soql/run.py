"""Runs compiled queries: pages of JSON records for REST, CSV files for query jobs."""

import datetime as dt
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb

from pipelines.local_org.catalog.model import Field, SObject, literal, quoted
from pipelines.local_org.soql.compiled import KIND, Compiled, Output, step_name
from pipelines.local_org.soql.polymorphic import NAME
from pipelines.local_org.soql.tree import QueryError


def json_value(field: Field, value: Any) -> Any:
    """A value as REST answers it."""
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}+0000"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


class Shaper:
    """Builds nested records from rows of a compiled query."""

    def __init__(self, query: Compiled, version: str) -> None:
        self._query = query
        self._path = f"/services/data/v{version}/sobjects"
        self._version = version

    def records(
        self, connection: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]
    ) -> list[dict[str, Any]]:
        """The records of these rows, with their sub-queries run."""
        if self._query.kind == "aggregate":
            return [self._aggregate(row) for row in rows]
        records = [self.record(row) for row in rows]
        by_id = {row[0]: record for row, record in zip(rows, records, strict=True)}
        self._add_children(connection, by_id)
        return records

    def record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """The record of one row, without sub-queries."""
        skip = 1 + len(self._query.routes)
        return self._record(row[0], row[1:skip], row[skip:])

    def _aggregate(self, row: tuple[Any, ...]) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        for output, value in zip(self._query.outputs, row, strict=True):
            record[output.name] = json_value(output.field, value)
        return record

    def _record(
        self, record_id: str, route_ids: tuple[Any, ...], values: tuple[Any, ...]
    ) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": self._attributes((self._query.sobject,), record_id)}
        places: dict[tuple[str, ...], dict[str, Any] | None] = {(): record}
        objects = dict(zip(self._query.routes, self._query.route_objects, strict=True))
        present = dict(zip(self._query.routes, route_ids, strict=True))
        for output, value in zip(self._query.outputs, values, strict=True):
            for depth in range(1, len(output.route) + 1):
                route = output.route[:depth]
                if route in places:
                    continue
                holder = places[route[:-1]]
                parent_id = present[route]
                parent = (
                    {"attributes": self._attributes(objects[route], parent_id)}
                    if parent_id is not None
                    else None
                )
                places[route] = parent
                if holder is None:
                    continue
                name = step_name(route[-1])
                # Of the kinds that TYPEOF names, a parent is one at most.
                if parent is not None or name not in holder:
                    holder[name] = parent
            place = places[output.route]
            if place is not None:
                place[output.name] = json_value(output.field, value)
        return record

    def _attributes(self, objects: tuple[SObject, ...], record_id: str) -> dict[str, str]:
        sobject = next((o for o in objects if record_id.startswith(o.prefix)), objects[0])
        name = sobject.name if len(objects) == 1 else NAME.name
        return {"type": name, "url": f"{self._path}/{sobject.name}/{record_id}"}

    def _add_children(
        self, connection: duckdb.DuckDBPyConnection, by_id: dict[str, dict[str, Any]]
    ) -> None:
        for child in self._query.children:
            by_parent: dict[str, list[dict[str, Any]]] = defaultdict(list)
            sql = f"select * from ({child.query.sql}) where _parent in (select unnest(?))"
            rows = connection.execute(sql, [list(by_id)]).fetchall()
            shaper = Shaper(child.query, self._version)
            plain = [(row[0], *row[2:]) for row in rows]
            for row, record in zip(rows, shaper.records(connection, plain), strict=True):
                by_parent[row[1]].append(record)
            for parent_id, record in by_id.items():
                records = by_parent.get(parent_id)
                record[child.name] = (
                    {"totalSize": len(records), "done": True, "records": records}
                    if records
                    else None
                )


def copy_parquet_sql(query: Compiled, file: Path) -> str:
    """SQL that keeps a query's rows for its next pages, and tells how many there are."""
    return f"copy ({query.sql}) to {literal(str(file))} (format parquet)"


def copy_csv_sql(query: Compiled, file: Path, *, delimiter: str, line_ending: str) -> str:
    """SQL that writes a query's rows as a Bulk result file, header first, every value quoted."""
    if query.kind != "records" or query.children:
        raise QueryError("INVALIDJOB", "Aggregate Relationships not supported in Bulk Query")
    if any(KIND in step for output in query.outputs for step in output.route):
        raise QueryError("FEATURENOTENABLED", "TYPEOF is not supported in Bulk Query")
    columns = [
        f"coalesce({_csv_sql(output, f'o{i}')}, '') as "
        + quoted(".".join((*output.route, output.name)))
        for i, output in enumerate(query.outputs)
    ]
    new_line = r"\r\n" if line_ending == "CRLF" else r"\n"
    return (
        f"copy (select {', '.join(columns)} from ({query.sql})) to {literal(str(file))} "
        f"(format csv, header, force_quote *, delimiter {literal(delimiter)}, "
        f"new_line '{new_line}')"
    )


def _csv_sql(output: Output, column: str) -> str:
    kind = output.field.type
    if kind == "datetime":
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    if kind == "address":
        raise QueryError("FEATURENOTENABLED", "Selecting compound data not supported in Bulk Query")
    return f"{column}::varchar"
