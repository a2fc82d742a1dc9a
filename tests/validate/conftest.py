"""A home whose batches land, are staged and judged for real."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.project import FUNCTIONS
from pipelines.sources.relations import RAW, columns
from pipelines.validate.judge import Validated, validate
from pipelines.validate.rules import ENTITIES
from pipelines.warehouse import Warehouse

Row = dict[str, Any]

DAY = date(2026, 11, 20)
FORMATS = (
    "create temp table config_formats"
    " (source varchar, day_first boolean, decimal_comma boolean, timezone varchar)"
)
MACROS = "\n".join(
    (PROJECT / f"assets/{name}.sql").read_text(encoding="utf-8")
    for name in ("macros", "cells", "consent")
)
REJECTED = """
    select
        null::varchar as source, null::varchar as source_id,
        null::varchar as _source, null::varchar as _file, null::bigint as _row,
        null::date as _batch,
        null::struct(kind varchar, rule varchar, field varchar, value varchar, message varchar)[]
            as reasons,
        null::json as raw
    where false
"""


def staging(entity: str) -> str:
    return (PROJECT / f"assets/staging/stg_{entity}.sql").read_text(encoding="utf-8")


@dataclass
class Home:
    """Lands raw rows, or a query of them, and judges them as a run does."""

    warehouse: Warehouse
    parents: Mapping[str, str]  # source → parent source

    def prepare(self) -> None:
        with self.warehouse.connect() as connection:
            connection.execute(MACROS)
            connection.execute(FORMATS)
            for raw in RAW:
                self._create(connection, raw)
                query = f"select * from {raw}"
                self.warehouse.write(connection, raw, None, query)
            for entity in ENTITIES:
                for stage in ("stg", "valid"):
                    self.warehouse.write(connection, f"{stage}_{entity}", None, staging(entity))
                self.warehouse.write(connection, f"rejected_{entity}", None, REJECTED)

    def judge(self, entity: str, rows: Sequence[Row], day: date = DAY) -> Validated:
        """Rows say what differs from an empty row on consecutive lines of one file."""
        raw = f"raw_{entity}"
        with self.warehouse.connect() as connection:
            self._create(connection, raw)
            landed = {
                "_source": "list",
                "_file": f"list/{day}/a.csv",
                "_batch": day,
                "_loaded_at": f"{day} 12:00:00+00",
            }
            for number, row in enumerate(rows, start=2):
                full = landed | {"_row": number} | row
                marks = ", ".join("?" for _ in full)
                connection.execute(
                    f"insert into {raw} ({', '.join(full)}) values ({marks})", list(full.values())
                )
            self.warehouse.write(connection, raw, day, f"select * from {raw}")
            connection.execute(f"drop table {raw}")
        return self.run(entity, day)

    def run(self, entity: str, day: date = DAY) -> Validated:
        """Stage and judge what landed."""
        with self.warehouse.connect() as connection:
            connection.execute(MACROS)
            connection.execute(
                "create temp table config_sources (source varchar, parent_source varchar)"
            )
            connection.execute(FORMATS)
            for pair in self.parents.items():
                connection.execute("insert into config_sources values (?, ?)", list(pair))
            self.warehouse.bind(connection, f"raw_{entity}", [day])
            self.warehouse.write(connection, f"stg_{entity}", day, staging(entity))
            return validate(self.warehouse, connection, entity, day)

    def read(self, relation: str, day: date = DAY) -> list[Row]:
        with self.warehouse.connect() as connection:
            self.warehouse.bind(connection, relation, [day])
            query = f"select * from {relation} order by _file, _row"
            return connection.sql(query).to_arrow_table().to_pylist()

    def valid(self, entity: str, day: date = DAY) -> list[int]:
        """The lines that were found valid."""
        return [row["_row"] for row in self.read(f"valid_{entity}", day)]

    def reasons(self, entity: str, day: date = DAY) -> dict[int, list[tuple[str, str, str]]]:
        """Kind, rule and field of each reason, by line."""
        return {
            row["_row"]: [(r["kind"], r["rule"], r["field"]) for r in row["reasons"]]
            for row in self.read(f"rejected_{entity}", day)
        }

    def _create(self, connection: Any, raw: str) -> None:
        kinds = ", ".join(f"{name} {kind}" for name, kind in columns(raw).items())
        connection.execute(f"create or replace temp table {raw} ({kinds})")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which every relation has its schema and no row."""
    home = Home(Warehouse(tmp_path_factory.mktemp("template"), functions=FUNCTIONS), {})
    home.prepare()
    return home.warehouse.home


@pytest.fixture
def new_home(tmp_path: Path, template: Path) -> Callable[..., Home]:
    def make(**parents: str) -> Home:
        shutil.copytree(template, tmp_path, dirs_exist_ok=True)
        return Home(Warehouse(tmp_path, functions=FUNCTIONS), parents)

    return make


@pytest.fixture
def home(new_home: Callable[..., Home]) -> Home:
    return new_home()
