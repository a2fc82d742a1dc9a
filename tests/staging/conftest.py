"""Raw rows in, staged rows out: DuckDB with the macros and the staging file itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.project import FUNCTIONS
from pipelines.sources.relations import columns
from pipelines.warehouse import Warehouse

Row = dict[str, Any]
Stage = Callable[[str, Sequence[Mapping[str, Any]]], list[Row]]

BATCH = "2026-11-20"


@pytest.fixture(scope="session")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with Warehouse(tmp_path_factory.mktemp("home"), functions=FUNCTIONS).connect() as connection:
        for name in ("macros", "cells", "consent"):
            connection.execute((PROJECT / f"assets/{name}.sql").read_text(encoding="utf-8"))
        connection.execute(
            "create temp table config_formats as select 'bazaar' as source, true as day_first,"
            " true as decimal_comma, 'Europe/Berlin' as timezone"
        )
        yield connection


@pytest.fixture(scope="session")
def stage(connection: Any) -> Stage:
    """Stage rows of a raw relation; what a row does not say is null, as after landing."""

    def run(relation: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        raw = relation.replace("stg_", "raw_")
        kinds = ", ".join(f"{name} {kind}" for name, kind in columns(raw).items())
        connection.execute(f"create or replace temp table {raw} ({kinds})")
        landed = {
            "_source": "shop",
            "_file": f"shop/{BATCH}/a.csv",
            "_batch": BATCH,
            "_loaded_at": f"{BATCH} 12:00:00+00",
        }
        for number, row in enumerate(rows, start=2):
            full = landed | {"_row": number} | dict(row)
            names = ", ".join(full)
            marks = ", ".join("?" for _ in full)
            connection.execute(f"insert into {raw} ({names}) values ({marks})", list(full.values()))
        query = Path(PROJECT / f"assets/staging/{relation}.sql").read_text(encoding="utf-8")
        return connection.sql(f"select * from ({query}) order by _row").to_arrow_table().to_pylist()

    return run
