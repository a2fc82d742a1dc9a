"""Help teaches, and it comes at once."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

COMMANDS = (
    "demo",
    "sync",
    "status",
    "check",
    "ui",
    "rejects list",
    "rejects export",
    "waiting list",
    "mapping show",
    "org start",
    "org query",
    "org seed",
    "org fault",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(causeway, command: str) -> None:
    ran = causeway(*command.split(), "--help")
    assert ran.code == 0
    assert re.search(rf"^ +causeway .*{command}", ran.out, re.MULTILINE), ran.out


def test_help_imports_nothing_heavy() -> None:
    heavy = ("dagster", "duckdb", "pandas", "pandera", "pyarrow", "simple_salesforce", "sqlglot")
    program = f"import pipelines.cli, sys; print([n for n in {heavy!r} if n in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sink"], "sink"),
        (["sync", "--batch", "yesterday"], "yesterday"),
        (["sync", "--batch", "2026-01-01", "--all"], "not both"),
        (["sync", "--batch", "2019-12-31"], "2019-12-31 is no batch"),
        (["sync"], "inbox"),
        (["mapping", "show", "Opportunity"], "Account, Contact, Lead"),
        (["rejects", "export"], "causeway sync"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(causeway, tmp_path, arguments, says) -> None:
    ran = causeway(*arguments, home=tmp_path)
    assert ran.code == 2
    assert says in ran.err


def test_an_org_that_is_asked_for_wrongly_ends_with_2(causeway, tmp_path) -> None:
    ran = causeway("org", "query", "select Id from Contact", home=tmp_path, CAUSEWAY_ORG="nowhere")
    assert ran.code == 2
    assert "orgs.yaml" in ran.err


def test_an_org_that_is_down_ends_with_3(causeway, tmp_path) -> None:
    ran = causeway("org", "query", "select Id from Contact", home=tmp_path)
    assert ran.code == 3
    assert "causeway org start" in ran.err


def test_status_of_an_empty_home(causeway, tmp_path) -> None:
    ran = causeway("--home", tmp_path, "status")
    assert ran.code == 0
    assert "causeway demo" in ran.out
