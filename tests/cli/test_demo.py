"""The first run, the second, and everything one looks at afterwards."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from pipelines.demo.exports import SECRET
from pipelines.sources.repaired import REASONS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(causeway, home: Path):
    """The demo's first run; its org stops with the module."""
    yield causeway("demo", home=home)
    causeway("org", "stop", home=home)


@pytest.fixture(scope="module")
def second(causeway, home: Path, first):
    return causeway("demo", home=home)


@pytest.fixture(scope="module")
def days(home: Path, first) -> list[str]:
    return sorted(path.name for path in (home / "inbox" / "winmo").iterdir())


def test_the_first_run_creates_and_tells(first) -> None:
    assert first.code == 0, first.err
    assert "9 were rejected" in first.out
    assert "Nothing changed" not in first.out
    assert "apply" in first.err


def test_it_ends_with_its_proof_and_shows_how_it_would_be_undone(first, second) -> None:
    for ran in (first, second):
        [(written, as_sent)] = re.findall(r"([\d,]+) fields written, ([\d,]+) stored", ran.out)
        assert written == as_sent
        assert int(written.replace(",", "")) > 1000
        assert "would be taken back by putting back" in ran.out
        assert re.search(r" undo \d{4}-\d\d-\d\d-[0-9a-f]{12}$", ran.out, re.MULTILINE)


def test_the_look_into_duckdb_works_as_it_is_typed(first) -> None:
    [typed] = [line.partition("DuckDB")[2] for line in first.out.splitlines() if "duckdb" in line]
    ran = subprocess.run(shlex.split(typed), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "person_key" in ran.stdout


def test_the_second_run_changes_nothing_and_says_so(second) -> None:
    assert second.code == 0, second.err
    assert "Nothing changed" in second.out


def test_json_has_the_names_that_scripts_read(causeway, home, days, second) -> None:
    ran = causeway("status", "--batch", days[0], "--json", home=home)
    document = ran.document
    assert document["batch"] == days[0]
    assert document["batches"] == days
    assert len(document["run_id"]) == 36
    assert set(document["sources"]) == {"winmo", "apptivo", "shop", "newsletter", "shop_orders"}
    for counts in document["sources"].values():
        assert counts["landed"] == counts["valid"] + counts["rejected"]
    assert document["entities"]["people_total"] >= document["entities"]["people"] > 100
    assert document["entities"]["duplicates_joined"] > 50
    assert set(document["objects"]) == {"Account", "Contact", "Lead"}
    names = {"created", "updated", "unchanged", "held", "rejected"}
    names |= {"converted", "merged", "deleted", "unknown", "skipped"}
    assert all(set(counts) == names for counts in document["objects"].values())


def test_a_plan_writes_nothing_and_bad_rows_end_with_1(causeway, home, days, second) -> None:
    ran = causeway("sync", "--batch", days[0], "--plan-only", "--json", home=home)
    assert ran.code == 1
    assert {counts["create"] for counts in ran.document["planned"].values()} == {0}
    assert sum(counts["rejected"] for counts in ran.document["sources"].values()) == 8


def test_rejected_rows_come_out_with_their_reasons(causeway, home, days, first, tmp_path) -> None:
    ran = causeway("rejects", "export", "--batch", days[0], "--to", tmp_path, home=home)
    assert ran.code == 0
    assert "contacts.csv:25" in ran.out  # the line that nobody could read
    file = tmp_path / "winmo" / days[0] / "rejected-contacts.csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    source = home / "inbox" / "winmo" / days[0] / "winmo-contacts.csv"
    header = source.read_text("utf-8-sig").splitlines()[0].split(",")
    assert list(rows[0]) == [*header, REASONS]
    assert [row["Contact ID"] for row in rows] == ["W40098", "W40099"]
    assert "winmo-contacts.csv:41" in rows[1][REASONS]
    assert rows[1]["Direct Phone"].startswith("+1 ")


def test_rejected_rows_are_listed_by_reason_with_file_and_line(causeway, home, days, first) -> None:
    listed = causeway("rejects", "list", "--batch", days[0], home=home).out
    assert "winmo  email: " in listed
    assert f"winmo/{days[0]}/winmo-contacts.csv:41" in listed
    reasons = causeway("rejects", "list", "--batch", days[0], "--json", home=home).document
    assert sum(reason["rows"] for reason in reasons) >= 8
    [broken] = [reason for reason in reasons if reason["kind"] == "Unreadable"]
    assert broken["places"] == [f"apptivo/{days[0]}/contacts.csv:25"]
    only = causeway("rejects", "list", "--source", "shop", "--json", home=home).document
    assert {reason["source"] for reason in only} == {"shop"}


def test_status_counts_rejected_rows_by_reason(causeway, home, days, first) -> None:
    counted = causeway("status", "--batch", days[0], "--json", home=home).document["rejections"]
    assert sum(counted["winmo"].values()) == 2
    shown = causeway("status", "--batch", days[0], home=home).out
    assert all(f"1 apptivo rejected: {reason}" in shown for reason in counted["apptivo"])
    assert "2 other reasons: " in shown


def test_what_waits_has_a_list_of_its_own(causeway, home, first) -> None:
    assert causeway("waiting", "list", home=home).out.strip() == "No record waits."
    refused = causeway("rejects", "list", "--object", "Contact", home=home)
    assert refused.code == 2
    assert "waiting list --object Contact" in " ".join(refused.err.replace("│", " ").split())


def test_a_planted_secret_stands_nowhere_but_in_the_inbox(home: Path, second) -> None:
    secret = SECRET.encode()
    paths = {path for path in home.rglob("*") if path.is_file() and secret in path.read_bytes()}
    assert paths
    assert all(path.is_relative_to(home / "inbox") for path in paths)


def test_records_can_be_looked_at(causeway, home, first) -> None:
    soql = "select Name, Account.Name from Contact where Email = 'oscar.vandenberg@acme.example'"
    [record] = causeway("org", "query", soql, "--json", home=home).document
    assert record["Name"] == "Oscar van den Berg"
    assert "acme" in record["Account.Name"].lower()


def test_a_mapping_shows_its_select_and_its_lineage(causeway, home, first) -> None:
    select = causeway("mapping", "show", "contact", home=home)
    assert select.code == 0
    assert "routed as (" in select.out
    lineage = causeway("mapping", "show", "Lead", "--lineage", "--json", home=home).document
    assert lineage["LastName"] == ["last_name"]


def test_an_org_that_is_down_loses_nothing(causeway, home, days, second) -> None:
    assert causeway("org", "stop", home=home).code == 0
    stopped = causeway("sync", "--batch", days[1], home=home)
    assert stopped.code == 3
    assert "causeway org start" in stopped.err
    assert causeway("org", "start", home=home).code == 0
    again = causeway("sync", "--batch", days[1], "--json", home=home)
    assert again.code == 1
    assert {counts["created"] for counts in again.document["objects"].values()} == {0}


def test_repaired_rows_land_again(causeway, home, days, second, tmp_path) -> None:
    causeway("org", "start", home=home)
    causeway("rejects", "export", "--batch", days[0], "--to", tmp_path, home=home)
    rejected = tmp_path / "winmo" / days[0] / "rejected-contacts.csv"
    text = rejected.read_text("utf-8-sig")
    text = text.replace("W40098,Brand Marketers,Zofia,,", "W40098,Brand Marketers,Zofia,Lis,")
    text = text.replace("cyrus.farahani(at)ironwood,", "adrian.poole@juniperbikes.example,")
    repaired = home / "inbox" / "winmo" / days[1] / "repaired.csv"
    repaired.write_text(text, "utf-8")

    ran = causeway("sync", "--batch", days[1], "--json", home=home)
    assert ran.document["sources"]["winmo"] == {"landed": 4, "valid": 4, "rejected": 0}
    assert ran.document["objects"]["Lead"]["created"] == 2
    soql = "select Phone from Lead where Email = 'adrian.poole@juniperbikes.example'"
    assert causeway("org", "query", soql, "--json", home=home).document[0]["Phone"].startswith("+1")
