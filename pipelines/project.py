"""One pipeline: its home on disk, its inbox and the YAML that declares it.

Everything that runs (assets, the command line, tests) starts from a ``Project``; it is chosen by
the environment and knows nothing of the orchestrator.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import config
from pipelines.engine import Function
from pipelines.errors import InternalError
from pipelines.org.mirror import Manifest, read_manifest
from pipelines.sources.written import CALLS
from pipelines.sql import CONFIG, SqlFile, read_folder
from pipelines.sync.decisions import FILE as DECISIONS
from pipelines.sync.decisions import TABLE as DECISION_COLUMNS
from pipelines.sync.decisions import read_decisions
from pipelines.sync.identity.names import likeness
from pipelines.sync.plan.choice import EVERYTHING, Choice
from pipelines.sync.state import State, sql
from pipelines.warehouse import Warehouse, constant, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.org import Org
    from pipelines.sources.model import Sources
    from pipelines.sync.decisions import Decisions
    from pipelines.sync.mapping.model import ObjectMapping
    from pipelines.sync.mapping.policies import Policies

ASSETS = config.PROJECT / "assets"


FUNCTIONS = (
    Function("name_likeness", likeness, parameters=4),
    *(Function(name, call, parameters) for name, (call, parameters) in CALLS.items()),
)
"""The rules in Python that our SQL calls."""


@dataclass(frozen=True)
class Project:
    """Where one pipeline lives.

    Attributes:
        home: all data and state.
        inbox: ``<source>/<YYYY-MM-DD>/*``, what other people put there.
        mappings: the YAML that declares sources, policies and mappings.
        org_name: a connection in ``orgs.yaml``; none is the local org.
        strict: whether one record that changed after it was planned stops all of its object.
        choice: what plans are to write; by default everything.
    """

    home: Path
    inbox: Path
    mappings: Path
    org_name: str | None = None
    strict: bool = False
    choice: Choice = EVERYTHING

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Project:
        """The project that ``CAUSEWAY_HOME`` and its siblings name.

        The same value as long as no file of its mappings changes, so that YAML is read once.
        """
        mappings = config.mappings(environ)
        return _project(
            cls(
                home=config.home(environ),
                inbox=config.inbox(environ),
                mappings=mappings,
                org_name=environ.get("CAUSEWAY_ORG") or None,
                strict=bool(environ.get("CAUSEWAY_STRICT")),
            ),
            tuple(
                sorted(
                    (path, path.stat().st_ctime_ns)
                    for pattern in ("*.yaml", DECISIONS)
                    for path in mappings.glob(pattern)
                )
            ),
        )

    @cached_property
    def warehouse(self) -> Warehouse:
        """The relations below the home."""
        names = ("macros", "cells", "consent")
        macros = "\n".join((ASSETS / f"{one}.sql").read_text(encoding="utf-8") for one in names)
        return Warehouse(
            self.home,
            macros=f"{macros}\n{sql('identity/macros')}",
            functions=FUNCTIONS,
        )

    @cached_property
    def state(self) -> State:
        """What outlives a batch."""
        return State(self.warehouse)

    @cached_property
    def sources(self) -> Sources:
        """``sources.yaml``."""
        from pipelines.sources.config import read_sources

        return read_sources(self.mappings / "sources.yaml")

    def reading(self, sources: Sources) -> Project:
        """The same pipeline with other sources than its ``sources.yaml`` declares."""
        other = replace(self)
        vars(other)["sources"] = sources  # where a cached property keeps its value
        return other

    @cached_property
    def policies(self) -> Policies:
        """``policies.yaml``."""
        from pipelines.sync.mapping.policies import read_policies

        return read_policies(self.mappings)

    @cached_property
    def decisions(self) -> Decisions:
        """``decisions.csv``; without such a file nothing is decided."""
        return read_decisions(self.mappings / DECISIONS, self.sources.sources)

    @cached_property
    def object_mappings(self) -> dict[str, ObjectMapping]:
        """Every mapping by the stem of its file, in the order in which they are written."""
        from pipelines.sync.mapping.folder import read_mappings

        return read_mappings(self.mappings)

    @cached_property
    def objects(self) -> tuple[str, ...]:
        """The objects that are mapped, in the order in which they are written first."""
        from pipelines.sync.mapping.folder import objects_of

        return tuple(objects_of(self.object_mappings))

    @cached_property
    def keys(self) -> dict[str, str]:
        """Object → the field of it that carries our key, the same in all its mappings."""
        return {mapping.object: mapping.key for mapping in self.object_mappings.values()}

    @cached_property
    def mirrored(self) -> dict[str, str]:
        """Relations that stand for what the org holds now, not for one day: relation → object."""
        from pipelines.sync.mapping.named_objects import USER

        return {f"org_{name.lower()}": name for name in (*self.objects, USER)}

    @cached_property
    def local_org(self) -> Path:
        """The folder of the local org that belongs to this home."""
        return self.home / "local_org"

    @property
    def bound_org(self) -> str | None:
        """Id of the organization that this home belongs to; none before its first snapshot."""
        return self.state.organization

    def org_home(self, organization_id: str) -> Path:
        """Where everything lies that is true of one organization alone."""
        return self.home / "orgs" / organization_id

    @contextmanager
    def org(self) -> Iterator[Org]:
        """The org this project writes to, connected at first use."""
        from pipelines.local_org import control
        from pipelines.salesforce.connection import load_connection
        from pipelines.salesforce.org import Org

        local = control.status(self.local_org)
        connection = load_connection(
            self.org_name,
            orgs_file=config.PROJECT / "orgs.yaml",
            local=local if local["running"] else None,
            environ=os.environ,
        )
        with Org(connection) as org:
            yield org

    @cached_property
    def config_sql(self) -> str:
        """SQL of every ``config_<name>`` that all batches share: views, which nobody fills."""
        statements = []
        for name, (columns, rows) in self._config_tables().items():
            statements.append(f"create table {name}_rows ({columns})")
            listed = ", ".join(f"({', '.join(map(constant, row))})" for row in rows)
            if rows:
                statements.append(f"insert into {name}_rows values {listed}")
            statements.append(f"create view {CONFIG}{name} as select * from {name}_rows")
        return ";\n".join(statements)

    def bind_org(
        self, connection: DuckDBPyConnection, object_name: str, name: str | None = None
    ) -> None:
        """Make ``org_<object>`` visible: every record that the bound org holds, once.

        Args:
            connection: where the view is made.
            object_name: one that is mapped, or ``User``.
            name: of the view, where it is not the relation's.
        """
        relation = f"org_{object_name.lower()}"
        query = self._org_view(relation)
        connection.execute(f'create or replace temp view "{name or relation}" as {query}')

    def org_views(self) -> dict[str, str]:
        """Relation of the org → a query of every record that the bound org holds, once."""
        return {relation: self._org_view(relation) for relation in self.mirrored}

    def _org_view(self, relation: str) -> str:
        schema = self.warehouse.schema_file(relation)
        manifest = self.manifest(relation)
        if manifest is None:
            return f"select * from {parquet_sql(schema)}"
        return manifest.view_sql(schema)

    def org_files(self, relation: str) -> list[Path]:
        """The files that a relation of the org is read from."""
        manifest = self.manifest(relation)
        files = [] if manifest is None else [manifest.path(file) for file in manifest.files]
        return [self.warehouse.schema_file(relation), *files]

    def manifest(self, relation: str) -> Manifest | None:
        """What the mirror that a relation stands for consists of; none before it was read."""
        return read_manifest(self.mirror(self.mirrored[relation])) if self.bound_org else None

    def mirror(self, object_name: str, organization_id: str | None = None) -> Path:
        """The folder of the mirror of one object, by default in the bound org."""
        bound = organization_id or self.bound_org
        if bound is None:
            raise InternalError(f"{self.home} has no org yet, so no mirror of its {object_name}s")
        return self.org_home(bound) / "snapshot" / object_name.lower()

    def _config_tables(self) -> dict[str, tuple[str, Sequence[Sequence[Any]]]]:
        """Name → (columns, rows) of the tables that SQL files read as ``config_<name>``."""
        from pipelines.sources.config import (
            CONFIG_FORMATS,
            CONFIG_SOURCES,
            config_formats_rows,
            config_groups_rows,
            config_lists_rows,
            config_selections_rows,
            config_sources_rows,
        )
        from pipelines.sync.mapping.policies import policy_row

        sources = ", ".join(f"{name} {kind}" for name, kind in CONFIG_SOURCES.items())
        formats = ", ".join(f"{name} {kind}" for name, kind in CONFIG_FORMATS.items())
        columns, row = policy_row(self.policies)
        return {
            "sources": (sources, config_sources_rows(self.sources)),
            "formats": (
                formats,
                config_formats_rows(self.sources, self.policies.batches.timezone),
            ),
            "lists": (
                "source varchar, list varchar, list_as varchar,"
                " account_mode varchar, account_name varchar",
                config_lists_rows(self.sources),
            ),
            "groups": (
                "source varchar, number varchar, name varchar",
                config_groups_rows(self.sources),
            ),
            "selections": (
                "source varchar, list varchar, id varchar",
                config_selections_rows(self.sources),
            ),
            "policies": (columns, [row]),
            "decisions": (DECISION_COLUMNS, self.decisions.rows),
        }


@lru_cache(maxsize=1)
def _project(project: Project, _stamps: tuple[tuple[Path, int], ...]) -> Project:
    return project


def stage_files(stage: str) -> list[SqlFile]:
    """The ``.sql`` relations of one stage."""
    return read_folder(ASSETS / stage)
