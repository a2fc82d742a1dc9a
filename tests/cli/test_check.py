"""``causeway check`` finds everything that is wrong with what people wrote, with file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.config import PROJECT


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    """A copy of the mappings, to break."""
    folder = tmp_path / "mappings"
    shutil.copytree(PROJECT / "mappings", folder)
    return folder


@pytest.fixture(scope="module")
def home(causeway, tmp_path_factory: pytest.TempPathFactory):
    """A home whose local org runs."""
    folder = tmp_path_factory.mktemp("checked")
    assert causeway("org", "start", home=folder).code == 0
    yield folder
    assert causeway("org", "stop", home=folder).code == 0


def test_the_mappings_that_ship_are_right(causeway, home: Path) -> None:
    ran = causeway("check", home=home)
    assert (ran.code, ran.err) == (0, "")


def test_every_problem_of_every_file_is_told_at_once(causeway, home, mappings: Path) -> None:
    contact = mappings / "contact.yaml"
    contact.write_text(contact.read_text().replace("Fax: ", "Faks:"))
    lead = mappings / "lead.yaml"
    lead.write_text(lead.read_text().replace("where:", "were:"))
    sources = mappings / "sources.yaml"
    sources.write_text(sources.read_text() + "  other:\n    preset: wimno\n")

    ran = causeway("check", "--json", home=home, CAUSEWAY_MAPPINGS=str(mappings))
    assert ran.code == 2
    files = {Path(problem["file"]).name for problem in ran.document["problems"]}
    assert files >= {"lead.yaml", "sources.yaml"}
    assert all(problem["line"] for problem in ran.document["problems"])


def test_a_field_that_the_org_does_not_have(causeway, home, mappings: Path) -> None:
    contact = mappings / "contact.yaml"
    text = contact.read_text().replace("  Fax: ", "  Faks:")
    contact.write_text(text)
    line = text[: text.index("  Faks:")].count("\n") + 1

    ran = causeway("check", home=home, CAUSEWAY_MAPPINGS=str(mappings))
    assert ran.code == 2
    assert f"contact.yaml:{line}: " in ran.err
    assert "no field Faks" in ran.err


def test_decisions_are_checked_and_the_later_of_two_is_told(causeway, home, mappings: Path) -> None:
    path = mappings / "decisions.csv"
    path.write_text("kind,reference,target\nsame,shop:1,winmo:2\nsane,shop:1,\nuse,shap:1,003\n")
    ran = causeway("check", "--json", home=home, CAUSEWAY_MAPPINGS=str(mappings))
    assert ran.code == 2
    places = [(Path(problem["file"]).name, problem["line"]) for problem in ran.document["problems"]]
    assert places == [("decisions.csv", line) for line in (3, 4, 4)]

    path.write_text("kind,reference,target\nsame,shop:1,winmo:2\ndifferent,winmo:2,shop:1\n")
    ran = causeway("check", home=home, CAUSEWAY_MAPPINGS=str(mappings))
    assert ran.code == 0
    assert "decisions.csv:2: same shop:1 winmo:2 no longer counts: line 3 says differe" in ran.out


def test_files_that_nobody_will_land_are_told(causeway, home: Path, tmp_path: Path) -> None:
    (tmp_path / "winmo").mkdir()
    (tmp_path / "winmo" / "list.csv").write_text("Email\n")
    (tmp_path / "unknown").mkdir()

    ran = causeway("check", home=home, CAUSEWAY_INBOX=str(tmp_path))
    assert ran.code == 2
    assert "list.csv" in ran.err
    assert "unknown" in ran.err
