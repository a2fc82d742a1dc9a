"""The command a new user with a file types first: no org, no inbox, no home, and nothing stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.project import Project
from pipelines.trial.home import PREFIX
from pipelines.trial.run import run_trial
from pipelines.trial.source import Request

CONNECTIONS = """\
Notes:
"When exporting your connection data, you may notice that some fields are missing."

First Name,Last Name,URL,Email Address,Company,Position,Connected On
Ines,Quarrie,https://www.linkedin.com/in/ines-q,ines@quarry.example,Quarry Works,Buyer,15 Mar 2024
Otto,,,,,,16 Mar 2024
"""
SECRET = "Zwiebelkuchen-7"
PEOPLE = f"Name,E-mail,Api Key\nIda Ringwald,ida@ring.example,{SECRET}\n"


@pytest.fixture
def fair(tmp_path: Path) -> Path:
    file = tmp_path / "Fair 2026-11.csv"
    file.write_text(PEOPLE)
    return file


def test_a_known_export_needs_no_option(causeway, tmp_path: Path) -> None:
    file = tmp_path / "Connections.csv"
    file.write_text(CONNECTIONS)
    ran = causeway("try", file, "--as", "lead", home=tmp_path / "none")
    assert ran.code == 1
    assert "preset linkedin" in ran.out
    assert "the header is in line 4" in ran.out
    assert "LastName    Quarrie" in ran.out
    assert "Connections.csv:6" in ran.out
    assert "  connections:\n    preset: linkedin\n    as: lead\n" in ran.out
    assert not (tmp_path / "none").exists()


def test_the_lines_that_are_shown_bring_the_file_in(causeway, fair: Path, tmp_path: Path) -> None:
    document = causeway("try", fair, "--json").document
    assert document["lines"][0] == "  fair:"
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    for path in (PROJECT / "mappings").glob("*.yaml"):
        (mappings / path.name).write_text(path.read_text())
    (mappings / "sources.yaml").write_text("\n".join(("sources:", *document["lines"], "")))
    again = causeway("try", fair, "--source", "fair", "--json", CAUSEWAY_MAPPINGS=str(mappings))
    assert again.document["rows"] == document["rows"]
    assert again.document["columns"] == document["columns"]


def test_what_cannot_be_read_ends_with_3_and_says_why(causeway, tmp_path: Path) -> None:
    file = tmp_path / "logo.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\0")
    ran = causeway("try", file)
    assert (ran.code, ran.out) == (3, "")
    assert "logo.csv" in ran.err
    refused = causeway("try", file, "--json")
    assert refused.code == 3
    assert refused.document["refused"]["message"]
    assert causeway("try", tmp_path / "nothing.csv").code == 2
    wrong = causeway("try", file, "--source", "unheard_of")
    assert wrong.code == 2
    assert "there is no source 'unheard_of'" in wrong.err


def test_a_file_that_comes_in_whole_ends_with_0(causeway, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text('{"name": "Ida Ringwald", "email": "ida@ring.example"}\n')
    ran = causeway("try", file, "--json")
    assert (ran.code, ran.document["whole"]) == (0, True)
    assert [record["object"] for row in ran.document["rows"] for record in row["records"]] == [
        "Contact"
    ]


def test_nothing_of_the_file_stays_and_no_secret_is_shown(
    causeway, fair: Path, tmp_path: Path
) -> None:
    before = set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    ran = causeway("try", fair, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert "withheld, a secret: 1 cell" in ran.out
    assert SECRET not in ran.out
    assert set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")) <= before
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"ring.example" in path.read_bytes() for path in kept)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_killed_trial_leaves_goes_with_the_next(
    causeway, fair: Path, tmp_path: Path, number: signal.Signals
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {**os.environ, "TMPDIR": str(temporary)}
    command = [Path(sys.executable).with_name("causeway"), "try", fair]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        while not list(temporary.glob(f"{PREFIX}*/home/stage/raw_contacts/day=20*")):
            assert running.poll() is None
            time.sleep(0.01)
        [folder] = temporary.glob(f"{PREFIX}*")
        assert folder.stat().st_mode & 0o777 == 0o700
        running.send_signal(number)
    if number is signal.SIGKILL:
        assert folder.exists()
        long_ago = time.time() - 3600
        os.utime(folder, (long_ago, long_ago))
        causeway("try", fair, TMPDIR=str(temporary))
    assert list(temporary.glob(f"{PREFIX}*")) == []


def test_nobody_is_asked_over_the_network(
    fair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    own = Project(tmp_path / "home", tmp_path / "inbox", PROJECT / "mappings")
    trial = run_trial(own, Request(fair), date(2026, 11, 5), 3)
    assert trial.records == {"Contact": 1}
    assert not own.home.exists()


def test_it_is_read_in_narrow_terminals_and_pipes(causeway, fair: Path) -> None:
    ran = causeway("try", fair, COLUMNS="60")
    assert max(map(len, ran.out.split("\n\n")[1].splitlines())) <= 80
    assert json.loads(causeway("try", fair, "--json", "--rows", "0").out)["rows"] == []
