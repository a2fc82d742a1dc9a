"""Which days there are, what lies there unread, and whether a day changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.errors import InputError
from pipelines.sources.inbox import batches, files, strays

DAY = date(2026, 11, 5)
NEXT = date(2026, 11, 6)

TWO = """
sources:
  lists: {entity: contacts, preset: generic}
  drop: {entity: contacts, preset: generic, location: ["in {day}/**/x-{day}.csv", "flat-{day}.csv"]}
"""


def test_days_and_files_by_folder_and_by_glob(house: Any) -> None:
    config = house.sources(TWO)
    for name in (".hidden.csv", "~$open.xlsx", "half.csv.part", "b.csv", "a.csv"):
        house.put("lists", name, "Email\n")
    for name in (
        "in 2026-11-06/deep/er/x-2026-11-06.csv",
        "in 2026-11-06/x-2026-11-05.csv",
        "flat-2026-11-07.csv",
        "flat-2026-13-07.csv",
    ):
        path = house.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Email\n")
    assert batches(config, house.inbox) == [DAY, NEXT, date(2026, 11, 7)]
    assert [(file.source, file.name) for file in files(config, house.inbox, DAY)] == [
        ("lists", "lists/2026-11-05/a.csv"),
        ("lists", "lists/2026-11-05/b.csv"),
    ]
    assert [file.name for file in files(config, house.inbox, NEXT)] == [
        "in 2026-11-06/deep/er/x-2026-11-06.csv"
    ]


def test_an_empty_folder_and_a_missing_inbox_are_told(house: Any) -> None:
    config = house.sources(TWO)
    folder = house.put("lists", ".hidden", "").parent
    with pytest.raises(InputError, match="this folder holds no file") as caught:
        files(config, house.inbox, DAY)
    assert caught.value.problems[0].file == str(folder)
    with pytest.raises(InputError, match="set CAUSEWAY_INBOX"):
        batches(config, house.home / "nowhere")


def test_strays_are_named(house: Any) -> None:
    config = house.sources(TWO)
    house.put("lists", "a.csv", "Email\n")
    house.put("lists", "a.csv", "Email\n", date(2019, 12, 31))
    house.put("list", "a.csv", "Email\n")
    (house.inbox / "loose.csv").write_text("")
    (house.inbox / "lists" / "loose.csv").write_text("")
    (house.inbox / "lists" / "20261105").mkdir()
    (house.inbox / "lists" / "2026-11-05" / "deeper").mkdir()
    (house.inbox / "drop").mkdir()
    (house.inbox / "drop" / "whatever").mkdir()
    problems = strays(config, house.inbox, date(2020, 1, 1), DAY)
    messages = [(p.file.removeprefix(f"{house.inbox}/"), p.message.split(";")[0]) for p in problems]
    assert messages == [
        ("list", "no source has this name"),
        ("lists/2019-12-31", "outside the batches, which run from 2020-01-01 to 2026-11-05"),
        ("lists/2026-11-05/deeper", "files lie directly in the day's folder"),
        ("lists/20261105", "this folder is named by no day"),
        ("lists/loose.csv", "put this file into a folder named by its day, YYYY-MM-DD"),
        ("loose.csv", "lies beside the sources"),
    ]
