import csv
import hashlib
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from bench.generate import FIRST, SECOND, THIRD, generate

PEOPLE = 10_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("generated")
    generate(home, PEOPLE)
    return home


def rows(home: Path, source: str, name: str, day: date = FIRST) -> list[dict[str, str]]:
    with (home / "inbox" / source / day.isoformat() / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def digest(home: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(home.glob("inbox/**/*.csv")):
        total.update(path.read_bytes())
    return total.hexdigest()


def test_the_same_number_gives_the_same_bytes(home: Path, tmp_path: Path) -> None:
    generate(tmp_path, PEOPLE)

    assert digest(tmp_path) == digest(home)


def test_people_are_spread_over_the_sources_as_promised(home: Path) -> None:
    counts = dict(
        duckdb.execute(
            "select source, count(*) from read_parquet($1) group by source",
            [str(home / "truth.parquet")],
        ).fetchall()
    )
    people = duckdb.execute(
        "select count(distinct person) from read_parquet($1)", [str(home / "truth.parquet")]
    ).fetchall()

    assert people == [(PEOPLE,)]
    assert sum(counts.values()) / PEOPLE == pytest.approx(1.2, abs=0.02)
    # The shares of where people are at home, and half of one in five of the others.
    assert counts["winmo"] / PEOPLE == pytest.approx(0.5 + 0.5 * 0.1, abs=0.02)
    assert counts["shop"] / PEOPLE == pytest.approx(0.3 + 0.7 * 0.1, abs=0.02)
    assert counts["newsletter"] / PEOPLE == pytest.approx(0.2 + 0.8 * 0.1, abs=0.02)


def test_ids_are_unique_where_no_row_is_wrong(home: Path) -> None:
    contacts = [row["Contact ID"] for row in rows(home, "winmo", "winmo")]
    customers = [row["email"].strip().lower() for row in rows(home, "shop", "customer")]

    assert len(set(contacts)) == len(contacts)
    assert len(set(filter(None, customers))) == len([email for email in customers if email])


def test_about_three_rows_in_a_hundred_are_wrong_in_every_kind(home: Path) -> None:
    wrong = Counter(
        {
            "no name": sum(not row["Last Name"] for row in rows(home, "winmo", "winmo")),
            "no domain": sum("@" not in row["Email"] for row in rows(home, "winmo", "winmo")),
            "no number": sum(
                row["Direct Phone"] == "ask the desk" for row in rows(home, "winmo", "winmo")
            ),
            "shifted": sum(row["Country"].isdigit() for row in rows(home, "winmo", "winmo")),
        }
    )

    assert len(+wrong) == 4
    share = wrong.total() / len(rows(home, "winmo", "winmo"))
    assert share == pytest.approx(0.03, abs=0.01)


def test_one_person_in_a_thousand_changes_on_each_later_day(home: Path) -> None:
    first = {row["Contact ID"]: row for row in rows(home, "winmo", "winmo")}
    changed = []
    for day in (SECOND, THIRD):
        later = rows(home, "winmo", "winmo", day)
        assert 0 < len(later) < len(first) / 300
        assert all(row["Direct Phone"] != first[row["Contact ID"]]["Direct Phone"] for row in later
                   if row["Direct Phone"] != "ask the desk")  # fmt: skip
        changed.append({row["Contact ID"] for row in later})
    assert changed[0] != changed[1]
