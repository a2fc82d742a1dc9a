"""`causeway org`: records, rules and faults of the local org, as people ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local_org import control


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, causeway) -> Iterator[Path]:
    """A home whose org was started with faults and with rules of a file."""
    folder = tmp_path_factory.mktemp("home")
    rules = folder / "mine.yaml"
    rules.write_text("automations: [{name: Loud, object: Lead, set: {Company: upper(Company)}}]\n")
    ran = causeway("org", "start", "--faults", "--rules", rules, home=folder)
    assert ran.code == 0, ran.err
    yield folder
    control.stop(folder / "local_org")


def test_samples_and_files_are_loaded(home: Path, causeway) -> None:
    assert "Made 10 × Account" in causeway("org", "seed", home=home).out
    assert "were there already" in causeway("org", "seed", home=home).out
    file = home / "leads.csv"
    file.write_text("LastName,Company,Email\nIto,acme,bad address\nAbe,acme,\n")
    ran = causeway("org", "seed", "--from", file, "--object", "Lead", home=home)
    assert ran.code == 1
    assert "1 of 2 rows made" in ran.out
    assert "INVALID_EMAIL_ADDRESS" in ran.err
    assert (
        "was loaded at"
        in causeway("org", "seed", "--from", file, "--object", "Lead", home=home).out
    )
    soql = "select Company from Lead where LastName = 'Abe'"
    assert causeway("org", "query", soql, "--json", home=home).document == [{"Company": "ACME"}]


def test_a_count_is_told(home: Path, causeway) -> None:
    for soql in ("select count() from User", "SELECT  COUNT( ) FROM User WHERE IsActive = true"):
        assert causeway("org", "query", soql, home=home).out.strip() == "1 record"
        assert causeway("org", "query", soql, "--json", home=home).document == [{"count()": 1}]
    assert "expr0" in causeway("org", "query", "select count(Id) from User", home=home).out
    none = "select count() from User where IsActive = false"
    assert causeway("org", "query", none, home=home).out.strip() == "0 records"


def test_another_name_needs_a_restart_and_is_checked(home: Path, causeway) -> None:
    wrong = causeway("org", "start", "--allow-host", "https://org.test", home=home)
    assert wrong.code != 0
    assert "without scheme and port" in wrong.err
    assert causeway("org", "start", "--faults", "--allow-host", "org.test", home=home).code == 0
    assert control.status(home / "local_org")["running"]


def test_bad_columns_end_with_2(home: Path, causeway) -> None:
    file = home / "bad.csv"
    file.write_text("Nope\n1\n")
    ran = causeway("org", "seed", "--from", file, home=home)
    assert ran.code == 2
    assert f"{file}:1: column 1, 'Nope'" in ran.err


def test_faults_are_armed_listed_and_cleared(home: Path, causeway) -> None:
    ran = causeway("org", "fault", "refuse", "status=503", "path=query", "times=2", home=home)
    assert "refuse times=2 skip=0 path=query status=503" in ran.out
    assert causeway("org", "fault", "--json", home=home).document[0]["status"] == 503
    assert "Nothing is left" in causeway("org", "fault", "clear", home=home).out
    for wrong, says in (
        (["reset", "during=lunch"], "during"),
        (["banana"], "banana"),
        (["slow", "5"], "name=value"),
    ):
        ran = causeway("org", "fault", *wrong, home=home)
        assert ran.code == 2
        assert says in ran.err


def test_every_kind_of_fault_is_in_the_help(causeway) -> None:
    from typing import get_args

    from pipelines.local_org import faults

    help_text = causeway("org", "fault", "--help").out
    for fault in get_args(faults.Fault):
        kind = get_args(fault.model_fields["kind"].annotation)[0]
        assert f"   {kind}  " in help_text
        assert f"\n    {kind}  " in faults.__doc__


def test_faults_need_an_org_that_was_started_for_them(tmp_path: Path, causeway) -> None:
    ran = causeway("org", "fault", home=tmp_path)
    assert ran.code == 3
    assert "causeway org start" in ran.err
