"""Nobody but its owner reads a home; with ``home.share: group`` the group does, too."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT

DAY = date(2026, 11, 5)
SOURCES = "sources: {lists: {entity: contacts, preset: generic}}"
SHARED = "home: {share: group}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "new" / "home"


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    copied = tmp_path / "mappings"
    shutil.copytree(PROJECT / "mappings", copied)
    (copied / "sources.yaml").write_text(SOURCES)
    return copied


def _share(mappings: Path) -> None:
    path = mappings / "policies.yaml"
    path.write_text(path.read_text().split("\nhome:")[0] + f"\n{SHARED}\n")


def _put(inbox: Path) -> Path:
    folder = inbox / "lists" / str(DAY)
    folder.mkdir(parents=True)
    for path in (inbox, inbox / "lists", folder):
        path.chmod(0o755)
    (folder / "a.csv").write_text("Last Name\nOkafor\n")
    (folder / "a.csv").chmod(0o644)
    return inbox


def _modes(home: Path, leave: Path | None = None) -> dict[str, int]:
    """Path → mode of all that is no link and does not lie in ``leave``."""
    paths = [home, *home.rglob("*")]
    return {
        str(path.relative_to(home)): stat.S_IMODE(path.lstat().st_mode)
        for path in paths
        if not path.is_symlink() and (leave is None or not path.is_relative_to(leave))
    }


def test_a_new_home_is_its_owners_alone_and_an_inbox_stays_as_it_is(
    causeway: Any, home: Path, mappings: Path, tmp_path: Path
) -> None:
    environ = {"CAUSEWAY_MAPPINGS": str(mappings), "CAUSEWAY_INBOX": str(_put(tmp_path / "inbox"))}
    before = _modes(tmp_path / "inbox")
    started = causeway("org", "start", home=home, **environ)
    try:
        assert started.code == 0, started.err
        assert causeway("sync", home=home, **environ).code == 0
    finally:
        causeway("org", "stop", home=home, **environ)
    modes = _modes(home)
    assert modes["."] == 0o700
    assert len(modes) > 100
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    assert _modes(tmp_path / "inbox") == before
    checked = causeway("check", "--json", home=home, **environ).document
    assert [notice for notice in checked["notices"] if "home secure" in notice["message"]] == []


def test_an_open_home_is_told_and_secured_but_for_its_inbox(
    causeway: Any, home: Path, mappings: Path
) -> None:
    environ = {"CAUSEWAY_MAPPINGS": str(mappings)}
    _put(home / "inbox")
    causeway("sync", home=home, **environ)  # no org, which is not needed for it
    for folder, _, names in os.walk(home):
        Path(folder).chmod(0o755)
        for name in names:
            (Path(folder) / name).chmod(0o644)
    outside = home.parent / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    (home / "link").symlink_to(outside)
    before = _modes(home / "inbox")
    [notice] = causeway("check", "--json", home=home, **environ).document["notices"]
    assert notice["file"] == str(home)
    assert "home secure" in notice["message"]
    secured = causeway("home", "secure", "--json", home=home, **environ)
    assert secured.document["changed"] > 20
    assert {mode for mode in _modes(home, home / "inbox").values() if mode & 0o077} == set()
    assert _modes(home / "inbox") == before
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert causeway("check", "--json", home=home, **environ).document["notices"] == []
    assert causeway("home", "secure", "--json", home=home, **environ).document["changed"] == 0


def test_a_home_is_shared_with_a_group_as_the_policies_say(
    causeway: Any, home: Path, mappings: Path
) -> None:
    environ = {"CAUSEWAY_MAPPINGS": str(mappings)}
    _share(mappings)
    causeway("check", home=home, **environ)
    _put(home / "inbox")
    causeway("sync", home=home, **environ)
    modes = _modes(home, home / "inbox")
    assert modes["."] == 0o2750
    assert {oct(mode) for name, mode in modes.items() if (home / name).is_dir()} == {"0o2750"}
    files = {name: mode for name, mode in modes.items() if (home / name).is_file()}
    assert {oct(mode & 0o027) for mode in files.values()} == {"0o0"}
    assert {
        name for name in files if name.endswith(".parquet") and not files[name] & 0o040
    } == set()
    (home / "orgs").mkdir(exist_ok=True)
    home.chmod(0o700)
    assert causeway("home", "secure", home=home, **environ).code == 0
    assert _modes(home)["."] == 0o2750


def test_what_is_no_home_is_left_alone(causeway: Any, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    ran = causeway("home", "secure", home=tmp_path)
    assert (ran.code, stat.S_IMODE(tmp_path.stat().st_mode)) == (2, 0o755)
    assert "no home of Causeway" in ran.err
