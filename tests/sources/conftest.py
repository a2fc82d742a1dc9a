"""A home of its own for each test, with an inbox, sources from YAML, and raw relations to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.sources.config import read_sources
from pipelines.sources.land import Landed, land
from pipelines.sources.model import Sources
from pipelines.warehouse import Warehouse, parquet_sql

DAY = date(2026, 11, 5)


@dataclass(frozen=True)
class House:
    """A home with an inbox."""

    home: Path

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.home)

    def sources(self, text: str) -> Sources:
        path = self.home / "sources.yaml"
        path.write_text(text, encoding="utf-8")
        return read_sources(path)

    def put(self, source: str, name: str, content: str | bytes, day: date = DAY) -> Path:
        path = self.inbox / source / day.isoformat() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land(self, config: Sources, day: date = DAY) -> Landed:
        return land(self.warehouse, config, self.inbox, day)

    def rows(self, relation: str, *columns: str, day: date = DAY) -> list[tuple[Any, ...]]:
        """The chosen columns of a raw relation, in the order of file and line."""
        path = self.warehouse.path(relation, day)
        with self.warehouse.connect() as connection:
            return connection.execute(
                f"select {', '.join(columns)} from {parquet_sql(path)} "
                "order by _source, _file, _row"
            ).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "inbox").mkdir()
    return House(tmp_path)


@pytest.fixture(scope="session")
def new_house(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], House]:
    """Houses for tests that need many, such as property tests."""

    def make() -> House:
        house = House(tmp_path_factory.mktemp("house"))
        house.inbox.mkdir()
        return house

    return make
