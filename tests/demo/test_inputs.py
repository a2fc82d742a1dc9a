"""The demo's inputs are what real systems export, and the same every time."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipelines.config import PROJECT
from pipelines.demo.days import HEADERS, PLANTED, planted
from pipelines.demo.exports import CUSTOMER, CUSTOMER_ADDRESS, SECRET
from pipelines.demo.inputs import demo_days, write_inputs
from pipelines.demo.people import CAST
from pipelines.sources.config import read_sources
from pipelines.sources.shapes import fit

DAYS = date(2026, 11, 4), date(2026, 11, 5)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    write_inputs(folder, DAYS)
    return folder


def _rows(inbox: Path, source: str, day: date, name: str) -> list[dict[str, str]]:
    with (inbox / source / day.isoformat() / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_inputs_every_time(inbox: Path, tmp_path: Path) -> None:
    write_inputs(tmp_path, DAYS)
    first = {path.relative_to(inbox): path.read_bytes() for path in inbox.rglob("*.csv")}
    second = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.csv")}
    assert len(first) == 14
    assert first == second


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    [written, *_] = write_inputs(tmp_path, DAYS)
    written.write_text("changed by hand")
    assert write_inputs(tmp_path, DAYS) == []
    assert written.read_text() == "changed by hand"


def test_days_are_yesterday_and_today_until_there_are_samples(inbox: Path, tmp_path: Path) -> None:
    today = date(2026, 11, 9)
    assert demo_days(tmp_path, today) == (date(2026, 11, 8), today)
    assert demo_days(inbox, today) == DAYS


def test_every_file_fits_the_source_that_lands_it(inbox: Path) -> None:
    sources = read_sources(PROJECT / "mappings" / "sources.yaml").sources
    for source, name in HEADERS:
        header = list(_rows(inbox, source, DAYS[0], name)[0])
        assert fit(header, sources[source]).columns, (source, name)


def test_magento_files_have_magento_s_columns() -> None:
    assert (len(CUSTOMER), len(CUSTOMER_ADDRESS)) == (25, 24)


def test_real_traps_are_in_the_files(inbox: Path) -> None:
    folder = inbox / "shop" / DAYS[0].isoformat()
    assert SECRET in (folder / "customer.csv").read_text("utf-8")
    streets = [row["street"] for row in _rows(inbox, "shop", DAYS[0], "customer_address.csv")]
    assert any("\n" in street for street in streets)
    winmo = (inbox / "winmo" / DAYS[0].isoformat() / "winmo-contacts.csv").read_bytes()
    assert winmo.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in winmo


def test_people_meet_in_several_sources(inbox: Path) -> None:
    files = (
        ("winmo", "winmo-contacts.csv", "Email"),
        ("apptivo", "contacts.csv", "Email Address"),
        ("shop", "customer.csv", "email"),
        ("newsletter", "newsletter_subscriber.csv", "subscriber_email"),
    )
    source_counts: Counter[str] = Counter()
    for source, name, column in files:
        rows = _rows(inbox, source, DAYS[0], name)
        source_counts.update({row[column].strip().lower() for row in rows if row[column]})
    assert Counter(source_counts.values())[2] >= 20
    assert Counter(source_counts.values())[3] >= 5


def test_the_second_day_opts_somebody_out(inbox: Path) -> None:
    before, after = (
        {row["subscriber_id"]: row["subscriber_status"] for row in rows}
        for rows in (_rows(inbox, "newsletter", day, "newsletter_subscriber.csv") for day in DAYS)
    )
    assert [row for row in before if (before[row], after.get(row)) == ("1", "3")] == ["562"]


def test_nobody_of_the_cast_is_real() -> None:
    addresses = [address for person in CAST for address in (person.email, person.private_email)]
    assert len(set(addresses)) == len(addresses) == 2 * len(CAST)
    assert all(address.endswith((".example", "@example.com")) for address in addresses)
    assert all(" 555 01" in person.phone for person in CAST)


def test_bad_rows_are_bad_in_different_ways() -> None:
    assert (
        len({row.what for row in PLANTED})
        == len(PLANTED)
        == planted(0).total() + planted(1).total()
    )
    assert len({row.kind for row in PLANTED}) == 5
