"""What a file is called changes nothing of what is read, though DuckDB takes names for patterns."""

from __future__ import annotations

import os
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import config
from pipelines.errors import ConfigError
from pipelines.warehouse import Warehouse, all_days_sql

DAY = date(2026, 11, 5)
SOURCES = "sources: {lists: {entity: contacts, preset: generic}}"

SIGNS = [*"[]*?{},!^-~#%=\\'\" \n$;&:.@", "a", "b", "é", "**", "day=2026-11-05", "s3:", "\udcff"]
NAMES = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=6).map("".join)
"""Names as Linux allows them, bytes that are no UTF-8 among them."""
ODD = ["list[1]", "a*", "a?", "[!a]", "{a,b}", "a\\[b]", "\\*", "\udcff*", "**", "a\\b", "c0=b"]


def _twins(name: str) -> list[str]:
    """The name, and others that it would match if it were a pattern."""
    likes = {
        name.replace("[", "").replace("]", ""),
        name.translate(str.maketrans("*?[", "bbb")),
        name.replace("\\", ""),
    }
    return [name, *sorted(likes - {name, ""})]


def _content(kind: str, person: int) -> bytes:
    if kind == "parquet":
        path = f"person_{person}.parquet"
        query = f"select 'Ada' as \"First Name\", 'p{person}' as \"Last Name\""
        duckdb.execute(f"copy ({query}) to '{path}'")
        return Path(path).read_bytes()
    return f"First Name,Last Name\nAda,p{person}\n".encode()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@given(names=st.lists(st.sampled_from(ODD) | NAMES, min_size=1, max_size=5))
@settings(deadline=None, max_examples=15)
def test_a_file_of_any_name_lands_its_own_rows(
    new_house: Any, tmp_path_factory: Any, kind: str, names: list[str]
) -> None:
    house = new_house()
    os.chdir(tmp_path_factory.mktemp("made"))
    wanted = []
    for twin in dict.fromkeys(chain.from_iterable(map(_twins, names))):
        file = f"{twin}.{kind}"
        if len(os.fsencode(file)) > 200 or file.startswith((".", "~$")):
            continue
        house.put("lists", file, _content(kind, len(wanted)))
        wanted.append(f"p{len(wanted)}")
    if wanted:
        house.land(house.sources(SOURCES))
        rows = house.rows("raw_contacts", "last_name", "_row")
        assert sorted(found for found, _ in rows) == sorted(wanted)
        assert {row for _, row in rows} == {2 if kind == "csv" else 1}


@given(name=st.sampled_from(ODD) | NAMES)
@settings(deadline=None, max_examples=15)
def test_a_home_of_any_name_holds_its_own_rows(new_house: Any, name: str) -> None:
    """Beside homes which its name would match as a pattern; or it is refused with a word."""
    around = new_house().home
    written = {}
    for person, twin in enumerate(_twins(name)):
        if twin.strip(".") == "" or twin == "inbox":
            continue
        try:
            house = Warehouse(config.home({"CAUSEWAY_HOME": str(around / twin)}))
        except ConfigError as error:
            assert set(twin) & {"?", "\\", "\udcff"}, error
            continue
        with house.connect() as connection:
            for day in (None, DAY):
                house.write(connection, "stg_a", day, f"select {person} as person, 5 as c0")
        written[person] = house
    for person, house in written.items():
        with house.connect() as connection:
            house.bind(connection, "stg_a", [DAY])
            assert connection.sql("from stg_a").fetchall() == [(person, 5)] * 2
            found = connection.sql(
                f"select person, filename from {all_days_sql(house.folder('stg_a'))}"
            )
            assert {row for row, _ in found.fetchall()} == {person}
            assert house.describe(connection, "stg_a", DAY).rows == 1
