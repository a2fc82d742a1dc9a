"""Writes invented exports of any size into an inbox, and remembers who is who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipelines.warehouse import Warehouse, literal

FOLDER = Path(__file__).parent

FIRST = date(2025, 1, 6)
"""The day of the first load; one in a thousand people changes on each of the two days after."""

SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)

CHANGED = {SECOND: "changed", THIRD: "changed later"}
"""Later day → what decides who changes on it."""

FILES = {
    "winmo": ("winmo",),
    "shop": ("customer", "customer_address"),
    "newsletter": ("newsletter_subscriber",),
}
"""Source → its exports; each is a ``.sql`` file of that name, and becomes a ``.csv`` of it."""


@dataclass(frozen=True)
class Generated:
    """What was written.

    Attributes:
        files: of the first day.
        truth: Parquet with ``source``, ``source_id`` and the number of the person it really is.
    """

    files: tuple[Path, ...]
    truth: Path

    @property
    def bytes(self) -> int:
        """Of the files of the first day."""
        return sum(file.stat().st_size for file in self.files)


def generate(home: Path, people: int) -> Generated:
    """Write the exports of all days for so many people into ``<home>/inbox``.

    The same number gives the same bytes, always and everywhere.
    """
    truth = home / "truth.parquet"
    with Warehouse(home).connect() as connection:
        connection.execute("set preserve_insertion_order = true")
        connection.execute("set variable people = $1", [people])
        connection.execute(_text("population"))
        connection.execute(f"copy ({_text('truth')}) to {literal(truth)} (format parquet)")
        files = tuple(_files(home, FIRST))
        for source, file in files:
            connection.execute(_export_sql(source, file))
        connection.execute("create temp table first_appearance as from appearance")
        for day, changed in CHANGED.items():
            connection.execute("set variable changed = $1", [changed])
            connection.execute(_text("changes"))
            for source, file in _files(home, day):
                connection.execute(_export_sql(source, file))
    return Generated(tuple(file for _, file in files), truth)


def _files(home: Path, day: date) -> list[tuple[str, Path]]:
    """Each export's name and file, its folder made."""
    files = []
    for source, exports in FILES.items():
        folder = home / "inbox" / source / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        files += [(name, folder / f"{name}.csv") for name in exports]
    return files


def _export_sql(name: str, file: Path) -> str:
    return f"copy ({_text(f'exports/{name}')}) to {literal(file)} (format csv, header true)"


def _text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
