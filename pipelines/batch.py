"""One batch of a project: what every step works with, made once and never changed.

A step gets it whole and asks it for what it needs: relations of its day, a DuckDB with its
configuration, what the org says of its fields, the mappings as the org wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import memo as memos
from pipelines.sql import ALL_DAYS, CONFIG, SqlFile
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.fields import OrgSchema, org_schema
from pipelines.warehouse import Warehouse, Written, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping


@dataclass(frozen=True)
class Batch:
    """One day of one project, for the length of a step.

    Attributes:
        project: whose data and org.
        day: the partition; ``date.min`` where only the project's macros and YAML are needed.
    """

    project: Project
    day: date

    @classmethod
    def none_of(cls, project: Project) -> Batch:
        """For a DuckDB with the project's macros and configuration, by which no row is read."""
        return cls(project, date.min)

    @cached_property
    def schema(self) -> OrgSchema:
        """The fields of the org's objects as the snapshot of the day saw them."""
        return _schema(self.project.warehouse, self.day, memos.version(self.path("org_schema")))

    @cached_property
    def mappings(self) -> dict[str, ObjectMapping]:
        """The mappings by stem, as the org of the day's snapshot wants them."""
        return fit(self.project.object_mappings, self.schema)

    def path(self, relation: str) -> Path:
        """Where a relation of the day lies."""
        return self.project.warehouse.path(relation, self.day)

    def written(self, relation: str) -> Written:
        """A relation of the day, as it lies on disk."""
        with self.project.warehouse.connect() as connection:
            return self.describe(connection, relation)

    def describe(self, connection: DuckDBPyConnection, relation: str) -> Written:
        """``written``, on a connection that is open."""
        return self.project.warehouse.describe(connection, relation, self.day)

    @contextmanager
    def connect(self) -> Iterator[DuckDBPyConnection]:
        """A DuckDB with the macros and the ``config_`` tables of the batch."""
        with self.project.warehouse.connect(self.project.config_sql) as connection:
            connection.execute(_batch_sql(self.day))
            yield connection

    def run_sql(self, file: SqlFile) -> Written:
        """Make a relation of the day from what its ``.sql`` file reads."""
        memo = self.memo(file.relation, self._inputs(file))
        if memo.cached() is None:
            with self.connect() as connection:
                if all(self.rows(connection, name) for name in file.rows_of):
                    self.bind(connection, file)
                    self.write(connection, file.relation, file.query)
                else:
                    nothing = self.project.warehouse.schema_file(file.relation)
                    self.project.warehouse.link(connection, file.relation, self.day, nothing)
            memo.keep()
        return self.written(file.relation)

    def write(self, connection: DuckDBPyConnection, relation: str, query: str) -> Written:
        """Make a relation of the day by a query."""
        return self.project.warehouse.write(connection, relation, self.day, query)

    def memo(self, relation: str, made_from: Iterable[object], *more_relations: str) -> memos.Memo:
        """What a relation of the day is made from, besides code and configuration.

        Args:
            relation: whose file the memo speaks of.
            made_from: whatever else decides, see ``memos.memo``.
            more_relations: further relations that are made along with it.
        """
        files = [self.path(name) for name in (relation, *more_relations)]
        path = files[0].with_name("made_from.json")
        return memos.memo(path, (self.day, self.project.config_sql, *made_from), files)

    def bind(self, connection: DuckDBPyConnection, file: SqlFile) -> None:
        """Make what a ``.sql`` file reads visible under its own names."""
        warehouse = self.project.warehouse
        for table in file.tables:
            name = table.removesuffix(ALL_DAYS)
            if name.startswith(CONFIG) or name in file.batches:
                continue
            if name == table:
                self.bind_table(connection, table)
            else:
                warehouse.bind(connection, name, warehouse.days(name), table)
        for name, query in file.batches.items():
            days = [row[0] for row in connection.execute(query).fetchall()]
            warehouse.bind(connection, name, days)

    def bind_table(self, connection: DuckDBPyConnection, table: str) -> None:
        """Make a relation visible: of the day, or of the org as the mirror holds it now."""
        if table in self.project.mirrored:
            self.project.bind_org(connection, self.project.mirrored[table])
        else:
            self.project.warehouse.bind(connection, table, [self.day])

    def rows(self, connection: DuckDBPyConnection, relation: str) -> int:
        """How many rows a relation has, of the day or of the org; of a mirror at most so many.

        Decisions count with the mirror's: one of a record that the org has not got has to be told.
        """
        if relation in self.project.mirrored:
            manifest = self.project.manifest(relation)
            org_rows = 0 if manifest is None else manifest.base_rows + sum(manifest.deltas.values())
            return org_rows + len(self.project.decisions.rows)
        if not self.path(relation).exists():
            return 0  # a day that was never made counts as empty
        return self.describe(connection, relation).rows

    def _inputs(self, file: SqlFile) -> list[object]:
        project, inputs = self.project, list[object]([file.query])
        for table in file.tables:
            name = table.removesuffix(ALL_DAYS)
            if table in project.mirrored:
                inputs += project.org_files(table)
            elif not name.startswith(CONFIG):
                days = [self.day] if name == table else project.warehouse.days(name)
                inputs += [project.warehouse.path(name, day) for day in days]
        return inputs


@lru_cache(maxsize=8)  # every step of a batch asks for it
def _schema(warehouse: Warehouse, day: date, _version: str) -> OrgSchema:
    with warehouse.connect() as connection:
        warehouse.bind(connection, "org_schema", [day])
        rows = connection.sql("select * from org_schema").to_arrow_table().to_pylist()
    return org_schema(rows)


def _batch_sql(day: date) -> str:
    """Make the tables ``config_<name>`` of one batch; the empty ones are filled as it is resolved.

    One text, as each statement costs a millisecond.
    """
    return f"""
        create temp table config_batch as select {literal(str(day))}::date as batch;
        create temp table config_aliases (person_key varchar, aliases varchar[]);
        create temp table config_statements (about ubigint, channel varchar, says varchar);
        create temp table config_account_references (reference ubigint, account_key varchar);
        create temp table config_account_aliases (account_key varchar, aliases varchar[]);
        create temp table config_account_members (
            person_key varchar, account_key varchar, rule varchar, name varchar, batch date
        )
    """
